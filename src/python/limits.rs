//! Stops handlers that never come to an await: every loop and every function of a handler counts what it does.
//!
//! The count is compiled in, as a call at the start of each body. Watching from outside (`sys.monitoring`) would slow
//! all Python down, the library's too.

use std::cell::Cell;

use ruff_text_size::{Ranged, TextRange};
use rustpython_vm::{
    PyRef, PyResult, VirtualMachine,
    builtins::PyCode,
    compiler::{
        Mode,
        ast::{AtomicNodeIndex, Expr, Mod, Stmt, StmtExpr, relocate::relocate_expr, visitor::transformer},
        codegen::compile::compile_top,
        core::SourceFileBuilder,
        parser,
    },
};

/// Rounds of loops and calls of functions between two awaits. About a second in a browser.
pub const ROUNDS_MAX: u32 = 3_000_000;

thread_local! {
    static ROUNDS_LEFT: Cell<u32> = const { Cell::new(ROUNDS_MAX) };
}

/// A new step begins.
pub fn refill() {
    ROUNDS_LEFT.set(ROUNDS_MAX);
}

/// Takes `rounds` from what is left; false when that is too many. Once empty it stays so until the next step.
pub fn spend(rounds: u32) -> bool {
    let left = ROUNDS_LEFT.get().saturating_sub(rounds);
    ROUNDS_LEFT.set(left);
    left > 0
}

/// The builtin that counts; no name a handler would choose.
pub const COUNTER: &str = "__round__of__handler__";

/// Compiles a handler's file. Its mistakes are reported on its own text.
pub fn compile(file: &str, text: &str, vm: &VirtualMachine) -> PyResult<PyRef<PyCode>> {
    let plain = vm.compile(text, Mode::Exec, file).map_err(|error| error.into_pyexception(vm, Some(text)))?;
    let parsed = parser::parse(text, parser::ParseOptions::from(parser::Mode::Module));
    let counting = parser::parse_expression(&format!("{COUNTER}()"));
    let (Ok(parsed), Ok(counting)) = (parsed, counting) else {
        return Ok(plain);
    };
    let mut module = parsed.into_syntax();
    let counted = Counted { call: counting.into_expr() };
    if let Mod::Module(module) = &mut module {
        for statement in &mut module.body {
            transformer::Transformer::visit_stmt(&counted, statement);
        }
    }
    let source = SourceFileBuilder::new(file, text).finish();
    match compile_top(module, source, Mode::Exec, vm.compile_opts()) {
        Ok(code) => Ok(PyCode::new_ref_from_bytecode(vm, code)),
        Err(error) => {
            Err(vm.new_runtime_error(format!("{file} compiles by itself but not with its loops counted: {error}")))
        }
    }
}

/// Puts the counting call at the start of every body.
struct Counted {
    call: Expr,
}

impl transformer::Transformer for Counted {
    fn visit_stmt(&self, statement: &mut Stmt) {
        transformer::walk_stmt(self, statement);
        let at = TextRange::empty(statement.start());
        match statement {
            Stmt::While(loop_) => loop_.body.insert(0, self.counting(at)),
            Stmt::For(loop_) => loop_.body.insert(0, self.counting(at)),
            Stmt::FunctionDef(function) => {
                let documented = function.body.first().is_some_and(is_text);
                let first = usize::from(documented);
                let at = function.body.get(first).map_or(at, |statement| TextRange::empty(statement.start()));
                function.body.insert(first, self.counting(at));
            }
            _ => {}
        }
    }
}

impl Counted {
    fn counting(&self, at: TextRange) -> Stmt {
        let mut call = self.call.clone();
        relocate_expr(&mut call, at);
        Stmt::Expr(StmtExpr { node_index: AtomicNodeIndex::NONE, range: at, value: Box::new(call) })
    }
}

fn is_text(statement: &Stmt) -> bool {
    matches!(statement, Stmt::Expr(expression) if expression.value.is_string_literal_expr())
}

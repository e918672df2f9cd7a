//! Calls of window functions.

use crate::sql::error::{Result, fail};
use crate::sql::expr::Expr;
use crate::sql::functions::Routine;
use crate::sql::functions::window::WindowFunction;
use crate::sql::parser::ast;
use crate::sql::plan::{SortKey, WindowCall};

use super::aggregate::{check_star, place_of};
use super::overload::{bind_arguments, choose_any, kinds, not_offered};
use super::{Binder, Typed};

impl Binder<'_> {
    pub(super) fn window(
        &mut self,
        name: &str,
        spec: &ast::WindowSpec,
        arguments: Vec<Typed>,
        star: bool,
    ) -> Result<Typed> {
        let (partition, order) = self.in_clause("window definitions", true, |binder| binder.window_definition(spec))?;
        let given = kinds(&arguments);
        let routine = choose_any(name, &given)?;
        let function = match routine {
            Routine::Window(spec) => spec.function,
            Routine::Aggregate(spec) => {
                check_star(name, star, &arguments)?;
                spec.function.map(WindowFunction::Running)
            }
            _ => {
                let message = format!("OVER specified, but {name} is not a window function nor an aggregate function");
                return fail("42809", message);
            }
        };
        let Some(function) = function else { return Err(not_offered(name, &given)) };
        let (arguments, ty) = bind_arguments(routine.signature(), arguments)?;
        let call = WindowCall { function, arguments, partition, order };
        if self.scope().window_slot.is_none() {
            let slot = self.slot(0)?;
            self.scope().window_slot = Some(slot);
        }
        let scope = self.scope();
        let slot = scope.window_slot.expect("just made");
        let number = place_of(&mut scope.windows, call);
        Ok(Typed::new(Expr::Column { slot, column: number as u16 }, ty))
    }

    fn window_definition(&mut self, spec: &ast::WindowSpec) -> Result<(Vec<Expr>, Vec<SortKey>)> {
        let partition: Result<Vec<Expr>> = spec.partition_by.iter().map(|expr| Ok(self.expr(expr)?.expr)).collect();
        Ok((partition?, self.sort_keys_of_call(&spec.order_by)?))
    }
}

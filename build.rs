//! Compiles the Python a handler can import to bytecode, so that an import costs a read and no parse.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use rustpython_compiler::{CompileOpts, Mode, compile};
use rustpython_compiler_core::bytecode::{CodeObject, ConstantData};
use rustpython_compiler_core::marshal::{DumpableValue, serialize_value};

/// Of Python's own library: what handlers import, and what that imports in turn. Left out are modules that are native
/// in the interpreter, and those `src/python/standard` has a lighter version of.
const STANDARD: &[&str] = &[
    "__future__",
    "_collections_abc",
    "_pydatetime",
    "_pydecimal",
    "_strptime",
    "_weakrefset",
    "abc",
    "bisect",
    "calendar",
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "heapq",
    "hmac",
    "io",
    "json",
    "json.decoder",
    "json.encoder",
    "json.scanner",
    "keyword",
    "numbers",
    "operator",
    "random",
    "re",
    "re._casefix",
    "re._compiler",
    "re._constants",
    "re._parser",
    "reprlib",
    "secrets",
    "statistics",
    "string",
    "string.templatelib",
    "textwrap",
    "types",
    "typing",
    "weakref",
];

struct Module {
    name: String,
    package: bool,
    /// One of the project's own that handlers import.
    own: bool,
    file: PathBuf,
}

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let standard = Path::new(rustpython_pylib::LIB_PATH);
    let mut modules: Vec<Module> = STANDARD.iter().map(|name| standard_module(standard, name)).collect();
    println!("cargo::rerun-if-changed=build.rs");
    for (folder, own) in [("src/python/lib", true), ("src/python/standard", false)] {
        println!("cargo::rerun-if-changed={folder}");
        modules_in(Path::new(folder), "", own, &mut modules);
    }
    modules.sort_by(|a, b| a.name.cmp(&b.name));

    let mut table = String::from("&[\n");
    for module in &modules {
        let bytecode = out.join(format!("{}.bytecode", module.name));
        fs::write(&bytecode, compiled(module)).expect("OUT_DIR can be written");
        let Module { name, package, own, .. } = module;
        writeln!(table, "    ({name:?}, {package}, {own}, include_bytes!({bytecode:?})),")
            .expect("a string takes text");
    }
    table.push(']');
    fs::write(out.join("library.rs"), table).expect("OUT_DIR can be written");
}

fn standard_module(root: &Path, name: &str) -> Module {
    let path = root.join(name.replace('.', "/"));
    let package = path.join("__init__.py");
    let (package, file) = if package.exists() { (true, package) } else { (false, path.with_extension("py")) };
    Module { name: name.to_owned(), package, own: false, file }
}

fn modules_in(folder: &Path, parent: &str, own: bool, modules: &mut Vec<Module>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder can be listed").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("module names are ASCII").to_owned();
        let name = if parent.is_empty() { stem.clone() } else { format!("{parent}.{stem}") };
        if path.is_dir() {
            modules_in(&path, &name, own, modules);
        } else if path.extension().is_some_and(|extension| extension == "py") {
            let package = stem == "__init__";
            let own = own && !name.starts_with('_');
            modules.push(Module { name: if package { parent.to_owned() } else { name }, package, own, file: path });
        }
    }
}

fn compiled(module: &Module) -> Vec<u8> {
    let source = fs::read_to_string(&module.file)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", module.file.display()));
    // Without docstrings and assertions; the angle brackets keep library lines out of a handler's traceback.
    let options = CompileOpts { optimize: 2, debug_ranges: false, ..CompileOpts::default() };
    let mut code = compile(&source, Mode::Exec, &format!("<{}>", module.name), options)
        .unwrap_or_else(|error| panic!("{} does not compile: {error}", module.file.display()));
    drop_lines(&mut code);
    let mut bytes = Vec::new();
    serialize_value(&mut bytes, DumpableValue::<ConstantData>::Code(&code)).unwrap_or_else(|never| match never {});
    bytes
}

/// Nobody is shown a line of the library, and line tables are a fifth of its bytes.
fn drop_lines(code: &mut CodeObject<ConstantData>) {
    code.linetable = Box::default();
    for constant in code.constants.iter_mut() {
        if let ConstantData::Code { code } = constant {
            drop_lines(code);
        }
    }
}

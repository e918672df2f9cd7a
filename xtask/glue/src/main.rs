//! `glue MODULE.wasm FOLDER`: the module and the JavaScript that loads it. A program of its own, so that it is built while the engine is.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments = std::env::args_os().skip(1).map(PathBuf::from).collect::<Vec<_>>();
    let [module, folder] = &arguments[..] else { bail!("usage: glue MODULE.wasm FOLDER") };
    Bindgen::new()
        .input_path(module)
        .web(true)?
        .omit_default_module_path(false)
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(folder)
        .with_context(|| format!("could not make the JavaScript glue for {}", module.display()))
}

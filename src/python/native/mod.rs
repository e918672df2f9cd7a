//! The parts of the standard library that must be native. They know no request and no clock.

mod binascii;
mod ed25519;
mod hashes;
mod json;
mod math;
mod random;

use rustpython_vm::{Context, builtins::PyModuleDef};

pub fn modules(ctx: &Context) -> [&'static PyModuleDef; 6] {
    [
        binascii::module_def(ctx),
        ed25519::module_def(ctx),
        hashes::module_def(ctx),
        json::module_def(ctx),
        math::module_def(ctx),
        random::module_def(ctx),
    ]
}

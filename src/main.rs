//! `twoam`: the playground on the command line.

/// Python makes and drops an object for nearly everything it does: the system's own allocator takes an eighth of a run.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    twoam::cli::main()
}

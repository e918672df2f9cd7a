//! `twoam`: the playground on the command line.

use std::alloc::{GlobalAlloc, Layout};

/// Python makes and drops an object for nearly everything it does: the system's own allocator takes an eighth of a run.
#[global_allocator]
static ALLOCATOR: Bounded = Bounded(mimalloc::MiMalloc);

/// mimalloc promises any amount of memory, and the machine is short of it only when it is written: `"a" * 10**12` would take all there is.
struct Bounded(mimalloc::MiMalloc);

/// WebAssembly has no more in all.
const MOST_AT_ONCE: usize = 4 << 30;

// SAFETY: mimalloc's own, but for allocations that are refused, which any may be.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > MOST_AT_ONCE {
            return std::ptr::null_mut();
        }
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.size() > MOST_AT_ONCE {
            return std::ptr::null_mut();
        }
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size > MOST_AT_ONCE {
            return std::ptr::null_mut();
        }
        unsafe { self.0.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { self.0.dealloc(pointer, layout) }
    }
}

fn main() -> std::process::ExitCode {
    twoam::cli::main()
}

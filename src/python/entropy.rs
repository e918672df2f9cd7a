//! Where the browser's randomness would come from: nowhere. Crates that ask the host for entropy get a fixed stream.
//!
//! What a run draws comes from its own seed. These bytes only ever salt hash tables, whose order nothing depends on.

use std::cell::Cell;

thread_local! {
    static STREAM: Cell<u64> = const { Cell::new(0x2545_F491_4F6C_DD1D) };
}

fn fill(bytes: &mut [u8]) {
    for byte in bytes {
        let mut word = STREAM.get();
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        STREAM.set(word);
        *byte = word as u8;
    }
}

fn fill_for_version_2(bytes: &mut [u8]) -> Result<(), getrandom02::Error> {
    fill(bytes);
    Ok(())
}

getrandom02::register_custom_getrandom!(fill_for_version_2);

/// The name getrandom 0.3 and 0.4 look for in a build with `getrandom_backend="custom"`.
///
/// # Safety
/// `dest` must be valid for `len` bytes of writing; getrandom sees to that.
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(dest: *mut u8, len: usize) -> Result<(), getrandom03::Error> {
    // SAFETY: the caller hands in a buffer of this length; it is filled with zeros before it is borrowed.
    let bytes = unsafe {
        dest.write_bytes(0, len);
        std::slice::from_raw_parts_mut(dest, len)
    };
    fill(bytes);
    Ok(())
}

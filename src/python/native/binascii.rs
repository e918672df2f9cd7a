//! `_binascii`: bytes as hexadecimal and base64, and back.

pub(crate) use codecs::module_def;

#[rustpython_vm::pymodule(name = "_binascii")]
mod codecs {
    use base64::Engine as _;
    use base64::alphabet;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    use rustpython_vm::{
        PyObjectRef, PyResult, TryFromObject, VirtualMachine,
        builtins::{PyBytesRef, PyStr},
        function::{ArgBytesLike, OptionalArg},
    };

    const STANDARD: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
    );

    fn bytes_of(data: PyObjectRef, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
        match data.downcast_ref::<PyStr>() {
            Some(text) => match text.to_str() {
                Some(text) if text.is_ascii() => Ok(text.as_bytes().to_vec()),
                _ => Err(vm.new_value_error("string argument should contain only ASCII characters")),
            },
            None => Ok(ArgBytesLike::try_from_object(vm, data)?.with_ref(<[u8]>::to_vec)),
        }
    }

    #[pyfunction]
    fn hexlify(data: ArgBytesLike, vm: &VirtualMachine) -> PyBytesRef {
        let hex: String = data.with_ref(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        vm.ctx.new_bytes(hex.into_bytes())
    }

    #[pyfunction]
    fn unhexlify(data: PyObjectRef, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
        let hex = bytes_of(data, vm)?;
        if hex.len() % 2 == 1 {
            return Err(vm.new_value_error("Odd-length string"));
        }
        let digit =
            |byte: u8| (byte as char).to_digit(16).ok_or_else(|| vm.new_value_error("Non-hexadecimal digit found"));
        let bytes = hex.chunks(2).map(|pair| Ok((digit(pair[0])? * 16 + digit(pair[1])?) as u8));
        Ok(vm.ctx.new_bytes(bytes.collect::<PyResult<_>>()?))
    }

    #[pyfunction]
    fn b2a_base64(data: ArgBytesLike, vm: &VirtualMachine) -> PyBytesRef {
        vm.ctx.new_bytes(data.with_ref(|bytes| STANDARD.encode(bytes)).into_bytes())
    }

    /// Signs outside of the alphabet are skipped, as CPython does unless it is told to be strict.
    #[pyfunction]
    fn a2b_base64(data: PyObjectRef, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
        let mut signs = bytes_of(data, vm)?;
        signs.retain(|sign| sign.is_ascii_alphanumeric() || matches!(sign, b'+' | b'/' | b'='));
        STANDARD
            .decode(&signs)
            .map(|bytes| vm.ctx.new_bytes(bytes))
            .map_err(|_| vm.new_value_error("Incorrect padding"))
    }

    #[pyfunction]
    fn crc32(data: ArgBytesLike, start: OptionalArg<u32>) -> u32 {
        let mut crc = !start.unwrap_or(0);
        data.with_ref(|bytes| {
            for byte in bytes {
                crc ^= u32::from(*byte);
                for _ in 0..8 {
                    crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
                }
            }
        });
        !crc
    }
}

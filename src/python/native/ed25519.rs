//! `_ed25519`: keys and signatures, for the client library that handlers import as `cryptography` and `jwt`.

pub(crate) use signatures::module_def;

#[rustpython_vm::pymodule(name = "_ed25519")]
mod signatures {
    use ed25519_compact::{KeyPair, PublicKey, Seed, Signature};
    use rustpython_vm::{PyResult, VirtualMachine, builtins::PyBytesRef, function::ArgBytesLike};

    fn pair(seed: &ArgBytesLike, vm: &VirtualMachine) -> PyResult<KeyPair> {
        let seed = seed.with_ref(Seed::from_slice);
        Ok(KeyPair::from_seed(seed.map_err(|_| vm.new_value_error("An Ed25519 private key is 32 bytes long"))?))
    }

    #[pyfunction]
    fn public_key(seed: ArgBytesLike, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
        Ok(vm.ctx.new_bytes(pair(&seed, vm)?.pk.to_vec()))
    }

    /// Ed25519 draws nothing: equal messages have equal signatures.
    #[pyfunction]
    fn sign(seed: ArgBytesLike, message: ArgBytesLike, vm: &VirtualMachine) -> PyResult<PyBytesRef> {
        let pair = pair(&seed, vm)?;
        let signature = message.with_ref(|message| pair.sk.sign(message, None));
        Ok(vm.ctx.new_bytes(signature.to_vec()))
    }

    #[pyfunction]
    fn verify(
        public_key: ArgBytesLike,
        message: ArgBytesLike,
        signature: ArgBytesLike,
        vm: &VirtualMachine,
    ) -> PyResult<bool> {
        let key = public_key.with_ref(PublicKey::from_slice);
        let key = key.map_err(|_| vm.new_value_error("An Ed25519 public key is 32 bytes long"))?;
        let Ok(signature) = signature.with_ref(Signature::from_slice) else { return Ok(false) };
        Ok(message.with_ref(|message| key.verify(message, &signature)).is_ok())
    }
}

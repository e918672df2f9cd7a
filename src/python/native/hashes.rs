//! `_hashes`: what `hashlib` computes.

pub(crate) use digests::module_def;

#[rustpython_vm::pymodule(name = "_hashes")]
mod digests {
    use std::cell::RefCell;

    use rustpython_vm::{
        Py, PyPayload, PyResult, VirtualMachine, builtins::PyBytesRef, function::ArgBytesLike, pyclass,
        types::Representable,
    };
    use sha2::digest::DynDigest;

    #[cfg(debug_assertions)]
    use super::super::super::bridge::DebugFlags;

    #[pyattr]
    #[pyclass(name = "HASH", module = "_hashlib")]
    #[derive(PyPayload)]
    struct Hash {
        name: String,
        digest: RefCell<Box<dyn DynDigest>>,
        block_size: usize,
    }

    impl std::fmt::Debug for Hash {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(&self.name)
        }
    }

    #[pyfunction]
    fn new(name: String, data: ArgBytesLike, vm: &VirtualMachine) -> PyResult<Hash> {
        let (digest, block_size): (Box<dyn DynDigest>, usize) = match name.as_str() {
            "md5" => (Box::<md5::Md5>::default(), 64),
            "sha1" => (Box::<sha1::Sha1>::default(), 64),
            "sha224" => (Box::<sha2::Sha224>::default(), 64),
            "sha256" => (Box::<sha2::Sha256>::default(), 64),
            "sha384" => (Box::<sha2::Sha384>::default(), 128),
            "sha512" => (Box::<sha2::Sha512>::default(), 128),
            _ => {
                return Err(vm.new_value_error(format!(
                    "unsupported hash type {name}. There are: md5, sha1, sha224, sha256, sha384, sha512"
                )));
            }
        };
        let hash = Hash { name, digest: RefCell::new(digest), block_size };
        data.with_ref(|bytes| hash.digest.borrow_mut().update(bytes));
        Ok(hash)
    }

    #[pyclass(with(Representable))]
    impl Hash {
        fn finished(&self) -> Vec<u8> {
            self.digest.borrow().box_clone().finalize().into_vec()
        }

        #[pymethod]
        fn update(zelf: &Py<Self>, data: ArgBytesLike) {
            data.with_ref(|bytes| zelf.digest.borrow_mut().update(bytes));
        }

        #[pymethod]
        fn digest(zelf: &Py<Self>, vm: &VirtualMachine) -> PyBytesRef {
            vm.ctx.new_bytes(zelf.finished())
        }

        #[pymethod]
        fn hexdigest(zelf: &Py<Self>) -> String {
            zelf.finished().iter().map(|byte| format!("{byte:02x}")).collect()
        }

        #[pymethod]
        fn copy(zelf: &Py<Self>) -> Hash {
            Hash {
                name: zelf.name.clone(),
                digest: RefCell::new(zelf.digest.borrow().box_clone()),
                block_size: zelf.block_size,
            }
        }

        #[pygetset]
        fn name(zelf: &Py<Self>) -> String {
            zelf.name.clone()
        }

        #[pygetset]
        fn digest_size(zelf: &Py<Self>) -> usize {
            zelf.digest.borrow().output_size()
        }

        #[pygetset]
        fn block_size(zelf: &Py<Self>) -> usize {
            zelf.block_size
        }
    }

    impl Representable for Hash {
        fn repr_str(zelf: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
            Ok(format!("<{} _hashlib.HASH object>", zelf.name))
        }
    }
}

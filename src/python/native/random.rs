//! `_random`: the Mersenne twister behind `random`, so that `random.seed(7)` gives the numbers CPython gives.

pub(crate) use twister::module_def;

#[rustpython_vm::pymodule(name = "_random")]
mod twister {
    use std::cell::RefCell;

    use rand::RngCore;
    use rand_mt::Mt;
    use rustpython_vm::{
        Py, PyObjectRef, PyPayload, PyResult, VirtualMachine,
        builtins::{PyInt, PyIntRef, PyType},
        function::{FuncArgs, OptionalOption},
        pyclass,
        types::Constructor,
    };

    #[cfg(debug_assertions)]
    use super::super::super::bridge::DebugFlags;
    use super::super::super::bridge::state;

    #[pyattr]
    #[pyclass(name = "Random", module = "_random")]
    #[derive(PyPayload)]
    struct Random {
        twister: RefCell<Mt>,
    }

    impl std::fmt::Debug for Random {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Random")
        }
    }

    impl Constructor for Random {
        type Args = FuncArgs;

        fn py_new(_class: &Py<PyType>, _args: FuncArgs, _vm: &VirtualMachine) -> PyResult<Random> {
            Ok(Random { twister: RefCell::new(from_run()) })
        }
    }

    /// Unseeded generators follow the run's own seed.
    fn from_run() -> Mt {
        let state = state();
        let mut random = state.random.borrow_mut();
        let key: Vec<u32> = (0..8).map(|_| random.next_u32()).collect();
        Mt::new_with_key(key)
    }

    #[pyclass(flags(BASETYPE), with(Constructor))]
    impl Random {
        #[pymethod]
        fn random(zelf: &Py<Self>) -> f64 {
            let mut twister = zelf.twister.borrow_mut();
            let high = twister.next_u32() >> 5;
            let low = twister.next_u32() >> 6;
            (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
        }

        #[pymethod]
        fn getrandbits(zelf: &Py<Self>, count: i64, vm: &VirtualMachine) -> PyResult<PyIntRef> {
            if count < 0 {
                return Err(vm.new_value_error("number of bits must be non-negative"));
            }
            if count > 1 << 20 {
                return Err(vm.new_value_error("at most a mebibit of random bits at once"));
            }
            let mut twister = zelf.twister.borrow_mut();
            if count <= 32 {
                let word = if count == 0 { 0 } else { twister.next_u32() >> (32 - count) };
                return Ok(vm.ctx.new_int(word));
            }
            let mut left = count;
            let mut words = Vec::with_capacity(count as usize / 32 + 1);
            while left > 0 {
                let word = twister.next_u32();
                words.push(if left < 32 { word >> (32 - left) } else { word });
                left -= 32;
            }
            Ok(vm.ctx.new_int(malachite_bigint::BigUint::new(words)))
        }

        #[pymethod]
        fn seed(zelf: &Py<Self>, seed: OptionalOption<PyObjectRef>, vm: &VirtualMachine) -> PyResult<()> {
            let twister = match seed.flatten() {
                None => from_run(),
                Some(seed) => {
                    let key = match seed.downcast_ref::<PyInt>() {
                        Some(number) => number.as_bigint().magnitude().to_u32_digits(),
                        None => {
                            let hash = seed.hash(vm)? as u64;
                            vec![hash as u32, (hash >> 32) as u32]
                        }
                    };
                    Mt::new_with_key(if key.is_empty() { vec![0] } else { key })
                }
            };
            *zelf.twister.borrow_mut() = twister;
            Ok(())
        }

        #[pymethod]
        fn getstate(_zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<()> {
            Err(vm.new_not_implemented_error("the state of a generator cannot be taken out here: use random.seed()"))
        }

        #[pymethod]
        fn setstate(zelf: &Py<Self>, _state: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
            Random::getstate(zelf, vm)
        }
    }
}

//! `_math`: the functions of `math` on floats, the same to the last bit natively and in the browser.

pub(crate) use functions::module_def;

#[rustpython_vm::pymodule(name = "_math")]
mod functions {
    use rustpython_vm::{Py, PyResult, VirtualMachine, builtins::PyModule, function::ArgIntoFloat};

    type OfOne = fn(f64) -> f64;

    const OF_ONE: &[(&str, OfOne)] = &[
        ("acos", libm::acos),
        ("acosh", libm::acosh),
        ("asin", libm::asin),
        ("asinh", libm::asinh),
        ("atan", libm::atan),
        ("atanh", libm::atanh),
        ("cbrt", libm::cbrt),
        ("cos", libm::cos),
        ("cosh", libm::cosh),
        ("erf", libm::erf),
        ("erfc", libm::erfc),
        ("exp", libm::exp),
        ("exp2", libm::exp2),
        ("expm1", libm::expm1),
        ("fabs", libm::fabs),
        ("log1p", libm::log1p),
        ("sin", libm::sin),
        ("sinh", libm::sinh),
        ("sqrt", libm::sqrt),
        ("tan", libm::tan),
        ("tanh", libm::tanh),
    ];

    pub(crate) fn module_exec(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
        __module_exec(vm, module);
        for &(name, function) in OF_ONE {
            let of_one = move |x: ArgIntoFloat, vm: &VirtualMachine| {
                let x = x.into_float();
                checked(x, function(x), vm)
            };
            module.set_attr(name, vm.new_function(name, of_one), vm)?;
        }
        Ok(())
    }

    /// C's rule: a NaN from a number is a domain error, an infinity from a finite one an overflow.
    fn checked(x: f64, y: f64, vm: &VirtualMachine) -> PyResult<f64> {
        if y.is_nan() && !x.is_nan() {
            return Err(vm.new_value_error("math domain error"));
        }
        if y.is_infinite() && x.is_finite() {
            return Err(vm.new_overflow_error("math range error"));
        }
        Ok(y)
    }

    fn positive(x: f64, vm: &VirtualMachine) -> PyResult<f64> {
        if x > 0.0 || x.is_nan() { Ok(x) } else { Err(vm.new_value_error("expected a positive input")) }
    }

    #[pyfunction]
    fn ln(x: ArgIntoFloat, vm: &VirtualMachine) -> PyResult<f64> {
        positive(x.into_float(), vm).map(libm::log)
    }

    #[pyfunction]
    fn log2(x: ArgIntoFloat, vm: &VirtualMachine) -> PyResult<f64> {
        positive(x.into_float(), vm).map(libm::log2)
    }

    #[pyfunction]
    fn log10(x: ArgIntoFloat, vm: &VirtualMachine) -> PyResult<f64> {
        positive(x.into_float(), vm).map(libm::log10)
    }

    #[pyfunction]
    fn gamma(x: ArgIntoFloat, vm: &VirtualMachine) -> PyResult<f64> {
        let x = x.into_float();
        if x == f64::NEG_INFINITY || (x <= 0.0 && x.fract() == 0.0) {
            return Err(vm.new_value_error("expected a noninteger or positive integer"));
        }
        checked(x, libm::tgamma(x), vm)
    }

    #[pyfunction]
    fn lgamma(x: ArgIntoFloat, vm: &VirtualMachine) -> PyResult<f64> {
        let x = x.into_float();
        if x <= 0.0 && x.is_finite() && x.fract() == 0.0 {
            return Err(vm.new_value_error("expected a noninteger or positive integer"));
        }
        checked(x, libm::lgamma(x), vm)
    }

    #[pyfunction]
    fn pow(x: ArgIntoFloat, y: ArgIntoFloat, vm: &VirtualMachine) -> PyResult<f64> {
        let (x, y) = (x.into_float(), y.into_float());
        if x == 0.0 && y < 0.0 {
            return Err(vm.new_value_error("math domain error"));
        }
        let z = libm::pow(x, y);
        if x.is_finite() && y.is_finite() { checked(x, z, vm) } else { Ok(z) }
    }

    #[pyfunction]
    fn atan2(y: ArgIntoFloat, x: ArgIntoFloat) -> f64 {
        libm::atan2(y.into_float(), x.into_float())
    }

    #[pyfunction]
    fn copysign(x: ArgIntoFloat, y: ArgIntoFloat) -> f64 {
        x.into_float().copysign(y.into_float())
    }

    #[pyfunction]
    fn fmod(x: ArgIntoFloat, y: ArgIntoFloat, vm: &VirtualMachine) -> PyResult<f64> {
        let (x, y) = (x.into_float(), y.into_float());
        if y.is_infinite() && x.is_finite() {
            return Ok(x);
        }
        let z = libm::fmod(x, y);
        if z.is_nan() && !x.is_nan() && !y.is_nan() {
            return Err(vm.new_value_error("math domain error"));
        }
        Ok(z)
    }

    #[pyfunction]
    fn remainder(x: ArgIntoFloat, y: ArgIntoFloat, vm: &VirtualMachine) -> PyResult<f64> {
        let (x, y) = (x.into_float(), y.into_float());
        if x.is_finite() && y.is_infinite() {
            return Ok(x);
        }
        let z = libm::remainder(x, y);
        if z.is_nan() && !x.is_nan() && !y.is_nan() {
            return Err(vm.new_value_error("math domain error"));
        }
        Ok(z)
    }

    #[pyfunction]
    fn fma(x: ArgIntoFloat, y: ArgIntoFloat, z: ArgIntoFloat) -> f64 {
        libm::fma(x.into_float(), y.into_float(), z.into_float())
    }

    #[pyfunction]
    fn frexp(x: ArgIntoFloat) -> (f64, i32) {
        let x = x.into_float();
        if x.is_finite() { libm::frexp(x) } else { (x, 0) }
    }

    #[pyfunction]
    fn ldexp(x: ArgIntoFloat, exponent: i64, vm: &VirtualMachine) -> PyResult<f64> {
        let x = x.into_float();
        checked(x, libm::ldexp(x, exponent.clamp(-10_000, 10_000) as i32), vm)
    }

    #[pyfunction]
    fn modf(x: ArgIntoFloat) -> (f64, f64) {
        let x = x.into_float();
        if x.is_infinite() {
            return (0f64.copysign(x), x);
        }
        let whole = x.trunc();
        ((x - whole).copysign(x), whole)
    }

    #[pyfunction]
    fn nextafter(x: ArgIntoFloat, y: ArgIntoFloat) -> f64 {
        libm::nextafter(x.into_float(), y.into_float())
    }

    #[pyfunction]
    fn isfinite(x: ArgIntoFloat) -> bool {
        x.into_float().is_finite()
    }

    #[pyfunction]
    fn isinf(x: ArgIntoFloat) -> bool {
        x.into_float().is_infinite()
    }

    #[pyfunction]
    fn isnan(x: ArgIntoFloat) -> bool {
        x.into_float().is_nan()
    }
}

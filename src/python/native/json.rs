//! `_fast_json`: JSON from and to what it mostly is: plain dicts, lists, texts and numbers. Anything else gets `None`, and the caller
//! asks Python's own `json`, which knows every case and words every error.

pub(crate) use texts::module_def;

#[rustpython_vm::pymodule(name = "_fast_json")]
mod texts {
    use std::fmt::Write as _;

    use crate::trace::json::short_escape;
    use rustpython_vm::{
        AsObject, PyObject, PyObjectRef, PyResult, VirtualMachine,
        builtins::{PyDict, PyFloat, PyInt, PyList, PyStr, PyStrRef, PyTuple},
    };

    /// Deeper values, and those that hold themselves, are left to Python.
    const DEPTH: usize = 50;

    /// The text of `value`.
    #[pyfunction]
    fn write(
        value: PyObjectRef,
        ascii: bool,
        sorted: bool,
        between: PyStrRef,
        colon: PyStrRef,
        vm: &VirtualMachine,
    ) -> PyResult<Option<String>> {
        let (Some(between), Some(colon)) = (between.to_str(), colon.to_str()) else { return Ok(None) };
        let mut writer = Writer { ascii, sorted, between, colon, text: String::new() };
        Ok(writer.value(&value, 0, vm)?.then_some(writer.text))
    }

    struct Writer<'a> {
        ascii: bool,
        sorted: bool,
        between: &'a str,
        colon: &'a str,
        text: String,
    }

    impl Writer<'_> {
        /// Whether it was one of the plain kinds, and all in it.
        fn value(&mut self, value: &PyObject, depth: usize, vm: &VirtualMachine) -> PyResult<bool> {
            if depth > DEPTH {
                return Ok(false);
            }
            if let Some(string) = value.downcast_ref_if_exact::<PyStr>(vm) {
                let Some(string) = string.to_str() else { return Ok(false) };
                self.quote(string);
            } else if vm.is_none(value) {
                self.text.push_str("null");
            } else if value.is(&vm.ctx.true_value) {
                self.text.push_str("true");
            } else if value.is(&vm.ctx.false_value) {
                self.text.push_str("false");
            } else if let Some(number) = value.downcast_ref_if_exact::<PyInt>(vm) {
                write!(self.text, "{}", number.as_bigint()).expect("a String takes all");
            } else if let Some(number) = value.downcast_ref_if_exact::<PyFloat>(vm) {
                if !number.to_f64().is_finite() {
                    return Ok(false);
                }
                let digits = value.repr(vm)?;
                let Some(digits) = digits.to_str() else { return Ok(false) };
                self.text.push_str(digits);
            } else if let Some(dict) = value.downcast_ref_if_exact::<PyDict>(vm) {
                return self.object(dict, depth, vm);
            } else if let Some(list) = value.downcast_ref_if_exact::<PyList>(vm) {
                let items = list.borrow_vec().to_vec();
                return self.array(&items, depth, vm);
            } else if let Some(tuple) = value.downcast_ref_if_exact::<PyTuple>(vm) {
                return self.array(tuple.as_slice(), depth, vm);
            } else {
                return Ok(false);
            }
            Ok(true)
        }

        fn array(&mut self, items: &[PyObjectRef], depth: usize, vm: &VirtualMachine) -> PyResult<bool> {
            self.text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    self.text.push_str(self.between);
                }
                if !self.value(item, depth + 1, vm)? {
                    return Ok(false);
                }
            }
            self.text.push(']');
            Ok(true)
        }

        fn object(&mut self, dict: &PyDict, depth: usize, vm: &VirtualMachine) -> PyResult<bool> {
            let mut fields = Vec::with_capacity(dict.__len__());
            for (key, value) in dict.items_vec() {
                let Ok(key) = key.downcast_exact::<PyStr>(vm) else { return Ok(false) };
                if key.to_str().is_none() {
                    return Ok(false);
                }
                fields.push((key, value));
            }
            if self.sorted {
                fields.sort_by(|(a, _), (b, _)| a.to_str().cmp(&b.to_str()));
            }
            self.text.push('{');
            for (place, (key, value)) in fields.iter().enumerate() {
                if place > 0 {
                    self.text.push_str(self.between);
                }
                self.quote(key.to_str().unwrap_or_default());
                self.text.push_str(self.colon);
                if !self.value(value, depth + 1, vm)? {
                    return Ok(false);
                }
            }
            self.text.push('}');
            Ok(true)
        }

        fn quote(&mut self, string: &str) {
            let text = &mut self.text;
            text.push('"');
            for sign in string.chars() {
                if let Some(escape) = short_escape(sign) {
                    text.push_str(escape);
                    continue;
                }
                match sign {
                    ' '..='~' => text.push(sign),
                    sign if self.ascii || sign < ' ' => {
                        for unit in sign.encode_utf16(&mut [0; 2]) {
                            write!(text, "\\u{unit:04x}").expect("a String takes all");
                        }
                    }
                    sign => text.push(sign),
                }
            }
            text.push('"');
        }
    }

    /// The value that begins at sign number `index`, and the number of the sign after it.
    #[pyfunction]
    fn read(string: PyStrRef, index: usize, vm: &VirtualMachine) -> PyResult<Option<(PyObjectRef, usize)>> {
        let Some(text) = string.to_str() else { return Ok(None) };
        let start = if text.is_ascii() { Some(index) } else { text.char_indices().nth(index).map(|(at, _)| at) };
        let Some(rest) = start.and_then(|start| text.get(start..)) else { return Ok(None) };
        let mut reader = JsonDecoder { text: rest, at: 0 };
        let Some(value) = reader.value(0, vm)? else { return Ok(None) };
        Ok(Some((value, index + rest[..reader.at].chars().count())))
    }

    struct JsonDecoder<'a> {
        text: &'a str,
        at: usize,
    }

    impl<'a> JsonDecoder<'a> {
        fn peek(&self) -> Option<u8> {
            self.text.as_bytes().get(self.at).copied()
        }

        fn take(&mut self, byte: u8) -> bool {
            let there = self.peek() == Some(byte);
            self.at += usize::from(there);
            there
        }

        fn skip_space(&mut self) {
            while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
                self.at += 1;
            }
        }

        /// `None` where the text is wrong or unusual.
        fn value(&mut self, depth: usize, vm: &VirtualMachine) -> PyResult<Option<PyObjectRef>> {
            if depth > DEPTH {
                return Ok(None);
            }
            Ok(match self.peek() {
                Some(b'"') => self.string().map(|string| vm.ctx.new_str(string).into()),
                Some(b'{') => return self.object(depth, vm),
                Some(b'[') => return self.array(depth, vm),
                Some(b'n') => self.word("null").then(|| vm.ctx.none()),
                Some(b't') => self.word("true").then(|| vm.ctx.new_bool(true).into()),
                Some(b'f') => self.word("false").then(|| vm.ctx.new_bool(false).into()),
                _ => self.number(vm),
            })
        }

        fn word(&mut self, word: &str) -> bool {
            let there = self.text[self.at..].starts_with(word);
            self.at += if there { word.len() } else { 0 };
            there
        }

        fn digits(&mut self) -> bool {
            let from = self.at;
            while let Some(b'0'..=b'9') = self.peek() {
                self.at += 1;
            }
            self.at > from
        }

        fn number(&mut self, vm: &VirtualMachine) -> Option<PyObjectRef> {
            let from = self.at;
            self.take(b'-');
            if !self.take(b'0') && !self.digits() {
                return None;
            }
            let end_of_integer = self.at;
            if self.take(b'.') && !self.digits() {
                return None;
            }
            if self.take(b'e') || self.take(b'E') {
                let _ = self.take(b'+') || self.take(b'-');
                if !self.digits() {
                    return None;
                }
            }
            let number = &self.text[from..self.at];
            if self.at == end_of_integer {
                number.parse::<i64>().ok().map(|number| vm.ctx.new_int(number).into())
            } else {
                number.parse::<f64>().ok().map(|number| vm.ctx.new_float(number).into())
            }
        }

        fn string(&mut self) -> Option<String> {
            self.at += 1;
            let mut string = String::new();
            loop {
                let rest = &self.text[self.at..];
                let end = rest.bytes().position(|byte| byte < b' ' || byte == b'"' || byte == b'\\')?;
                string.push_str(&rest[..end]);
                self.at += end + 1;
                match rest.as_bytes()[end] {
                    b'"' => return Some(string),
                    b'\\' => string.push(self.escaped()?),
                    _ => return None,
                }
            }
        }

        fn escaped(&mut self) -> Option<char> {
            let sign = match self.peek()? {
                sign @ (b'"' | b'\\' | b'/') => sign as char,
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => {
                    let code = self.text.get(self.at + 1..self.at + 5)?;
                    let hexadecimal = code.bytes().all(|digit| digit.is_ascii_hexdigit());
                    self.at += 4;
                    // Halves of a pair are left to Python.
                    char::from_u32(u32::from_str_radix(code, 16).ok().filter(|_| hexadecimal)?)?
                }
                _ => return None,
            };
            self.at += 1;
            Some(sign)
        }

        fn array(&mut self, depth: usize, vm: &VirtualMachine) -> PyResult<Option<PyObjectRef>> {
            self.at += 1;
            let mut items = Vec::new();
            self.skip_space();
            if !self.take(b']') {
                loop {
                    self.skip_space();
                    let Some(item) = self.value(depth + 1, vm)? else { return Ok(None) };
                    items.push(item);
                    self.skip_space();
                    if self.take(b']') {
                        break;
                    }
                    if !self.take(b',') {
                        return Ok(None);
                    }
                }
            }
            Ok(Some(vm.ctx.new_list(items).into()))
        }

        fn object(&mut self, depth: usize, vm: &VirtualMachine) -> PyResult<Option<PyObjectRef>> {
            self.at += 1;
            let dict = vm.ctx.new_dict();
            self.skip_space();
            if !self.take(b'}') {
                loop {
                    self.skip_space();
                    let Some(key) = (self.peek() == Some(b'"')).then(|| self.string()).flatten() else {
                        return Ok(None);
                    };
                    self.skip_space();
                    if !self.take(b':') {
                        return Ok(None);
                    }
                    self.skip_space();
                    let Some(value) = self.value(depth + 1, vm)? else { return Ok(None) };
                    dict.set_item(key.as_str(), value, vm)?;
                    self.skip_space();
                    if self.take(b'}') {
                        break;
                    }
                    if !self.take(b',') {
                        return Ok(None);
                    }
                }
            }
            Ok(Some(dict.into()))
        }
    }
}

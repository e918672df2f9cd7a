//! Arrays of one or more dimensions: their text form, how they are put together, what one may ask them.

use crate::sql::error::{Result, Stop, fail, refuse};
use crate::sql::types::{self, Type, text};
use crate::store::{dimensions, elements};
use crate::trace::{SqlError, Value};

const DIMENSIONS_MOST: usize = 6;

fn too_many_dimensions(count: usize) -> Stop {
    let message = format!("number of array dimensions ({count}) exceeds the maximum allowed ({DIMENSIONS_MOST})");
    SqlError::new("54000", message).into()
}

/// ARRAY[…] whose parts are arrays: one dimension more.
pub fn nest(parts: &[Value]) -> Result<Value> {
    let shape = |part: &Value| if let Value::Array(inner) = part { dimensions(inner) } else { Vec::new() };
    let shapes: Vec<Vec<usize>> = parts.iter().map(shape).collect();
    if shapes.iter().any(|it| *it != shapes[0]) {
        return fail("2202E", "multidimensional arrays must have array expressions with matching dimensions");
    }
    match shapes.first() {
        Some(shape) if shape.len() >= DIMENSIONS_MOST => Err(too_many_dimensions(shape.len() + 1)),
        Some(shape) if !shape.is_empty() => Ok(Value::Array(parts.into())),
        _ => Ok(Value::Array([].into())),
    }
}

/// The elements of an array converted, its dimensions kept.
pub fn map(array: &[Value], convert: &mut dyn FnMut(&Value) -> Result<Value>) -> Result<Value> {
    let converted: Result<Vec<Value>> = array
        .iter()
        .map(|value| match value {
            Value::Array(inner) => map(inner, convert),
            other => convert(other),
        })
        .collect();
    Ok(Value::Array(converted?.into()))
}

/// What stands between braces, before it is known to be of the element's type.
enum ArrayItem {
    Null,
    Element(String),
    Nested(Vec<ArrayItem>),
}

struct ArrayReader<'t> {
    input: &'t str,
    rest: &'t str,
    depth: usize,
}

/// Reads `{1,2}`, `{{1,2},{3,4}}`.
pub fn parse(element: &Type, input: &str) -> Result<Value> {
    let body = input.trim_start();
    // PostgreSQL leaves out the blanks before a brace in its messages.
    let input = if body.starts_with('{') { body } else { input };
    let mut reader = ArrayReader { input, rest: body, depth: 0 };
    if reader.rest.starts_with('[') {
        return refuse("an array whose bounds are given");
    }
    let items = reader.items()?;
    if !reader.rest.trim().is_empty() {
        return Err(reader.malformed("Junk after closing right brace."));
    }
    match shape(&items) {
        None => Err(reader.malformed("Multidimensional arrays must have sub-arrays with matching dimensions.")),
        Some(shape) if shape.len() > 1 && shape.contains(&0) => Err(reader.malformed("Unexpected \"}\" character.")),
        Some(_) => read(element, items),
    }
}

fn read(element: &Type, items: Vec<ArrayItem>) -> Result<Value> {
    let values: Result<Vec<Value>> = items
        .into_iter()
        .map(|item| match item {
            ArrayItem::Null => Ok(Value::Null),
            ArrayItem::Element(word) => types::parse(element, &word),
            ArrayItem::Nested(items) => read(element, items),
        })
        .collect();
    Ok(Value::Array(values?.into()))
}

/// The length in each dimension; none where sub-arrays differ.
fn shape(items: &[ArrayItem]) -> Option<Vec<usize>> {
    let inner = |item: &ArrayItem| match item {
        ArrayItem::Nested(items) => shape(items),
        _ => Some(Vec::new()),
    };
    let mut shapes = items.iter().map(inner);
    let first = shapes.next().unwrap_or_else(|| Some(Vec::new()))?;
    shapes.all(|it| it.as_ref() == Some(&first)).then(|| [vec![items.len()], first].concat())
}

impl ArrayReader<'_> {
    fn malformed(&self, detail: &str) -> Stop {
        let mut error = SqlError::new("22P02", format!("malformed array literal: \"{}\"", self.input));
        error.detail = Some(detail.to_owned());
        error.into()
    }

    fn takes(&mut self, wanted: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn items(&mut self) -> Result<Vec<ArrayItem>> {
        if !self.takes('{') {
            return Err(self.malformed("Array value must start with \"{\" or dimension information."));
        }
        self.depth += 1;
        if self.depth > DIMENSIONS_MOST {
            return Err(too_many_dimensions(self.depth));
        }
        let mut items = Vec::new();
        if !self.takes('}') {
            loop {
                items.push(self.item()?);
                if self.takes('}') {
                    break;
                }
                if !self.takes(',') {
                    return Err(self.malformed("Unexpected array element."));
                }
            }
        }
        self.depth -= 1;
        Ok(items)
    }

    fn item(&mut self) -> Result<ArrayItem> {
        self.rest = self.rest.trim_start();
        match self.rest.chars().next() {
            Some('{') => self.items().map(ArrayItem::Nested),
            Some('"') => self.quoted().map(ArrayItem::Element),
            _ => self.plain(),
        }
    }

    fn quoted(&mut self) -> Result<String> {
        let mut word = String::new();
        let mut chars = self.rest[1..].chars();
        loop {
            match chars.next() {
                Some('"') => break,
                Some('\\') => match chars.next() {
                    Some(c) => word.push(c),
                    None => return Err(self.malformed("Unexpected end of input.")),
                },
                Some(c) => word.push(c),
                None => return Err(self.malformed("Unexpected end of input.")),
            }
        }
        self.rest = chars.as_str();
        Ok(word)
    }

    /// Up to the next comma or brace; blanks at its end do not count, but where they are escaped.
    fn plain(&mut self) -> Result<ArrayItem> {
        let (mut word, mut kept, mut escaped) = (String::new(), 0, false);
        let mut chars = self.rest.chars();
        loop {
            let before = chars.as_str();
            match chars.next() {
                Some(',' | '}') => {
                    self.rest = before;
                    break;
                }
                Some('{' | '"') => return Err(self.malformed("Unexpected array element.")),
                Some('\\') => match chars.next() {
                    Some(c) => {
                        word.push(c);
                        (kept, escaped) = (word.len(), true);
                    }
                    None => return Err(self.malformed("Unexpected end of input.")),
                },
                Some(c) => {
                    word.push(c);
                    if !c.is_ascii_whitespace() {
                        kept = word.len();
                    }
                }
                None => return Err(self.malformed("Unexpected end of input.")),
            }
        }
        word.truncate(kept);
        match word {
            word if word.is_empty() => Err(self.malformed("Unexpected \"}\" or \",\" character.")),
            word if !escaped && word.eq_ignore_ascii_case("null") => Ok(ArrayItem::Null),
            word => Ok(ArrayItem::Element(word)),
        }
    }
}

fn length(array: &Value, dimension: &Value) -> Option<usize> {
    let (Value::Array(array), Value::Int(dimension)) = (array, dimension) else { return None };
    dimensions(array).get(usize::try_from(dimension - 1).ok()?).copied()
}

fn number(count: Option<usize>) -> Value {
    count.map_or(Value::Null, |count| Value::Int(count as i64))
}

/// `array_length`, and `array_upper`: the first element of a dimension is its number 1.
pub fn array_length(a: &[Value]) -> Result<Value> {
    Ok(number(length(&a[0], &a[1])))
}

pub fn array_lower(a: &[Value]) -> Result<Value> {
    Ok(number(length(&a[0], &a[1]).map(|_| 1)))
}

pub fn array_ndims(a: &[Value]) -> Result<Value> {
    let Value::Array(array) = &a[0] else { return Ok(Value::Null) };
    Ok(number(Some(dimensions(array).len()).filter(|count| *count > 0)))
}

pub fn array_dims(a: &[Value]) -> Result<Value> {
    match &a[0] {
        Value::Array(array) if !array.is_empty() => {
            Ok(text(&dimensions(array).iter().map(|length| format!("[1:{length}]")).collect::<String>()))
        }
        _ => Ok(Value::Null),
    }
}

pub fn cardinality(a: &[Value]) -> Result<Value> {
    let Value::Array(array) = &a[0] else { return Ok(Value::Null) };
    Ok(number(Some(elements(array).len())))
}

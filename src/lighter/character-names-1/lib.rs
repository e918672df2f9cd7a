//! The parser of Python asks for the names of characters at an older version than the interpreter does.

pub use names::character;

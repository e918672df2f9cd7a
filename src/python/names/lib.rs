//! `unicode_names2` 1 as far as Python's parser uses it, answered by version 3.

/// The character that `\N{name}` means.
pub fn character(name: &str) -> Option<char> {
    newer::character(name)
}

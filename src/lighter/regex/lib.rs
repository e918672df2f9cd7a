//! Stands in for `regex`, which only GlueSQL's LIKE uses: the same interface from the same authors in a fifth of the bytes.

pub use regex_lite::*;

//! Odd but valid structs compile without a warning, whatever is denied.

// Public, so that the compiler asks for docs as it does in a library.
pub mod keywords;
pub mod named_like_columns;
pub mod places;
mod shadowed;

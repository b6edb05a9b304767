//! Values as bytes that compare as the values do.
//!
//! A type says itself what it compares by ([`Comparable`]), or else serde is asked (`shape.rs`), as
//! far as that can be right (`probe.rs`). Each kind of value starts with a byte of its own and ends
//! where it says itself, so that encodings follow one another in a compound index.
//!
//! | bytes | value |
//! |---|---|
//! | `00` | one that has no sort key |
//! | `01` | `None`, `()` |
//! | `02`, value | `Some` |
//! | `08`, `09` | `false`, `true` |
//! | `30` ± length, big-endian | integers, as short as they can be; which variant of an enum |
//! | `48`, 8 bytes | floats, the sign bit flipped, all bits of a negative one |
//! | `50`, text, `00 01` | text, a NUL inside as `00 FF` |
//! | `51`, bytes, `00 01` | bytes |
//! | `52`, 16 bytes | UUIDs and ids |
//! | `60`, values, `00` | sequences |
//! | `61`, values, `00` | sets and maps, sorted |
//!
//! The fields of a struct, a tuple or a variant follow one another.

mod bytes;
mod coding;
mod foreign;
mod probe;
mod shape;
mod sort_key;
mod std_types;
#[cfg(test)]
mod tests;

pub(crate) use bytes::{
    NONE, SOME, TEXT, UNENCODABLE, encode_bytes, float_of, integer_of, leading_integer, number_len,
    text_of, text_prefix, uuid_of,
};
pub(crate) use coding::check;
pub use coding::{ByKey, ByNothing, ByOrder, ByShape, Coding};
pub use probe::Compared;
pub(crate) use shape::encode_shape;
pub use sort_key::{Comparable, Encode, SortKey};
pub(crate) use sort_key::{
    NoOrder, encode, encode_key_bytes, encode_key_part, encode_stored, split_keys,
};

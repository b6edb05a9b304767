//! Any serializable value as bytes that sort as the values do.
//!
//! What is compared is what serde writes: a number, a text, a date as its ISO text, a unit variant
//! as its stored name. Each kind of value starts with a byte of its own and ends where it says
//! itself, so that encodings follow one another in a compound index.
//!
//! | bytes | value |
//! |---|---|
//! | `00` | one that does not serialize |
//! | `01` | `None` |
//! | `02`, value | `Some` |
//! | `08`, `09` | `false`, `true` |
//! | `30` ± length, big-endian | integers, as short as they can be |
//! | `48`, 8 bytes | floats, the sign bit flipped, all bits of a negative one |
//! | `50`, text, `00 01` | text, a NUL inside as `00 FF` |
//! | `51`, bytes, `00 01` | bytes |
//! | `60`, values, `00` | sequences |
//! | `61`, pairs, `00` | maps and structs |

mod bytes;
mod encoder;
#[cfg(test)]
mod tests;

pub(crate) use bytes::{
    NONE, SOME, TEXT, encode, encode_bytes, encode_stored, integer_of, text_of, text_prefix,
};

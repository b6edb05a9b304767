//! Reading rows of any age: a missing field reads as its default.

mod convert;
mod decode;
mod explain;
mod fill;
mod index;
mod pick;
mod stable;
mod track;
mod variants;
mod written;

pub use convert::step_to;
pub(crate) use convert::{convert_group, convert_row, object_of};
pub(crate) use decode::{decode, decode_text};
pub(crate) use explain::{Invalid, snippet};
pub(crate) use fill::{Defaults, fill_defaults};
pub(crate) use index::{index_basis, index_values, references_of};
pub(crate) use pick::{MAX_PICKED, pick};
pub(crate) use track::decode_present;
pub(crate) use written::Form;

//! A typed value as JSON and back: keys and ids, encoding, and writing as a difference.

mod above;
mod carry;
mod encode;
mod finite;
mod id;
mod index_values;
mod is_option;
mod key;
mod object;
pub(crate) mod order;
mod parts;
mod patch;
mod record;
mod stored;
mod successor;

pub use above::{Above, DefaultError};
pub use carry::{
    Begin, Carry, CarryOver, Way, WayToBegin, WayToCarryOver, WayToWiden, Widen, no_default,
};
pub use id::Id;
pub use index_values::IndexValues;
pub use is_option::{Is, IsTwice, NoOption};
pub use key::{Key, KeyBytes};
pub use order::{
    ByKey, ByNothing, ByOrder, ByShape, Coding, Comparable, Compared, Encode, SortKey,
};
pub use parts::{Absent, Apart, FieldJson, NOWHERE, Part, Parts, computed_default, take};
pub use record::{FieldType, Group, Record, Row, has_schema};
pub(crate) use successor::Back;
pub use successor::{ConvertError, Step, Successor};

pub(crate) use above::default_alone;
pub(crate) use encode::{
    EncodeError, encode_record, encode_record_sized, encode_value, encodes_as, is_none,
};
pub(crate) use index_values::{VALUE_LIMIT_BYTES, cut};
pub(crate) use object::Object;
pub(crate) use patch::{overwrite, patch};
pub(crate) use stored::{Content, EntryRef, ItemId};

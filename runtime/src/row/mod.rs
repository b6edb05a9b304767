//! A typed value as JSON and back: keys and ids, encoding, and writing as a difference.

mod above;
mod align;
mod borrowed;
mod canonical;
mod carry;
mod cells;
mod composite;
mod encode;
mod equality;
mod finite;
mod given;
mod id;
mod index_values;
mod is_option;
mod json;
mod key;
mod key_form;
mod object;
mod open;
pub(crate) mod order;
mod parts;
mod patch;
mod record;
mod reference;
mod shape;
mod stamp;
mod stored;
mod successor;

pub use above::{Above, DefaultError};
pub use borrowed::BorrowedFrom;
pub use carry::{
    Begin, Carry, CarryOver, Way, WayToBegin, WayToCarryOver, WayToWiden, Widen, no_default,
};
pub use encode::Encoded;
pub use equality::{Compare, WithEquality, WithoutEquality};
pub use given::{GivenKey, GivenRecord, GivenRow};
pub use id::Id;
pub(crate) use id::prefixed_bits;
pub use index_values::{IndexValues, Items};
pub use is_option::{Is, IsTwice, NoOption};
pub use key::{Key, KeyBytes, KeyField, kind_of};
pub use open::{Open, UnknownVariant};
pub use order::{
    ByKey, ByNothing, ByOrder, ByShape, Coding, Comparable, Compared, Encode, SortKey,
};
pub use parts::{Absent, Apart, FieldJson, NOWHERE, Part, Parts, computed_default, take};
pub use record::{Group, HasSchema, Record, Row, has_schema};
pub use reference::{NoReference, Ref, Reference, RefersTo, refer, written_as_reference};
pub use shape::{Shape, ShapeOnce};
pub use stamp::Stamp;
pub(crate) use stamp::millis_of;
pub(crate) use successor::Back;
pub use successor::{ConvertError, Step, Successor};

pub(crate) use canonical::canonical;
pub use cells::FieldMerge;
pub(crate) use cells::{
    CellWrite, cell_key, count_path, difference, element_paths, is_added_element, is_below,
    is_changed, is_count, is_told, may_have_cells, met, overlay, split_cell_key, value_at,
    without_counts,
};
pub(crate) use encode::{
    EncodeError, USUAL_BYTES, encode, encode_any, encode_record, encode_sized, encode_value,
    is_none,
};
pub(crate) use index_values::{VALUE_LIMIT_BYTES, cut};
pub(crate) use json::scan_members;
#[cfg(feature = "csv")]
pub(crate) use json::{Json, Kind};
pub(crate) use key_form::{KeyForm, are_alike, renamed, uuid_of};
pub(crate) use object::Object;
pub(crate) use patch::{Patch, overwrite, without};
pub(crate) use record::key_names;
pub(crate) use shape::{Known, whole_schema};
pub(crate) use stored::{Content, EntryRef, ItemId};

//! Items that generated code may name, and nothing else may: no part of it is covered by semver.

pub use crate::disk::{StorageHook, StorageOp};
pub use crate::engine::{CheckReport, IdSource, Subscription};
pub use crate::error::{Error, Result};
pub use crate::evolve::step_to;
pub use crate::query::UniqueColumn;
pub use crate::query::column::{Column, column};
pub use crate::query::path::{EncodeItem, Fold, IsOption, Member, compute};
pub use crate::recorder::check_history;
pub use crate::row::{
    Above, Absent, Apart, Begin, ByKey, ByNothing, ByOrder, ByShape, Carry, CarryOver, Coding,
    Comparable, Compare, Compared, ConvertError, DefaultError, Encode, Encoded, FieldJson,
    FieldMerge, GivenKey, GivenRecord, GivenRow, Group, HasSchema, IndexValues, Is, IsTwice, Items,
    Key, KeyBytes, KeyField, NOWHERE, NoOption, NoReference, Part, Parts, Record, Reference,
    RefersTo, Row, Shape, ShapeOnce, SortKey, Stamp, Step, Successor, Way, WayToBegin,
    WayToCarryOver, WayToWiden, Widen, WithEquality, WithoutEquality, computed_default, has_schema,
    kind_of, no_default, refer, take, written_as_reference,
};
pub use crate::schema::describe::{Described, RecordDef};
pub use crate::schema::descriptor::{
    CheckDef, ComputedDef, DefaultKind, FieldDef, GroupDef, GroupIdx, IndexBasis, IndexDef,
    IndexVisitor, KeyKind, OnRemove, ReferenceDef, StampDef, StampKind, StoreDef, TableDef,
    TableIdx, ValueTraits,
};
pub use crate::schema::guard::{
    Conversion, Link, Message, Recorded, RecordedField, RecordedKey, RecordedStruct, Structs,
    Succession, check_store, check_struct, check_unfounded_group, check_unfounded_table, moved,
    place, removed_names, stored_name,
};
pub use crate::schema::step::{
    Converted, ConvertedGroup, Failure, MigrateFn, RecordStep, SourceDef, StoreStep,
};
pub use crate::schema::{Schema, Version};
pub use crate::store::{
    Attach, Builder, DanglingRef, Entry, EntryMaker, GroupLink, GroupOf, Handle, Imported, Kv,
    LostEdit, NoLink, OnExisting, Preview, Pruned, Quarantined, RefersWithin, Snapshot, Status,
    Store, StorePart, Table, TableLink, TableOf, Transaction, WatchValue, run_migrate,
};
pub use crate::sync::{Applied, Changes, Summary};
pub use serde;
pub use std::convert::{AsRef, From};
pub use std::io::{BufRead, Write};
pub use std::marker::Send;
pub use std::ops::{FnMut, FnOnce};
pub use std::path::Path;
pub use std::primitive::{u64, usize};
pub use std::vec::Vec;

/// The bounds of a record, apart from the derive. It stands for them in the stubs for a generic
/// struct.
pub trait AlmostRecord:
    serde::Serialize + serde::de::DeserializeOwned + HasSchema + Send + 'static
{
}

impl<R> AlmostRecord for R where
    R: serde::Serialize + serde::de::DeserializeOwned + HasSchema + Send + 'static
{
}

const fn record_def<R: Record>() -> RecordDef {
    RecordDef {
        json_schema: R::schema_in,
        default_of: |index| crate::evolve::Defaults::of::<R>().alone(index),
        removed: R::REMOVED,
    }
}

const fn step_of<R: Record>() -> Option<RecordStep> {
    match &R::STEP {
        Some(step) => Some(step.def()),
        None => None,
    }
}

const fn has_defaults(fields: &[FieldDef]) -> bool {
    let mut i = 0;
    while i < fields.len() {
        if fields[i].default.is_evolve() {
            return true;
        }
        i += 1;
    }
    false
}

fn read_key<K: Key>(text: &str) -> Option<Vec<u8>> {
    K::from_text(text).ok().map(|key| key.to_bytes().as_slice().to_vec())
}

fn key_text<K: Key>(bytes: &[u8]) -> Option<String> {
    crate::row::KeyForm::of_key::<K>().text_of(bytes)
}

/// The descriptor of a table, of which it is not said yet what its references lead to.
///
/// # Panics
///
/// At compile time, if one field is a key of several parts.
#[track_caller]
pub const fn table_def<R: Row>() -> TableDef {
    assert!(
        R::Key::KINDS.len() == R::KEY_FIELDS.len(),
        "the key of a table is one field that is a tuple; make each part a field, and name them with \
         `#[table(key(first, second))]`"
    );
    TableDef {
        name: R::TABLE,
        key: R::Key::KINDS,
        key_fields: R::KEY_FIELDS,
        fields: R::FIELDS,
        merges_fields: R::MERGES_FIELDS,
        indexes: R::INDEXES,
        references: R::REFERENCES,
        targets: &[],
        references_of: crate::evolve::references_of::<R>,
        // Of a table that has none, the code for them is not even built.
        clear_reference: match R::REFERENCES {
            [] => |stored, _, _| Ok(stored.to_owned()),
            _ => |stored, number, now| {
                crate::store::write_back::<R>(stored, now, &mut |row| row.clear_reference(number))
            },
        },
        stamps: R::STAMPS,
        checks: R::CHECKS,
        computed: R::COMPUTED,
        record: record_def::<R>(),
        read_key: read_key::<R::Key>,
        key_text: key_text::<R::Key>,
        fill: match has_defaults(R::FIELDS) {
            true => crate::evolve::fill_defaults::<R>,
            false => |_| Ok(None),
        },
        index_values: crate::evolve::index_values::<R>,
        index_basis: crate::evolve::index_basis::<R>,
        step: step_of::<R>(),
        convert: crate::evolve::convert_row::<R>,
        type_id: std::any::TypeId::of::<R>,
    }
}

/// The descriptor of a kv group.
pub const fn group_def<G: Group>() -> GroupDef {
    GroupDef {
        name: G::GROUP,
        fields: G::FIELDS,
        checks: G::CHECKS,
        keep_rules: crate::store::refuse_broken_group::<G>,
        record: record_def::<G>(),
        step: step_of::<G>(),
        convert: crate::evolve::convert_group::<G>,
        type_id: std::any::TypeId::of::<G>,
    }
}

/// A value as it is stored, for entries that serialize through functions of their own.
///
/// # Errors
///
/// If the value does not serialize, or holds a number that JSON cannot.
pub fn encode<T: serde::Serialize + ?Sized>(value: &T) -> Result<Encoded, DefaultError> {
    crate::row::encode_any(value).map_err(DefaultError::new)
}

/// The JSON text of a value, for defaults that read a field which serializes through functions.
///
/// # Errors
///
/// If the value does not serialize, or holds a number that JSON cannot.
pub fn to_json<T: serde::Serialize + ?Sized>(
    value: &T,
) -> std::result::Result<String, DefaultError> {
    crate::row::encode_value(value).map_err(DefaultError::new)
}

/// The value of a JSON text, for entries that deserialize through functions of their own.
///
/// # Errors
///
/// If the text is not a value of the type.
pub fn from_json<T: serde::de::DeserializeOwned>(
    json: &str,
) -> std::result::Result<T, DefaultError> {
    serde_json::from_str(json).map_err(DefaultError::new)
}

/// The row of a stored JSON text, as `Table::get` reads it; for tests of what survives a change of
/// the schema.
///
/// # Errors
///
/// [`InvalidRow`](crate::ErrorKind::InvalidRow) if it does not decode.
pub fn decode_row<R: Record>(stored: &str) -> Result<R, Error> {
    crate::evolve::decode_text(stored).map_err(|invalid| invalid.into_error())
}

/// The JSON text of a row, as `Table::insert` stores it; for the same tests.
///
/// # Errors
///
/// If the row does not serialize, or holds a number that JSON cannot.
pub fn encode_row<R: Record>(row: &R) -> std::result::Result<String, DefaultError> {
    crate::row::encode_record(row).map_err(DefaultError::new)
}

/// The JSON text that `Table::update` stores in place of one; for the same tests.
///
/// # Errors
///
/// If the stored row does not decode, or the changed one cannot be stored.
pub fn write_back<R: Row>(stored: &str, change: impl FnOnce(&mut R)) -> Result<String, Error> {
    let mut change = Some(change);
    crate::store::write_back(stored, 0, &mut |row| {
        if let Some(change) = change.take() {
            change(row);
        }
    })
}

/// A stored JSON object with the changes from `before` to `after` applied, as rows are written;
/// for the same tests, if a row has a JSON Schema and no type.
pub fn patch_json(
    schema: &serde_json::Value,
    stored: &str,
    before: &str,
    after: &str,
) -> Option<String> {
    let shape = Shape::compile(schema);
    let known = shape.whole();
    let patched = crate::row::Patch::new(&known, &[]).apply(stored, before, after);
    patched.map(|patched| patched.text)
}

//! The step from one epoch to the next, as generated code describes it.

use std::any::Any;
use std::collections::BTreeMap;

use super::descriptor::{FieldDef, StoreDef};
use crate::error::Result;

/// The source of a field when the record before is converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceDef {
    /// It is new and begins as its default.
    New,
    /// The previous field of this stored name, moved or widened.
    Moved(&'static str),
    /// Computed from the previous fields of these stored names.
    Computed(&'static [&'static str]),
}

/// How a row or a kv group follows from the one of the epoch before.
#[derive(Debug, Clone, Copy)]
pub struct RecordStep {
    /// The stored name of the table or group that it was.
    pub name: &'static str,
    /// The fields that it had.
    pub fields: &'static [FieldDef],
    /// The source of each field, in declaration order; `None` if the user's own `From` or `TryFrom`
    /// converts.
    pub sources: Option<&'static [SourceDef]>,
}

/// A converted row, ready to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The bytes of its key.
    pub key: Vec<u8>,
    /// The text of its key.
    pub key_text: String,
    /// Its JSON.
    pub json: String,
}

/// Why a stored row or entry could not be converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The stored name of the field at fault, or a path into it.
    pub field: Option<String>,
    /// The value or type that was expected there.
    pub expected: Option<String>,
    /// The value or type that was found instead.
    pub found: Option<String>,
    /// The mistake, in words.
    pub reason: String,
}

/// The entries of a kv group, by stored name, with their JSON.
pub(crate) type Entries = BTreeMap<String, String>;

/// A converted kv group: its entries, and those of the old ones that could not be converted.
#[derive(Debug, Default)]
pub struct ConvertedGroup {
    /// The entries that are set now.
    pub entries: Entries,
    /// The stored names of those that were left out, and why.
    pub failures: Vec<(String, Failure)>,
}

/// Runs a store's `migrate` function on what its tables were and have become, which the epoch
/// layer knows the type of.
pub type MigrateFn = fn(&mut dyn Any) -> Result<()>;

/// How a store follows from the one of the epoch before.
#[derive(Debug, Clone, Copy)]
pub struct StoreStep {
    /// The store that it was.
    pub previous: StoreDef,
    /// The stored names of tables and kv groups that end here.
    pub drops: &'static [&'static str],
    /// The function that converts across tables.
    pub migrate: Option<MigrateFn>,
}

//! The descriptor of a store, built in constants by generated code.

mod field;

use std::any::TypeId;
use std::ops::Index;

pub use self::field::{DefaultKind, FieldDef, KeyKind};
use super::describe::RecordDef;
use super::guard::Message;
use super::step::{Converted, ConvertedGroup, Entries, Failure, RecordStep, StoreStep};
use crate::error::Result;

/// One index of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexDef {
    /// The stored names of what it orders rows by, first things first: fields, paths to fields of
    /// structs in them, and computed columns.
    pub fields: &'static [&'static str],
    /// The stored names of the fields of the row that these are in, or that they are computed from; a field
    /// is in itself.
    pub roots: &'static [&'static str],
    /// Whether two rows with equal values are a conflict.
    pub unique: bool,
    /// Whether it has each item of its only field, a collection, on its own.
    pub each: bool,
}

impl IndexDef {
    /// Returns the columns that it orders rows by: each name, and whether it is that of a path.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&'static str, bool)> + use<> {
        let (fields, roots) = (self.fields, self.roots);
        fields.iter().zip(roots).map(|(field, root)| (*field, field != root))
    }

    /// The same, for people to read.
    pub(crate) fn words(&self) -> String {
        let each = if self.each { "each " } else { "" };
        format!("{each}{}", self.fields.join(", "))
    }
}

/// The action on a row when the one that it refers to is removed on this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRemove {
    /// The removal is refused.
    Restrict,
    /// The reference becomes `None`.
    SetNull,
    /// The row is removed as well.
    Cascade,
}

/// A field that refers to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferenceDef {
    /// The stored name of the field.
    pub field: &'static str,
    /// The stored name of the table that it refers to.
    pub table: &'static str,
    /// Whether it may refer to nothing.
    pub is_optional: bool,
    /// Whether what it refers to must exist.
    pub is_checked: bool,
    /// The action when that is removed.
    pub on_remove: OnRemove,
    /// The index that has the field first.
    pub index: Option<usize>,
}

/// When heirloom fills in the time of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampKind {
    /// When the row is inserted.
    Created,
    /// When it is inserted, and with each change.
    Updated,
}

impl StampKind {
    /// The word for it in a schema.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
        }
    }
}

/// A field that heirloom fills with a time.
#[derive(Debug, Clone, Copy)]
pub struct StampDef {
    /// The stored name of the field.
    pub field: &'static str,
    /// When it is filled.
    pub kind: StampKind,
    /// The JSON text of the time so many milliseconds after 1970.
    pub write: fn(i64) -> Option<String>,
    /// The milliseconds of a JSON text.
    pub read: fn(&str) -> Option<i64>,
}

/// A rule of the values of a row or a kv group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckDef {
    /// As written.
    pub code: &'static str,
    /// The stored names of the fields that it reads.
    pub reads: &'static [&'static str],
}

/// A column that is computed from fields of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComputedDef {
    /// Its name, which is not that of a field.
    pub name: &'static str,
    /// The type as written.
    pub rust_type: &'static str,
    /// The expression as written.
    pub code: &'static str,
    /// The stored names of the fields that it reads.
    pub reads: &'static [&'static str],
}

/// Receives the number of a reference, and the bytes of the key that it refers to.
pub(crate) type ReferenceVisitor<'v> = dyn FnMut(usize, &[u8]) + 'v;

/// Hashes of what the entries of a table's indexes depend on, the same in every process of the same
/// code: an index that was built on something else is out of date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexBasis {
    /// Of all that decides how a stored row reads, and so whether it does.
    pub row: u64,
    /// Of each index, in declaration order: what decides how the fields that it covers read.
    pub indexes: Vec<u64>,
}

/// The facts of a row's values that an index needs beside their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueTraits {
    /// One was too long to be held whole.
    pub is_cut: bool,
    /// One is `None`.
    pub is_null: bool,
}

/// Receives the number of an index, and the bytes of a row's values for it.
pub type IndexVisitor<'v> = dyn FnMut(usize, &[u8], ValueTraits) + 'v;

/// One table.
#[derive(Debug, Clone, Copy)]
pub struct TableDef {
    /// The stored name.
    pub name: &'static str,
    /// The kinds of its key, one for each of the fields that are the key.
    pub key: &'static [KeyKind],
    /// Which of `fields` are the key.
    pub key_fields: &'static [usize],
    /// The fields of its row, in declaration order.
    pub fields: &'static [FieldDef],
    /// Whether edits of different fields both survive: `merge = "fields"`.
    pub merges_fields: bool,
    /// Its indexes, in declaration order.
    pub indexes: &'static [IndexDef],
    /// Its references, in declaration order.
    pub references: &'static [ReferenceDef],
    /// The tables that these refer to.
    pub targets: &'static [TableIdx],
    /// Visits the references of a stored row; false if the row does not decode.
    pub references_of: fn(&[u8], &mut ReferenceVisitor<'_>) -> bool,
    /// The JSON text of a row after a reference was made to refer to nothing, at a time in milliseconds.
    pub clear_reference: fn(&str, usize, i64) -> Result<String>,
    /// Its fields that heirloom fills with times.
    pub stamps: &'static [StampDef],
    /// The rules of its values.
    pub checks: &'static [CheckDef],
    /// Its columns that are computed.
    pub computed: &'static [ComputedDef],
    /// The description of its row.
    pub record: RecordDef,
    /// The byte form of a key's text; `None` if it does not parse as the table's key type.
    pub read_key: fn(&str) -> Option<Vec<u8>>,
    /// The text of a key's bytes.
    pub key_text: fn(&[u8]) -> Option<String>,
    /// The JSON object of a row with its missing defaults written out; `None` if it lacks none or
    /// does not decode.
    pub fill: fn(&str) -> Result<Option<String>, Failure>,
    /// Visits the values of a stored row, JSON text and key bytes, for each index; false if the
    /// row does not decode.
    pub index_values: fn(&[u8], &[u8], &mut IndexVisitor<'_>) -> bool,
    /// The facts that the entries of its indexes depend on.
    pub index_basis: fn() -> IndexBasis,
    /// How its row follows from that of the epoch before.
    pub step: Option<RecordStep>,
    /// The row that was stored so many conversions ago, as of now.
    pub convert: fn(u32, &str) -> Result<Converted, Failure>,
    /// The type of its row.
    pub type_id: fn() -> TypeId,
}

impl TableDef {
    /// Returns the stored names of the fields that are the key.
    pub(crate) fn key_names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let (fields, places) = (self.fields, self.key_fields);
        places.iter().filter_map(|&place| fields.get(place)).map(|field| field.name)
    }

    /// The same table, whose references lead to these.
    pub const fn referring_to(mut self, targets: &'static [TableIdx]) -> Self {
        self.targets = targets;
        self
    }
}

/// The entries of a kv group after a transaction.
#[expect(missing_debug_implementations, reason = "it is two closures")]
pub struct GroupTexts<'t> {
    /// The JSON text under a stored name.
    pub text: &'t dyn Fn(&str) -> Result<Option<String>>,
    /// Whether the transaction has written it.
    pub is_written: &'t dyn Fn(&str) -> bool,
}

/// One kv group.
#[derive(Debug, Clone, Copy)]
pub struct GroupDef {
    /// The stored name.
    pub name: &'static str,
    /// Its entries, in declaration order.
    pub fields: &'static [FieldDef],
    /// The rules of its values.
    pub checks: &'static [CheckDef],
    /// Refuses the entries of a transaction that break a rule.
    pub keep_rules: fn(&GroupTexts<'_>) -> Result<()>,
    /// The description of its entries.
    pub record: RecordDef,
    /// How it follows from the group of the epoch before.
    pub step: Option<RecordStep>,
    /// The entries that were stored so many conversions ago, as of now.
    pub convert: fn(u32, &Entries) -> ConvertedGroup,
    /// The type of the group.
    pub type_id: fn() -> TypeId,
}

/// A whole store.
#[derive(Debug, Clone, Copy)]
pub struct StoreDef {
    /// The store's name.
    pub name: &'static str,
    /// The epoch of its schema.
    pub epoch: u32,
    /// Its tables, in declaration order.
    pub tables: &'static [TableDef],
    /// Its kv groups, in declaration order.
    pub groups: &'static [GroupDef],
    /// How it follows from the store of the epoch before.
    pub step: Option<&'static StoreStep>,
}

impl StoreDef {
    /// A store of these tables and groups.
    ///
    /// # Panics
    ///
    /// At compile time, if two tables or two groups have one name.
    pub const fn new(
        name: &'static str,
        epoch: u32,
        tables: &'static [TableDef],
        groups: &'static [GroupDef],
    ) -> Self {
        let mut i = 0;
        while i < tables.len() {
            let mut j = i + 1;
            while j < tables.len() {
                if same(tables[i].name, tables[j].name) {
                    let mut message = Message::new();
                    message
                        .add(&["two tables of this store have the stored name `", tables[i].name]);
                    message.add(&[
                        "`; give one of them another with `#[table(name = \"…\")]` on its row",
                    ]);
                    panic!("{}", message.as_str());
                }
                j += 1;
            }
            i += 1;
        }
        let mut i = 0;
        while i < groups.len() {
            let mut j = i + 1;
            while j < groups.len() {
                if same(groups[i].name, groups[j].name) {
                    let mut message = Message::new();
                    message.add(&[
                        "two kv groups of this store have the stored name `",
                        groups[i].name,
                    ]);
                    message.add(&[
                        "`; give one of them another with `#[kv(name = \"…\")]` on its struct",
                    ]);
                    panic!("{}", message.as_str());
                }
                j += 1;
            }
            i += 1;
        }
        Self { name, epoch, tables, groups, step: None }
    }
}

/// The index of a table in a store, in declaration order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableIdx(pub usize);

/// The index of a kv group in a store, in declaration order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupIdx(pub usize);

impl Index<TableIdx> for [TableDef] {
    type Output = TableDef;

    fn index(&self, index: TableIdx) -> &TableDef {
        &self[index.0]
    }
}

impl Index<GroupIdx> for [GroupDef] {
    type Output = GroupDef;

    fn index(&self, index: GroupIdx) -> &GroupDef {
        &self[index.0]
    }
}

impl StoreDef {
    /// Returns the index of the table of a stored name.
    pub(crate) fn table_idx(&self, name: &str) -> Option<TableIdx> {
        self.tables.iter().position(|table| table.name == name).map(TableIdx)
    }

    /// Returns the index of the group of a stored name.
    pub(crate) fn group_idx(&self, name: &str) -> Option<GroupIdx> {
        self.groups.iter().position(|group| group.name == name).map(GroupIdx)
    }

    /// Returns the indexes of all tables.
    pub(crate) fn table_idxs(&self) -> impl Iterator<Item = TableIdx> + use<> {
        (0..self.tables.len()).map(TableIdx)
    }

    /// Returns all tables with their indexes.
    pub(crate) fn tables_by_idx(
        &self,
    ) -> impl Iterator<Item = (TableIdx, &'static TableDef)> + use<> {
        self.tables.iter().enumerate().map(|(index, table)| (TableIdx(index), table))
    }

    /// Returns all groups with their indexes.
    pub(crate) fn groups_by_idx(
        &self,
    ) -> impl Iterator<Item = (GroupIdx, &'static GroupDef)> + use<> {
        self.groups.iter().enumerate().map(|(index, group)| (GroupIdx(index), group))
    }
}

impl StoreDef {
    /// The store as it was at an epoch of its chain.
    pub(crate) fn at_epoch(&self, epoch: u32) -> Option<Self> {
        let mut def = *self;
        loop {
            if def.epoch == epoch {
                return Some(def);
            }
            def = def.step?.previous;
        }
    }

    /// The same store, as what follows from the one of the epoch before.
    pub const fn following(mut self, step: &'static StoreStep) -> Self {
        self.step = Some(step);
        self
    }
}

/// `a == b`, which is not const for strings.
pub(super) const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

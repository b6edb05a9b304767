//! The entry points: one for each table and kv group, one for what is gone from the store.

use super::super::descriptor::{FieldDef, GroupDef, KeyKind, TableDef, same};
use super::compare::{Compare, compare};
use super::conversion::is_stub;
use super::message::{Message, Report};
use super::recorded::{Recorded, RecordedStruct};

/// The tables or the kv groups of a store.
#[derive(Debug, Clone, Copy)]
pub enum Structs {
    /// Its tables.
    Tables(&'static [TableDef]),
    /// Its kv groups.
    Groups(&'static [GroupDef]),
}

/// Returns the mistakes of struct `index` of these.
pub const fn check_struct(structs: Structs, index: usize, recorded: &Recorded) -> Option<Message> {
    let name = structs.name(index);
    let Some(old) = find(structs.recorded(recorded), name) else { return None };
    // Two structs of one name, and one whose derive failed, are mistakes of their own.
    if structs.has_twice(name) || structs.is_stub(index) {
        return None;
    }
    let compared = Compare {
        attribute: structs.attribute(),
        version: recorded.version,
        next_epoch: recorded.next_epoch,
        old,
        new: structs.fields(index),
        removed: structs.removed(index),
        key: structs.key(index),
    };
    let mut count = Report::counting();
    compare(&mut count, &compared);
    let Some(mut report) = count.writing(&[structs.noun(), " `", name, "`"], recorded.version)
    else {
        return None;
    };
    compare(&mut report, &compared);
    Some(report.message())
}

/// Which recorded tables and kv groups are gone from a store.
pub const fn check_store(
    store: &str,
    tables: &'static [TableDef],
    groups: &'static [GroupDef],
    recorded: &Recorded,
) -> Option<Message> {
    let (tables, groups) = (Structs::Tables(tables), Structs::Groups(groups));
    // A struct that failed to derive, or has another's name, may be any of them.
    if tables.is_unsure() || groups.is_unsure() {
        return None;
    }
    let mut count = Report::counting();
    find_gone(&mut count, tables, recorded);
    find_gone(&mut count, groups, recorded);
    let Some(mut report) = count.writing(&["store `", store, "`"], recorded.version) else {
        return None;
    };
    find_gone(&mut report, tables, recorded);
    find_gone(&mut report, groups, recorded);
    Some(report.message())
}

const fn find_gone(report: &mut Report, structs: Structs, recorded: &Recorded) {
    let olds = structs.recorded(recorded);
    let mut i = 0;
    while i < olds.len() {
        if !structs.has(olds[i].name) {
            report.start();
            report.push(&[structs.noun(), " `", olds[i].name, "` of ", recorded.version]);
            report.push(&[" is gone, and older code still reads and writes it; "]);
            if let Some(renamed) = renamed(structs, &olds[i], olds) {
                report.push(&[
                    "perhaps it was renamed to `",
                    renamed,
                    "`: then keep its name with ",
                ]);
                report.push(&[
                    "`#[",
                    structs.attribute(),
                    "(name = \"",
                    olds[i].name,
                    "\")]`; else ",
                ]);
            }
            report.push(&["put it back"]);
            report.or_start_epoch(recorded.next_epoch);
        }
        i += 1;
    }
}

/// The name of a struct that is not recorded and has all the fields that are recorded of `old`.
const fn renamed(
    structs: Structs,
    old: &RecordedStruct,
    olds: &[RecordedStruct],
) -> Option<&'static str> {
    let mut i = 0;
    while i < structs.len() {
        let name = structs.name(i);
        if find(olds, name).is_none() && has_fields_of(structs.fields(i), old) {
            return Some(name);
        }
        i += 1;
    }
    None
}

const fn has_fields_of(new: &[FieldDef], old: &RecordedStruct) -> bool {
    let mut i = 0;
    while i < old.fields.len() {
        let field = &old.fields[i];
        // An `Id<Row>` is spelled after the struct, which is renamed along with the table.
        let is_key = old.is_key(field.name);
        let mut found = false;
        let mut j = 0;
        while j < new.len() {
            let is_it = same(new[j].name, field.name);
            found = found || (is_it && (is_key || same(new[j].rust_type, field.ty)));
            j += 1;
        }
        if !found {
            return false;
        }
        i += 1;
    }
    true
}

const fn find<'r>(structs: &'r [RecordedStruct], name: &str) -> Option<&'r RecordedStruct> {
    let mut i = 0;
    while i < structs.len() {
        if same(structs[i].name, name) {
            return Some(&structs[i]);
        }
        i += 1;
    }
    None
}

/// Which fields are the key, and the kind of each.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyDef {
    pub(super) fields: &'static [usize],
    pub(super) kinds: &'static [KeyKind],
}

impl Structs {
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Tables(tables) => tables.len(),
            Self::Groups(groups) => groups.len(),
        }
    }

    pub(super) const fn name(self, index: usize) -> &'static str {
        match self {
            Self::Tables(tables) => tables[index].name,
            Self::Groups(groups) => groups[index].name,
        }
    }

    pub(super) const fn fields(self, index: usize) -> &'static [FieldDef] {
        match self {
            Self::Tables(tables) => tables[index].fields,
            Self::Groups(groups) => groups[index].fields,
        }
    }

    const fn removed(self, index: usize) -> &'static [&'static str] {
        match self {
            Self::Tables(tables) => tables[index].record.removed,
            Self::Groups(groups) => groups[index].record.removed,
        }
    }

    /// The key of a table; without fields for a kv group.
    pub(super) const fn key(self, index: usize) -> KeyDef {
        match self {
            Self::Tables(tables) => {
                KeyDef { fields: tables[index].key_fields, kinds: tables[index].key }
            }
            Self::Groups(_) => KeyDef { fields: &[], kinds: &[] },
        }
    }

    /// Whether one follows from another of the epoch before.
    pub(super) const fn has_step(self, index: usize) -> bool {
        match self {
            Self::Tables(tables) => tables[index].step.is_some(),
            Self::Groups(groups) => groups[index].step.is_some(),
        }
    }

    /// Which one has this stored name.
    pub(super) const fn find(self, name: &str) -> Option<usize> {
        let mut i = 0;
        while i < self.len() {
            if same(self.name(i), name) {
                return Some(i);
            }
            i += 1;
        }
        None
    }

    const fn recorded(self, recorded: &Recorded) -> &'static [RecordedStruct] {
        match self {
            Self::Tables(_) => recorded.tables,
            Self::Groups(_) => recorded.groups,
        }
    }

    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Tables(_) => "table",
            Self::Groups(_) => "kv group",
        }
    }

    pub(super) const fn attribute(self) -> &'static str {
        match self {
            Self::Tables(_) => "table",
            Self::Groups(_) => "kv",
        }
    }

    const fn count(self, name: &str) -> usize {
        let (mut i, mut count) = (0, 0);
        while i < self.len() {
            if same(self.name(i), name) {
                count += 1;
            }
            i += 1;
        }
        count
    }

    const fn has(self, name: &str) -> bool {
        self.count(name) > 0
    }

    pub(super) const fn has_twice(self, name: &str) -> bool {
        self.count(name) > 1
    }

    /// Whether the derive of a struct failed, which is the mistake to report.
    pub(super) const fn is_stub(self, index: usize) -> bool {
        is_stub(self.fields(index))
    }

    /// Whether there is a mistake that another error is about.
    const fn is_unsure(self) -> bool {
        let mut i = 0;
        while i < self.len() {
            if self.is_stub(i) || self.has_twice(self.name(i)) {
                return true;
            }
            i += 1;
        }
        false
    }
}

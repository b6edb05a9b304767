//! Mistakes of the conversion of a record, found against the record of the epoch before.

use super::super::descriptor::{DefaultKind, FieldDef, same};
use super::super::step::SourceDef;
use super::message::Message;
use crate::row::NOWHERE;

/// The facts of a conversion that a derive knows.
#[derive(Debug, Clone, Copy)]
pub struct Conversion {
    /// `table` or `kv`, whose attribute takes `removes`.
    pub attribute: &'static str,
    /// The previous struct, as written.
    pub previous: &'static str,
    /// Its fields.
    pub fields: &'static [FieldDef],
    /// The previous fields that are named as sources.
    pub named: &'static [&'static str],
    /// The fields without a source of their own, which are taken from those of the same name.
    pub same: &'static [FieldDef],
    /// The previous fields that are given up.
    pub removed: &'static [&'static str],
}

impl Conversion {
    /// Returns the mistake of a previous field that is named as a source.
    pub const fn check_named(&self, name: &str) -> Option<Message> {
        if self.is_stub() || self.place(name) != NOWHERE {
            return None;
        }
        let mut message = Message::new();
        message.add(&["the previous `", self.previous, "` has no field `", name, "`; it has "]);
        self.list(&mut message, false);
        Some(message)
    }

    /// Returns the mistake of field `index` of those that are taken from one of the same name.
    pub const fn check_same(&self, index: usize) -> Option<Message> {
        let field = &self.same[index];
        if self.is_stub() || !self.lacks(field) {
            return None;
        }
        let mut message = Message::new();
        message.add(&["the previous `", self.previous, "` has no field `", field.rust_name]);
        message.add(&["`, so this one has no value after the migration; "]);
        if let Some(perhaps) = self.perhaps(field) {
            message.add(&["if it was called `", perhaps, "`, write `#[evolve(renamed_from = \""]);
            message.add(&[perhaps, "\")]`; else "]);
        } else {
            message.add(&["name the field that it was with `#[evolve(renamed_from = \"…\")]`, "]);
        }
        message.add(&["compute it with `#[evolve(with = |…| …)]`, or give it a default with "]);
        message.add(&["`#[evolve(default = …)]`"]);
        Some(message)
    }

    /// Which previous fields are forgotten.
    pub const fn check_whole(&self) -> Option<Message> {
        if self.is_stub() || self.is_unsure() {
            return None;
        }
        let (mut forgotten, mut first) = (0, 0);
        let mut i = self.fields.len();
        while i > 0 {
            i -= 1;
            if !self.takes(i) {
                forgotten += 1;
                first = i;
            }
        }
        if forgotten == 0 {
            return None;
        }
        let name = self.fields[first].rust_name;
        let mut message = Message::new();
        message.add(&[if forgotten == 1 { "the field " } else { "the fields " }]);
        self.list(&mut message, true);
        message.add(&[" of the previous `", self.previous, "` "]);
        message
            .add(&[if forgotten == 1 { "is" } else { "are" }, " neither used nor removed; use "]);
        message.add(&[if forgotten == 1 { "it" } else { "them" }, " with "]);
        message.add(&["`#[evolve(renamed_from = \"", name, "\")]` or `#[evolve(with = |", name]);
        message.add(&["| …)]` on a field, or write `#[", self.attribute, "(removes("]);
        self.forgotten_names(&mut message);
        message.add(&["))]`"]);
        Some(message)
    }

    const fn is_stub(&self) -> bool {
        is_stub(self.fields)
    }

    /// Whether a name is wrong, which may be that of a field that looks forgotten.
    const fn is_unsure(&self) -> bool {
        let mut i = 0;
        while i < self.named.len() {
            if self.place(self.named[i]) == NOWHERE {
                return true;
            }
            i += 1;
        }
        let mut i = 0;
        while i < self.same.len() {
            if self.lacks(&self.same[i]) {
                return true;
            }
            i += 1;
        }
        false
    }

    const fn place(&self, name: &str) -> usize {
        place(self.fields, name)
    }

    /// Whether nothing says what a field begins as.
    const fn lacks(&self, field: &FieldDef) -> bool {
        matches!(field.default, DefaultKind::Required)
            && place_of_same(self.fields, field.rust_name) == NOWHERE
    }

    /// Whether the previous field at a place is taken over or given up.
    const fn takes(&self, at: usize) -> bool {
        if has(self.fields, self.named, at) || has(self.fields, self.removed, at) {
            return true;
        }
        let mut i = 0;
        while i < self.same.len() {
            if place_of_same(self.fields, self.same[i].rust_name) == at {
                return true;
            }
            i += 1;
        }
        false
    }

    /// The first previous field of the same type that is not taken.
    const fn perhaps(&self, field: &FieldDef) -> Option<&'static str> {
        let mut i = 0;
        while i < self.fields.len() {
            if !self.takes(i) && same(self.fields[i].rust_type, field.rust_type) {
                return Some(self.fields[i].rust_name);
            }
            i += 1;
        }
        None
    }

    /// The previous fields, or only those that are forgotten, as an enumeration.
    const fn list(&self, message: &mut Message, forgotten: bool) {
        let mut left = 0;
        let mut i = 0;
        while i < self.fields.len() {
            left += (!forgotten || !self.takes(i)) as usize;
            i += 1;
        }
        let mut first = true;
        let mut i = 0;
        while i < self.fields.len() {
            if !forgotten || !self.takes(i) {
                let separator = match (first, left) {
                    (true, _) => "",
                    (false, 1) => " and ",
                    (false, _) => ", ",
                };
                message.add(&[separator, "`", self.fields[i].rust_name, "`"]);
                first = false;
                left -= 1;
            }
            i += 1;
        }
    }

    const fn forgotten_names(&self, message: &mut Message) {
        let mut first = true;
        let mut i = 0;
        while i < self.fields.len() {
            if !self.takes(i) {
                message.add(&[if first { "" } else { ", " }, self.fields[i].rust_name]);
                first = false;
            }
            i += 1;
        }
    }
}

/// The place of the field that is named so, in Rust or else in what is stored.
pub const fn place(fields: &[FieldDef], name: &str) -> usize {
    let in_rust = place_of_same(fields, name);
    if in_rust != NOWHERE {
        return in_rust;
    }
    let mut i = 0;
    while i < fields.len() {
        if same(fields[i].name, name) {
            return i;
        }
        i += 1;
    }
    NOWHERE
}

/// The place of the field that is named so in Rust.
const fn place_of_same(fields: &[FieldDef], rust_name: &str) -> usize {
    let mut i = 0;
    while i < fields.len() {
        if same(fields[i].rust_name, rust_name) {
            return i;
        }
        i += 1;
    }
    NOWHERE
}

/// The stored name of the field at a place.
pub const fn stored_name(fields: &[FieldDef], place: usize) -> &'static str {
    if place < fields.len() { fields[place].name } else { "" }
}

/// Returns the source of a field that is taken from the one at a position, if there is one.
pub const fn moved(fields: &[FieldDef], place: usize) -> SourceDef {
    if place == NOWHERE { SourceDef::New } else { SourceDef::Moved(stored_name(fields, place)) }
}

/// The stored names of what is given up, and how many they are: a name that a new field has is not
/// reserved.
pub const fn removed_names<const N: usize>(
    previous: &[FieldDef],
    removed: &[&'static str; N],
    new: &[FieldDef],
) -> ([&'static str; N], usize) {
    let (mut names, mut len) = ([""; N], 0);
    let mut i = 0;
    while i < N {
        let at = place(previous, removed[i]);
        let name = if at == NOWHERE { removed[i] } else { previous[at].name };
        if !answers(new, name) {
            names[len] = name;
            len += 1;
        }
        i += 1;
    }
    (names, len)
}

/// Whether the derive of a struct failed, which is the mistake to report.
pub(super) const fn is_stub(fields: &[FieldDef]) -> bool {
    !fields.is_empty() && fields[0].rust_type.is_empty()
}

const fn answers(fields: &[FieldDef], name: &str) -> bool {
    let mut i = 0;
    while i < fields.len() {
        if same(fields[i].name, name) || contains(fields[i].aliases, name) {
            return true;
        }
        i += 1;
    }
    false
}

const fn has(fields: &[FieldDef], names: &[&str], at: usize) -> bool {
    let mut i = 0;
    while i < names.len() {
        if place(fields, names[i]) == at {
            return true;
        }
        i += 1;
    }
    false
}

pub(super) const fn contains(names: &[&str], name: &str) -> bool {
    let mut i = 0;
    while i < names.len() {
        if same(names[i], name) {
            return true;
        }
        i += 1;
    }
    false
}

//! One table or kv group against what is recorded of it.

use super::super::descriptor::{DefaultKind, FieldDef, same};
use super::check::KeyDef;
use super::conversion::contains;
use super::message::Report;
use super::recorded::{RecordedField, RecordedStruct};

/// The two states of a struct that are compared.
#[derive(Debug)]
pub(super) struct Compare<'c> {
    /// `table` or `kv`, whose attribute takes `removes`.
    pub(super) attribute: &'c str,
    pub(super) version: &'c str,
    pub(super) next_epoch: &'c str,
    pub(super) old: &'c RecordedStruct,
    pub(super) new: &'c [FieldDef],
    pub(super) removed: &'c [&'c str],
    /// Which new fields are the key.
    pub(super) key: KeyDef,
}

/// Reports every mistake, each once.
pub(super) const fn compare(report: &mut Report, compared: &Compare<'_>) {
    let key_changed = compared.key_changed();
    if key_changed {
        key(report, compared);
    }
    let mut i = 0;
    while i < compared.old.fields.len() {
        let old = &compared.old.fields[i];
        match compared.now(old.name) {
            _ if key_changed && compared.is_key(old.name) => {}
            Some(new) => changed(report, compared, old, new),
            None => gone(report, compared, old),
        }
        i += 1;
    }
    let mut i = 0;
    while i < compared.new.len() {
        let new = &compared.new[i];
        if compared.old.field(new.name).is_none() && !(key_changed && compared.is_key(new.name)) {
            added(report, compared, new);
        }
        let mut j = 0;
        while j < new.aliases.len() {
            if compared.old.is_reserved(new.aliases[j]) {
                reserved(report, new.aliases[j], "read as");
            }
            j += 1;
        }
        i += 1;
    }
}

const fn key(report: &mut Report, compared: &Compare<'_>) {
    let (was, now) = (compared.old.key, compared.key);
    report.start();
    report.push(&["the key was `"]);
    let mut i = 0;
    while i < was.len() {
        report.push(&[if i > 0 { ", " } else { "" }, was[i].field, ": ", compared.was_type(i)]);
        i += 1;
    }
    report.push(&["` in ", compared.version, " and is now `"]);
    let mut i = 0;
    while i < now.fields.len() {
        let field = &compared.new[now.fields[i]];
        report.push(&[if i > 0 { ", " } else { "" }, field.name, ": ", field.rust_type]);
        i += 1;
    }
    report.push(&["`, and rows are stored under their keys; "]);
    if was.len() == now.fields.len()
        && let Some(part) = compared.changed_part()
    {
        let (was, was_type) = (&was[part], compared.was_type(part));
        let (field, kind) = (&compared.new[now.fields[part]], now.kinds[part].name());
        if compared.now(was.field).is_none() && same(was_type, field.rust_type) {
            report.push(&["if it was renamed, keep its stored name with `#[serde(rename = \""]);
            report.push(&[was.field, "\")]`; else "]);
        } else if same(was.field, field.name) && same(was.kind, kind) {
            report.push(&["if both mean one type, say so with `#[evolve(same_as = \"", was_type]);
            report.push(&["\")]`; else "]);
        }
    }
    report.push(&["make it what it was"]);
    report.or_start_epoch(compared.next_epoch);
}

const fn gone(report: &mut Report, compared: &Compare<'_>, old: &RecordedField) {
    let is_given_up = contains(compared.removed, old.name);
    if is_given_up && old.fills() {
        return;
    }
    report.start();
    report.push(&["field `", old.name, ": ", old.ty, "` of ", compared.version]);
    if is_given_up {
        report
            .push(&[" cannot be listed in `removes`: older code reads no row without it, since "]);
        report.push(&["there it is not an `Option` and has no default; put it back"]);
        report.or_start_epoch(compared.next_epoch);
        return;
    }
    report.push(&[" is gone, and older code still reads and writes it; "]);
    if let Some(renamed) = compared.renamed(old) {
        report.push(&[
            "perhaps it was renamed to `",
            renamed.name,
            "`: then keep its stored name ",
        ]);
        report.push(&["with `#[serde(rename = \"", old.name, "\")]`; else "]);
    }
    report.push(&["put it back"]);
    if old.fills() {
        report.push(&[", or give it up with `#[", compared.attribute, "(removes("]);
        report.push(&[if is_word(old.name) { "" } else { "\"" }, old.name]);
        report.push(&[if is_word(old.name) { "" } else { "\"" }, "))]`"]);
    } else {
        report.or_start_epoch(compared.next_epoch);
    }
}

const fn changed(report: &mut Report, compared: &Compare<'_>, old: &RecordedField, new: &FieldDef) {
    if !same(old.ty, new.rust_type) && !compared.is_renamed_id(old, new) {
        match new.same_as {
            Some(spelling) if same(spelling, old.ty) => {}
            Some(spelling) => {
                report.start();
                report.push(&["field `", old.name, "` is `", old.ty, "` in ", compared.version]);
                report.push(&[", and `same_as` says `", spelling, "`: if `", new.rust_type]);
                report.push(&["` is the same type, write `same_as = \"", old.ty, "\"`"]);
                return;
            }
            None => return retyped(report, compared, old, new),
        }
    }
    if old.fills() && matches!(new.default, DefaultKind::Required) {
        report.start();
        report.push(&["field `", old.name, "` had a default in ", compared.version]);
        report.push(&[" and has none now, and there may be rows without it: "]);
        report.push(&["give it one again with `#[evolve(default = …)]`"]);
    }
}

const fn retyped(report: &mut Report, compared: &Compare<'_>, old: &RecordedField, new: &FieldDef) {
    report.start();
    report.push(&["field `", old.name, "` was `", old.ty, "` in ", compared.version]);
    let now = new.rust_type;
    if is_option_of(old.ty, now) {
        report.push(&[
            " and is now required, `",
            now,
            "`, and older rows lack it or hold a `null`",
        ]);
        report.push(&[", which no default replaces: write `", old.ty, "` again"]);
    } else if is_option_of(now, old.ty) {
        report.push(&[" and is now `", now, "`, and older code reads no row with a `null` in "]);
        report.push(&["its place: write `", old.ty, "` again, or add an `Option` of another name"]);
    } else {
        report.push(&[" and is now `", now, "`, and older rows and older code have the other "]);
        report.push(&["type: write `", old.ty, "` again, or add a field of another name, or, if "]);
        report.push(&["both mean one type, say so with `#[evolve(same_as = \"", old.ty, "\")]`"]);
    }
    report.or_start_epoch(compared.next_epoch);
}

const fn added(report: &mut Report, compared: &Compare<'_>, new: &FieldDef) {
    if compared.old.is_reserved(new.name) {
        return reserved(report, new.name, "called");
    }
    if let Some(spelling) = new.same_as {
        report.start();
        report.push(&["field `", new.name, "` is not in ", compared.version]);
        report.push(&[", so there is nothing for `same_as = \"", spelling, "\"` to name: "]);
        report.push(&["remove it"]);
        return;
    }
    // A field that takes the place of one that is gone was reported with that.
    if matches!(new.default, DefaultKind::Required) && !compared.takes_a_place(new) {
        report.start();
        report.push(&["field `", new.name, ": ", new.rust_type, "` is new, and rows written "]);
        report.push(&["before, and by older code, lack it: make it an `Option`, or give it a "]);
        report.push(&["default with `#[evolve(default = …)]`"]);
    }
}

const fn reserved(report: &mut Report, name: &str, called: &str) {
    report.start();
    report.push(&[
        "`",
        name,
        "` was the name of a field that was removed, and rows still hold its ",
    ]);
    report.push(&["values: no field can be ", called, " `", name, "` again; use another name"]);
}

impl<'c> Compare<'c> {
    /// Whether rows are stored under other fields, or under keys of another type.
    const fn key_changed(&self) -> bool {
        self.old.key.len() != self.key.fields.len() || self.changed_part().is_some()
    }

    /// The first part of the key that is another field, or of another type.
    const fn changed_part(&self) -> Option<usize> {
        let mut part = 0;
        while part < self.old.key.len() && part < self.key.fields.len() {
            let was = &self.old.key[part];
            let (now, kind) = (&self.new[self.key.fields[part]], self.key.kinds[part].name());
            // Of ids only the spelling changes, when the struct is renamed.
            let is_retyped = match (self.old.field(was.field), now.same_as) {
                (Some(field), None) => !same(field.ty, now.rust_type) && !same(kind, "id"),
                _ => false,
            };
            if !same(was.field, now.name) || !same(was.kind, kind) || is_retyped {
                return Some(part);
            }
            part += 1;
        }
        None
    }

    /// The recorded type of a part of the key.
    const fn was_type(&self, part: usize) -> &'static str {
        let was = &self.old.key[part];
        match self.old.field(was.field) {
            Some(field) => field.ty,
            None => was.kind,
        }
    }

    /// Whether it is the row's own id, which is spelled after the struct: its stored form depends
    /// on the name of the table, and that is the same.
    const fn is_renamed_id(&self, old: &RecordedField, new: &FieldDef) -> bool {
        let mut part = 0;
        while part < self.key.fields.len() {
            if same(self.new[self.key.fields[part]].name, new.name) {
                return same(self.key.kinds[part].name(), "id")
                    && is_id(old.ty)
                    && is_id(new.rust_type);
            }
            part += 1;
        }
        false
    }

    /// Whether this is the stored name of a field of the old key or of the new one.
    const fn is_key(&self, name: &str) -> bool {
        let mut part = 0;
        while part < self.key.fields.len() {
            if same(self.new[self.key.fields[part]].name, name) {
                return true;
            }
            part += 1;
        }
        self.old.is_key(name)
    }

    const fn now(&self, name: &str) -> Option<&'c FieldDef> {
        let mut i = 0;
        while i < self.new.len() {
            if same(self.new[i].name, name) {
                return Some(&self.new[i]);
            }
            i += 1;
        }
        None
    }

    /// The new field that a field may have been renamed to: the first of its type goes with the
    /// first that is gone, and so on.
    const fn renamed(&self, old: &RecordedField) -> Option<&'c FieldDef> {
        let mut before = 0;
        let mut i = 0;
        while i < self.old.fields.len() && !same(self.old.fields[i].name, old.name) {
            if self.is_gone(&self.old.fields[i]) && same(self.old.fields[i].ty, old.ty) {
                before += 1;
            }
            i += 1;
        }
        let mut i = 0;
        while i < self.new.len() {
            if self.is_new(&self.new[i]) && same(self.new[i].rust_type, old.ty) {
                if before == 0 {
                    return Some(&self.new[i]);
                }
                before -= 1;
            }
            i += 1;
        }
        None
    }

    /// Whether it may be what a field that is gone was renamed to.
    const fn takes_a_place(&self, new: &FieldDef) -> bool {
        let mut i = 0;
        while i < self.old.fields.len() {
            let old = &self.old.fields[i];
            if self.is_gone(old)
                && let Some(renamed) = self.renamed(old)
                && same(renamed.name, new.name)
            {
                return true;
            }
            i += 1;
        }
        false
    }

    const fn is_gone(&self, old: &RecordedField) -> bool {
        self.now(old.name).is_none()
            && !contains(self.removed, old.name)
            && !(self.key_changed() && self.is_key(old.name))
    }

    const fn is_new(&self, new: &FieldDef) -> bool {
        self.old.field(new.name).is_none()
            && !self.old.is_reserved(new.name)
            && !(self.key_changed() && self.is_key(new.name))
    }
}

/// Whether `option` is written as an `Option` of `inner`.
const fn is_option_of(option: &str, inner: &str) -> bool {
    const OPEN: &[u8] = b"Option<";
    let (option, inner) = (option.as_bytes(), inner.as_bytes());
    // A path may stand before it, as in `std::option::Option<…>`.
    if option.len() < OPEN.len() + inner.len() + 1 {
        return false;
    }
    let start = option.len() - inner.len() - 1 - OPEN.len();
    let (_, rest) = option.split_at(start);
    let (open, rest) = rest.split_at(OPEN.len());
    let (within, close) = rest.split_at(inner.len());
    equal(open, OPEN) && equal(within, inner) && equal(close, b">")
}

/// Whether a type is written as `Id<…>`, whatever stands before it.
const fn is_id(ty: &str) -> bool {
    let bytes = ty.as_bytes();
    let mut i = 0;
    while i < bytes.len() && bytes[i] != b'<' {
        i += 1;
    }
    i >= 2
        && i < bytes.len()
        && bytes[i - 1] == b'd'
        && bytes[i - 2] == b'I'
        && (i == 2 || bytes[i - 3] == b':')
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    a.len() == b.len()
}

/// Whether the name is written in `removes` as it is.
pub(super) const fn is_word(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        if !(bytes[i].is_ascii_alphanumeric() || bytes[i] == b'_') {
            return false;
        }
        i += 1;
    }
    !bytes.is_empty() && !bytes[0].is_ascii_digit()
}

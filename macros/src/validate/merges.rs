//! A field merges as its table and its type allow.

use crate::diag::Diag;
use crate::kind::Kind;
use crate::model::{Default, Field, Record};
use crate::parse::{FieldMerge, generic_argument, is_primitive, option_inner};

/// `merge` of a table says `fields`, which is all there is beside the default.
pub(super) fn tables_merge_by_field_or_whole(record: &Record, diag: &mut Diag) {
    if let Some(merge) = &record.merge
        && merge.value() != "fields"
    {
        diag.error(
            merge,
            format_args!(
                "`merge` has no \"{}\"; write `merge = \"fields\"` so that edits of different fields both \
                 survive, or remove it so that a row merges as one value",
                merge.value()
            ),
        );
    }
}

/// `#[merge(…)]` goes on a field of a table that merges by field, and not on its key.
pub(super) fn fields_merge_where_the_table_does(record: &Record, diag: &mut Diag) {
    for (at, field) in record.fields.iter().enumerate() {
        let Some(merge) = &field.parsed.merge else { continue };
        if record.kind != Kind::Table {
            continue;
        }
        if record.merge.is_none() {
            diag.error(
                &merge.path,
                "rows of this table merge as one value; write `#[table(merge = \"fields\")]` above the \
                 struct, or remove `#[merge]`",
            );
        } else if record.key.contains(&at) {
            diag.error(&merge.path, "the key of a row never changes; remove `#[merge]`");
        }
    }
}

/// A sum is of numbers that may go up and down, a union of sets, and members are those of a struct.
pub(super) fn fields_merge_as_their_type_can(record: &Record, diag: &mut Diag) {
    let fields = record.fields.iter().enumerate();
    for (_, field) in fields.filter(|(at, _)| record.merge.is_some() && !record.key.contains(at)) {
        let Some(merge) = &field.parsed.merge else { continue };
        let (name, ty) = (&field.parsed.name, &field.ty_text);
        let message = match merge.how {
            FieldMerge::Sum if !is_i64(field) => format!(
                "`sum` adds up what devices have added and taken away, which needs an `i64`, and `{name}` is \
                 a `{ty}`; make it an `i64`, or remove `#[merge(sum)]`"
            ),
            FieldMerge::Sum if !starts_from_zero(field) => format!(
                "devices count from 0, and the default of `{name}` is something else; write \
                 `#[evolve(default)]`, or remove `#[merge(sum)]`"
            ),
            FieldMerge::Union if !is_set(field) => format!(
                "`union` keeps what any device has put into a set, and `{name}` is a `{ty}`; make it a \
                 `BTreeSet<_>` or a `HashSet<_>`, or remove `#[merge(union)]`"
            ),
            FieldMerge::Fields if is_one_value(field) => format!(
                "`fields` merges the members of a struct by themselves, and `{name}` is a `{ty}`, which is one \
                 value; remove `#[merge(fields)]`"
            ),
            _ => continue,
        };
        diag.error(&merge.path, message);
    }
}

/// The signs between the parts of a cell's key are not in a name.
pub(super) fn names_have_no_reserved_signs(record: &Record, diag: &mut Diag) {
    for field in record.fields.iter().filter(|_| record.merge.is_some()) {
        if field.stored.contains(['\u{1}', '\u{2}', '\u{3}', '\u{4}']) {
            diag.error(
                field.name_origin(),
                "the signs U+0001 to U+0004 are reserved in names of fields that merge by themselves; choose \
                 another name",
            );
        }
    }
}

fn is_i64(field: &Field) -> bool {
    is_primitive(&field.ty) && field.ty_text == "i64"
}

fn starts_from_zero(field: &Field) -> bool {
    match &field.default {
        Default::Required | Default::Type | Default::Broken => true,
        Default::Value { text, .. } => matches!(text.as_str(), "0" | "0i64" | "0_i64"),
        _ => false,
    }
}

fn is_set(field: &Field) -> bool {
    ["BTreeSet", "HashSet"].iter().any(|set| generic_argument(&field.ty, set).is_some())
}

fn is_one_value(field: &Field) -> bool {
    let ty = option_inner(&field.ty).unwrap_or(&field.ty);
    let lists = ["Vec", "VecDeque", "BTreeSet", "HashSet", "Id", "Ref"];
    is_primitive(ty) || lists.iter().any(|list| generic_argument(ty, list).is_some())
}

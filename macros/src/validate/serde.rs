//! serde attributes that would lose data, or that change what is stored behind our back.

use syn::Path;

use crate::diag::Diag;
use crate::kind::Kind;
use crate::model::{Default, Record};
use crate::parse::{Field, Renames};

/// Attributes of serde that a struct may not have, each with the reason.
const CONTAINER: &[(&str, &str)] = &[
    (
        "deny_unknown_fields",
        "what newer code writes may have fields that this code does not know, and must stay \
         readable; remove it",
    ),
    ("tag", "it adds a field that the struct does not have; write the field yourself"),
    ("untagged", "it is for enums; remove it"),
    ("content", "it is for enums; remove it"),
    ("from", CONVERTED),
    ("try_from", CONVERTED),
    ("into", CONVERTED),
    (
        "transparent",
        "the struct is stored as an object with its fields, so that fields can be added; remove it",
    ),
    ("remote", "it leaves the struct itself without `Serialize` and `Deserialize`; remove it"),
    ("variant_identifier", "it is for enums; remove it"),
    ("field_identifier", "it is for enums; remove it"),
];

const CONVERTED: &str = "the stored fields would be those of another type, which the schema would \
                         not show; store this struct's own fields and convert where you use them";

/// Attributes of serde that a field may not have, each with the reason.
const FIELD: &[(&str, &str)] = &[
    (
        "flatten",
        "it would swallow the fields of newer code, which have to survive; make it an ordinary \
         field",
    ),
    ("skip", SKIPPED),
    ("skip_serializing", SKIPPED),
    ("skip_deserializing", SKIPPED),
    ("borrow", "rows own their data; make it an owned type and remove `borrow`"),
    ("getter", "it is for remote types; remove it"),
];

const SKIPPED: &str = "a field of a stored struct is stored: a skipped one would be lost with \
                       the next write; keep it outside of this struct";

/// The struct reads and writes its own fields, and leaves others alone.
pub(super) fn container_keeps_what_it_does_not_know(record: &Record, diag: &mut Diag) {
    refuse(&record.serde.keys, CONTAINER, record.kind.noun(), diag);
}

/// A field can be read as it was written.
pub(super) fn fields_are_stored(record: &Record, diag: &mut Diag) {
    for field in &record.fields {
        refuse(&field.parsed.serde.keys, FIELD, record.kind.noun(), diag);
    }
}

fn refuse(keys: &[Path], refused: &[(&str, &str)], noun: &str, diag: &mut Diag) {
    for key in keys {
        if let Some((name, reason)) = refused.iter().find(|(name, _)| key.is_ident(name)) {
            diag.error(key, format_args!("{noun} cannot have serde's `{name}`: {reason}"));
        }
    }
}

/// A field is read under the name that it is written under.
pub(super) fn names_are_the_same_both_ways(record: &Record, diag: &mut Diag) {
    if let Some(renames) = &record.serde.rename_all
        && renames.serialize.as_ref().map(syn::LitStr::value)
            != renames.deserialize.first().map(syn::LitStr::value)
    {
        diag.error(
            &renames.key,
            "fields are read under the names they are written under, and these two rules differ; \
             write one for both: `rename_all = \"…\"`",
        );
    }
    for field in &record.fields {
        if let Some(renames) = &field.parsed.serde.rename
            && !reads_what_it_writes(&field.parsed, renames, &field.stored)
        {
            diag.error(
                &renames.key,
                format_args!(
                    "`{}` is written under one name and read under another, so what is stored \
                     would be lost; write one for both: `rename = \"…\"`, and `alias = \"…\"` for \
                     others it is read under",
                    field.parsed.name
                ),
            );
        }
    }
}

/// A row that was written without a field can be read.
pub(super) fn left_out_fields_can_be_read(record: &Record, diag: &mut Diag) {
    // Keys and entries of kv groups have rules of their own.
    if record.kind != Kind::Table {
        return;
    }
    for (index, field) in record.fields.iter().enumerate() {
        if record.key.contains(&index) || !matches!(field.default, Default::Required) {
            continue;
        }
        if let Some(skip) = &field.parsed.serde.skip_serializing_if {
            diag.error(
                skip,
                format_args!(
                    "rows that are written without `{}` could not be read, since it has no default; \
                     give it one with `#[evolve(default)]`, or remove `skip_serializing_if`",
                    field.parsed.name
                ),
            );
        }
    }
}

fn reads_what_it_writes(field: &Field, renames: &Renames, stored: &str) -> bool {
    let aliases = &field.serde.aliases;
    if renames.deserialize.iter().chain(aliases).any(|name| name.value() == stored) {
        return true;
    }
    // Without a name of its own, it is read under its ordinary one.
    renames.deserialize.is_empty() && field.name == stored
}

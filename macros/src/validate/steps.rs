//! Rules of a struct that follows from the epoch before, as far as they can be judged without that.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Ident, TypePath};

use crate::diag::Diag;
use crate::kind::Kind;
use crate::model::{Field, FieldSource, Record, Store, Way};

/// There is something to convert.
pub(super) fn conversions_have_a_previous_struct(record: &Record, diag: &mut Diag) {
    if record.step.is_some() || record.is_previous_broken {
        return;
    }
    let attribute = record.kind.attribute();
    for key in &record.conversions {
        let name = key.to_token_stream().to_string();
        diag.error(
            key,
            format_args!(
                "`{name}` converts the struct of the epoch before, and none is named: write \
                 `#[{attribute}(previous = …, {name})]`"
            ),
        );
    }
    for field in &record.fields {
        if let Some(renamed) = &field.parsed.renamed_from {
            let name = renamed.literal.value();
            diag.error(
                &renamed.key,
                format_args!(
                    "`renamed_from` names a field of the struct of the epoch before: name that with \
                     `#[{attribute}(previous = …)]`; within an epoch, a field keeps its stored \
                     name: `#[serde(rename = \"{name}\")]`"
                ),
            );
        }
        if let Some(with) = &field.parsed.with {
            diag.error(
                &with.key,
                format_args!(
                    "`with` computes a field from those of the struct of the epoch before: name \
                     that with `#[{attribute}(previous = …)]`; `default = …` fills in a \
                     field that rows of this epoch lack"
                ),
            );
        }
    }
}

/// A struct does not follow from itself.
pub(super) fn previous_is_another_struct(record: &Record, diag: &mut Diag) {
    if let Some(step) = &record.step {
        refuse_itself(&step.previous, &record.ident, record.kind, diag);
    }
}

/// A store does not follow from itself.
pub(super) fn previous_is_another_store(store: &Store, diag: &mut Diag) {
    if let Some(previous) = &store.previous {
        refuse_itself(previous, &store.ident, Kind::Store, diag);
    }
}

fn refuse_itself(previous: &TypePath, ident: &Ident, kind: Kind, diag: &mut Diag) {
    if previous.path.is_ident(ident) || previous.path.is_ident("Self") {
        diag.error(
            previous,
            format_args!(
                "`{ident}` does not follow from itself; keep the struct as it was in a module, \
                 and name that: `#[{}(previous = v0::{ident})]`",
                kind.attribute()
            ),
        );
    }
}

/// Either the derive converts, or `From`, or `TryFrom`.
pub(super) fn one_thing_converts(record: &Record, diag: &mut Diag) {
    if let [_, second, ..] = &record.conversions[..] {
        diag.error(
            second,
            "a struct is converted by its `From` or by its `TryFrom`; remove `from` or `try_from`",
        );
    }
    let by = match record.step.as_ref().map(|step| &step.way) {
        Some(Way::From(_)) => "From",
        Some(Way::TryFrom(_)) => "TryFrom",
        Some(Way::Fields) | None => return,
    };
    for field in &record.fields {
        let renamed =
            field.parsed.renamed_from.as_ref().map(|renamed| ("renamed_from", &renamed.key));
        let with = field.parsed.with.as_ref().map(|with| ("with", &with.key));
        for (name, key) in [renamed, with].into_iter().flatten() {
            diag.error(
                key,
                format_args!(
                    "`{}` is converted by its `{by}`, which says where each field comes from; \
                     remove this `{name}`",
                    record.ident
                ),
            );
        }
    }
}

/// A field is one previous field, or computed.
pub(super) fn a_field_comes_from_one_place(record: &Record, diag: &mut Diag) {
    for field in &record.fields {
        if let (Some(renamed), Some(with)) = (&field.parsed.renamed_from, &field.parsed.with) {
            diag.error(
                &with.key,
                format_args!(
                    "`{}` is the previous field `{}` already; remove `renamed_from` or `with`",
                    field.parsed.name,
                    renamed.literal.value()
                ),
            );
        }
    }
}

/// A previous field moves to one field at most.
pub(super) fn a_previous_field_moves_to_one_place(record: &Record, diag: &mut Diag) {
    if !converts_field_by_field(record) {
        return;
    }
    for (index, field) in record.fields.iter().enumerate() {
        let FieldSource::Renamed(name) = &field.source else { continue };
        let other = record.fields.iter().enumerate().find(|(other, field)| match &field.source {
            FieldSource::Renamed(another) => *other < index && another.text == name.text,
            FieldSource::Same => field.parsed.name == name.text,
            FieldSource::With { .. } => false,
        });
        if let Some((_, other)) = other {
            let (text, own, other) = (&name.text, &field.parsed.name, &other.parsed.name);
            diag.error(
                &name.origin,
                format_args!(
                    "the previous field `{text}` moves to `{other}` already; compute one of the \
                     two from it, as in `with = |{text}| …`, or name another field for `{own}`"
                ),
            );
        }
    }
}

/// A field that is given up is not the source of another.
pub(super) fn what_is_given_up_goes_nowhere(record: &Record, diag: &mut Diag) {
    if !converts_field_by_field(record) {
        return;
    }
    for removed in &record.removed {
        let taken = record.fields.iter().find(|field| takes(field, &removed.text));
        if let Some(field) = taken {
            diag.error(
                &removed.origin,
                format_args!(
                    "`{}` is used by `{}`; take it out of `removes`, or make that field \
                     from another",
                    removed.text, field.parsed.name
                ),
            );
        }
    }
}

fn takes(field: &Field, previous: &str) -> bool {
    field.sources().contains(&previous)
}

fn converts_field_by_field(record: &Record) -> bool {
    record.step.as_ref().is_some_and(|step| matches!(step.way, Way::Fields))
}

/// There is something to migrate.
pub(super) fn migrations_have_a_previous_store(store: &Store, diag: &mut Diag) {
    if store.previous.is_some() || store.is_previous_broken {
        return;
    }
    let mut refuse = |guilty: TokenStream, name: &str| {
        diag.error(
            guilty,
            format_args!(
                "`{name}` says what becomes of the store of the epoch before, and none is named: \
                 write `#[store(epoch = …, previous = …)]` beside it",
            ),
        );
    };
    if let Some(first) = store.drops.first() {
        refuse(first.origin.clone(), "drops");
    }
    if let Some(migrate) = &store.migrate {
        refuse(migrate.to_token_stream(), "migrate");
    }
}

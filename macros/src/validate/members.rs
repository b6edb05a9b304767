//! Rules of the fields of a store.

use std::collections::HashSet;

use quote::ToTokens;
use syn::Type;

use crate::diag::Diag;
use crate::model::{Member, Store};

/// An epoch is counted in 32 bits.
pub(super) fn epoch_is_a_number(store: &Store, diag: &mut Diag) {
    if let Some(epoch) = &store.epoch
        && epoch.base10_parse::<u32>().is_err()
    {
        diag.error(
            epoch,
            "an epoch is a `u32`, from 0, and one more than that of the store before; write it \
             like `epoch = 1`",
        );
    }
}

/// A store holds something.
pub(super) fn there_is_one(store: &Store, diag: &mut Diag) {
    if store.fields.is_empty() {
        diag.error(
            &store.ident,
            format_args!(
                "`{}` stores nothing; give it a field for each table and kv group, as in \
                 `notes: Table<Note>`",
                store.ident
            ),
        );
    }
}

/// The fields are tables and kv groups.
pub(super) fn all_are_handles(store: &Store, diag: &mut Diag) {
    for field in &store.fields {
        if matches!(field.member, Member::Other) {
            diag.error(
                &field.ty,
                format_args!(
                    "`{}` is neither a table nor a kv group; the fields of a store are \
                     `Table<Row>` and `Kv<Group>`",
                    field.ident
                ),
            );
        }
    }
}

/// A row's type tells which table it goes into, a group's type which group it is.
pub(super) fn types_are_distinct(store: &Store, diag: &mut Diag) {
    distinct(store.tables(), "a table", "row", diag);
    distinct(store.groups(), "a kv group", "group", diag);
}

fn distinct(types: Vec<&Type>, what: &str, noun: &str, diag: &mut Diag) {
    let mut seen = HashSet::new();
    for ty in types {
        let name = crate::text::text(ty.to_token_stream());
        if seen.contains(&name) {
            diag.error(
                ty,
                format_args!(
                    "`{name}` has {what} in this store already; write a {noun} struct of its own \
                     for this one"
                ),
            );
        }
        seen.insert(name);
    }
}

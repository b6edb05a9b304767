//! `#[table(…)]`, `#[kv(…)]` and `#[store(…)]`; for keys, `#[heirloom(…)]`.

use syn::{Attribute, Lit, LitInt, LitStr, Meta, Path};

use super::index::{TableIndex, table_index};
use super::meta::{crate_path, entries, key_name, literal, refuse_value, set, string, unknown};
use super::removes::{Removed, removes};
use crate::diag::Diag;
use crate::kind::Kind;

/// What the attributes of the whole struct say.
#[derive(Debug, Default)]
pub(crate) struct Container {
    pub(crate) name: Option<LitStr>,
    pub(crate) krate: Option<Path>,
    pub(crate) epoch: Option<LitInt>,
    /// Where the schema history stands.
    pub(crate) history: Option<LitStr>,
    /// The stored fields of earlier versions that are given up.
    pub(crate) removes: Option<Vec<Removed>>,
    /// Indexes over several fields.
    pub(crate) indexes: Vec<TableIndex>,
}

/// Reads the attributes of a struct.
pub(crate) fn container(attributes: &[Attribute], kind: Kind, diag: &mut Diag) -> Container {
    let mut container = Container::default();
    for meta in own_entries(attributes, kind.attribute(), diag) {
        read(&mut container, &meta, kind, diag);
    }
    container
}

/// Reads the attributes of a key, which say where heirloom is.
pub(crate) fn key_container(attributes: &[Attribute], diag: &mut Diag) -> Option<Path> {
    let mut krate = None;
    for meta in own_entries(attributes, "heirloom", diag) {
        if meta.path().is_ident("crate") {
            set(&mut krate, meta.path(), crate_path(&meta, diag), diag);
        } else {
            unknown("heirloom", meta.path(), &["crate"], diag);
        }
    }
    krate
}

fn own_entries(attributes: &[Attribute], name: &str, diag: &mut Diag) -> Vec<Meta> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
        .flat_map(|attribute| entries(attribute, diag))
        .collect()
}

fn read(container: &mut Container, meta: &Meta, kind: Kind, diag: &mut Diag) {
    let key = meta.path();
    let name = key_name(key);
    if kind.epoch_keys().contains(&name.as_str()) {
        diag.error(key, not_yet(&name));
        return;
    }
    if !kind.keys().contains(&name.as_str()) {
        unknown(kind.attribute(), key, kind.keys(), diag);
        return;
    }
    match name.as_str() {
        "name" => set(&mut container.name, key, string(meta, diag), diag),
        "crate" => set(&mut container.krate, key, crate_path(meta, diag), diag),
        "epoch" => set(&mut container.epoch, key, integer(meta, diag), diag),
        "removes" => set(&mut container.removes, key, removes(meta, diag), diag),
        "index" | "unique" => container.indexes.extend(table_index(meta, diag)),
        _ => set(&mut container.history, key, string(meta, diag), diag),
    }
}

/// The message on what needs epochs.
pub(super) fn not_yet(key: &str) -> String {
    format!(
        "`{key}` needs epochs, which are not supported yet; remove it, and change the struct only \
         in ways that need no epoch: add fields with a default, or remove fields"
    )
}

fn integer(meta: &Meta, diag: &mut Diag) -> Option<LitInt> {
    if let Meta::NameValue(pair) = meta
        && let Some(Lit::Int(number)) = literal(&pair.value)
    {
        return Some(number.clone());
    }
    let key = key_name(meta.path());
    refuse_value(meta, format_args!("`{key}` takes a whole number: `{key} = 0`"), diag);
    None
}

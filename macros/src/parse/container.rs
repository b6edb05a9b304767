//! `#[table(…)]`, `#[kv(…)]` and `#[store(…)]`; for keys, `#[heirloom(…)]`.

use syn::{Attribute, ExprPath, Lit, LitInt, LitStr, Meta, Path, TypePath};

use super::computed::{Computed, computed};
use super::index::{TableIndex, TableKey, table_index, table_key};
use super::meta::{
    crate_path, entries, key_name, literal, path, refuse_value, set, string, unknown, word,
};
use super::removes::{Removed, names};
use crate::diag::Diag;
use crate::kind::Kind;

/// The attributes of the whole struct.
#[derive(Debug, Default)]
pub(crate) struct Container {
    pub(crate) name: Option<LitStr>,
    pub(crate) krate: Option<Path>,
    pub(crate) epoch: Option<LitInt>,
    /// The path of the history file.
    pub(crate) history: Option<LitStr>,
    /// The fields of earlier versions that are given up.
    pub(crate) removes: Option<Vec<Removed>>,
    /// The struct as it was in the epoch before.
    pub(crate) previous: Option<TypePath>,
    /// Whether that is a mistake that has been reported.
    pub(crate) is_previous_broken: bool,
    /// Whether the user's own `From` converts.
    pub(crate) from: Option<Path>,
    /// Whether the user's own `TryFrom` converts.
    pub(crate) try_from: Option<Path>,
    /// The tables and kv groups that end with the epoch before.
    pub(crate) drops: Option<Vec<Removed>>,
    /// The function that converts across tables.
    pub(crate) migrate: Option<ExprPath>,
    /// The key, if it is several fields.
    pub(crate) key: Option<TableKey>,
    /// Whether that is a mistake that has been reported.
    pub(crate) is_key_broken: bool,
    /// Indexes over several fields.
    pub(crate) indexes: Vec<TableIndex>,
    /// Columns that are computed from fields.
    pub(crate) computed: Vec<Computed>,
    /// How rows merge.
    pub(crate) merge: Option<LitStr>,
}

const REMOVES: (&str, &str) =
    ("the stored names of fields", "write them like `removes(old_name, \"other-name\")`");

const DROPS: (&str, &str) = (
    "the stored names of tables and kv groups",
    "write them like `drops(old_table, \"other-table\")`",
);

const MIGRATE: &str = "a function: `migrate = split_tags`";

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
    if !kind.keys().contains(&name.as_str()) {
        unknown(kind.attribute(), key, kind.keys(), diag);
        return;
    }
    match name.as_str() {
        "name" => set(&mut container.name, key, string(meta, diag), diag),
        "crate" => set(&mut container.krate, key, crate_path(meta, diag), diag),
        "epoch" => set(&mut container.epoch, key, integer(meta, diag), diag),
        "removes" => set(&mut container.removes, key, names(meta, REMOVES, diag), diag),
        "previous" => {
            let previous = previous(meta, kind, diag);
            container.is_previous_broken |= previous.is_none();
            set(&mut container.previous, key, previous, diag);
        }
        "from" => set(&mut container.from, key, word(meta, kind.attribute(), diag), diag),
        "try_from" => set(&mut container.try_from, key, word(meta, kind.attribute(), diag), diag),
        "drops" => set(&mut container.drops, key, names(meta, DROPS, diag), diag),
        "migrate" => set(&mut container.migrate, key, path(meta, MIGRATE, diag), diag),
        "key" => {
            let fields = table_key(meta, diag);
            container.is_key_broken |= fields.is_none();
            set(&mut container.key, key, fields, diag);
        }
        "merge" => set(&mut container.merge, key, string(meta, diag), diag),
        "computed" => container.computed.extend(computed(meta, diag)),
        "index" | "unique" => container.indexes.extend(table_index(meta, diag)),
        _ => set(&mut container.history, key, string(meta, diag), diag),
    }
}

fn previous(meta: &Meta, kind: Kind, diag: &mut Diag) -> Option<TypePath> {
    let example = match kind {
        // Structs inside of rows take no `previous`.
        Kind::Table | Kind::Fields => {
            "the row as it was in the epoch before: `previous = v0::Note`"
        }
        Kind::Kv => "the group as it was in the epoch before: `previous = v0::Settings`",
        Kind::Store => "the store of the epoch before: `previous = v0::App`",
    };
    let ExprPath { qself, path, .. } = path(meta, example, diag)?;
    Some(TypePath { attrs: Vec::new(), qself, path })
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

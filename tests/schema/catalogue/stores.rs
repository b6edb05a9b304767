//! Tables, groups, keys, indexes and epochs, which are not inside of rows.

use heirloom::schema::{Class, Schema};
use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! table {
    ($type:ident, $name:literal, $($fields:tt)*) => {
        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = $name)]
        pub struct $type { $($fields)* }
    };
}

macro_rules! group {
    ($type:ident, $name:literal, $($fields:tt)*) => {
        #[derive(Serialize, Deserialize, JsonSchema, Kv)]
        #[kv(name = $name)]
        pub struct $type { $($fields)* }
    };
}

macro_rules! store {
    ($module:ident, { $($items:tt)* } $($members:tt)*) => {
        mod $module {
            use super::*;
            $($items)*
            #[derive(Store)]
            #[store(name = "catalogue", epoch = 0)]
            #[allow(dead_code, reason = "only its schema is used")]
            pub struct App { $($members)* }
        }
    };
}

store!(base, {
    table!(Note, "notes", #[key] pub id: u32, pub text: String,);
    group!(Settings, "settings", pub name: Option<String>, #[evolve(default = 1)] pub size: u8,);
} notes: Table<Note>, settings: Kv<Settings>,);

#[track_caller]
fn check(new: &Schema, class: Class, rules: &[&str]) {
    let diff = base::App::schema().diff(new);
    let found: Vec<&str> = diff.iter().map(|change| change.rule()).collect();
    assert_eq!((diff.class(), found.as_slice()), (class, rules), "{diff}");
}

/// Row 1: a table that old code does not declare keeps its rows; see the tests of older code.
#[test]
fn more_tables_and_groups() {
    store!(more, {
        table!(Note, "notes", #[key] pub id: u32, pub text: String,);
        table!(Tag, "tags", #[key] pub id: u32,);
        group!(Settings, "settings", pub name: Option<String>, #[evolve(default = 1)] pub size: u8,);
        group!(Window, "window", pub width: Option<u32>,);
    } notes: Table<Note>, tags: Table<Tag>, settings: Kv<Settings>, window: Kv<Window>,);
    check(&more::App::schema(), Class::Additive, &["table-added", "group-added"]);
    let back = more::App::schema().diff(&base::App::schema());
    let found: Vec<&str> = back.iter().map(|change| change.rule()).collect();
    assert_eq!(found, ["table-removed", "group-removed"], "rows 2 and 76");
    assert_eq!(back.class(), Class::Breaking);
}

#[test]
fn a_table_or_group_under_another_name() {
    store!(renamed, {
        table!(Note, "memos", #[key] pub id: u32, pub text: String,);
        group!(Settings, "options", pub name: Option<String>, #[evolve(default = 1)] pub size: u8,);
    } notes: Table<Note>, settings: Kv<Settings>,);
    let rules = [
        "table-removed",
        "table-added",
        "table-renamed",
        "group-removed",
        "group-added",
        "group-renamed",
    ];
    check(&renamed::App::schema(), Class::Breaking, &rules);
}

#[test]
fn entries_of_a_group_are_as_fields() {
    store!(entries, {
        table!(Note, "notes", #[key] pub id: u32, pub text: String,);
        group!(Settings, "settings",
            #[evolve(default = 2)] pub size: u8,
            pub nickname: Option<u64>,
            #[evolve(default)] pub loud: bool,);
    } notes: Table<Note>, settings: Kv<Settings>,);
    let rules =
        ["field-removed", "default-changed", "field-added-with-default", "field-added-optional"];
    check(&entries::App::schema(), Class::Warn, &rules);
}

#[test]
fn another_key() {
    store!(wider, {
        table!(Note, "notes", #[key] pub id: u64, pub text: String,);
        group!(Settings, "settings", pub name: Option<String>, #[evolve(default = 1)] pub size: u8,);
    } notes: Table<Note>, settings: Kv<Settings>,);
    check(&wider::App::schema(), Class::Breaking, &["key-type-changed"]);

    store!(text, {
        table!(Note, "notes", #[key] pub id: String, pub text: String,);
        group!(Settings, "settings", pub name: Option<String>, #[evolve(default = 1)] pub size: u8,);
    } notes: Table<Note>, settings: Kv<Settings>,);
    check(&text::App::schema(), Class::Breaking, &["key-type-changed"]);

    store!(other, {
        table!(Note, "notes", pub id: u32, #[key] pub text: String,);
        group!(Settings, "settings", pub name: Option<String>, #[evolve(default = 1)] pub size: u8,);
    } notes: Table<Note>, settings: Kv<Settings>,);
    check(&other::App::schema(), Class::Breaking, &["key-changed"]);
}

/// Row 81: what has changed is told as without an epoch, and whether one is missing.
#[test]
fn epochs_go_up() {
    store!(retyped, {
        table!(Note, "notes", #[key] pub id: u32, pub text: u64,);
        group!(Settings, "settings", pub name: Option<String>, #[evolve(default = 1)] pub size: u8,);
    } notes: Table<Note>, settings: Kv<Settings>,);
    let old: Schema = base::App::schema().clone();
    let mut raised: Schema = retyped::App::schema().clone();
    assert!(old.diff(&raised).needs_epoch());
    raised.epoch = 1;
    check(&raised, Class::Breaking, &["epoch-raised", "type-changed"]);
    assert!(!old.diff(&raised).needs_epoch());
    let lowered = raised.diff(&old);
    assert_eq!(lowered.class(), Class::Error);
    assert_eq!(lowered.iter().next().map(|change| change.rule()), Some("epoch-lowered"));
}

/// Rows 9 and 10: in whatever type, a name that was used once stays taken.
#[test]
fn a_removed_name_is_not_used_again() {
    let old: Schema = base::App::schema().clone();
    let mut without = old.clone();
    let gone = without.tables.get_mut("notes").and_then(|notes| notes.fields.remove("text"));
    let reserved = serde_json::json!({ "table": "notes", "field": "text" });
    without.reserved.insert(serde_json::from_value(reserved).unwrap());

    let again = without.diff(&old);
    assert_eq!(
        again.iter().map(|change| change.rule()).collect::<Vec<_>>(),
        ["reserved-name-used"]
    );
    assert_eq!(again.class(), Class::Breaking);

    // Nor as another name of a field that is new, or is there already.
    let mut field = gone.unwrap();
    field.aliases = vec!["text".into()];
    let mut aliased = without.clone();
    aliased.tables.get_mut("notes").unwrap().fields.insert("body".into(), field);
    assert_eq!(without.diff(&aliased).iter().next().unwrap().rule(), "reserved-name-used");
}

/// A field that an earlier version removed was not renamed by a later one, however alike the two
/// are.
#[test]
fn a_field_of_a_kind_that_was_removed_once_may_be_added() {
    let with = |name: Option<&str>| {
        let mut schema: Schema = base::App::schema().clone();
        let fields = &mut schema.tables.get_mut("notes").unwrap().fields;
        if let Some(name) = name {
            let field = serde_json::json!({
                "type": "Option<bool>",
                "default": { "kind": "optional" },
                "schema": { "type": ["boolean", "null"] },
            });
            fields.insert(name.to_owned(), serde_json::from_value(field).unwrap());
        }
        schema
    };
    let mut history = heirloom::schema::History::new("catalogue");
    for schema in [with(Some("pinned")), with(None), with(Some("starred"))] {
        assert!(history.record(&schema, "2026-11-20").unwrap());
    }
    let again = history.record(&with(Some("pinned")), "2026-11-20").unwrap_err();
    assert!(again.to_string().contains("pinned"), "{again}");

    // In one step it is perhaps a renaming.
    let mut history = heirloom::schema::History::new("catalogue");
    history.record(&with(Some("pinned")), "2026-11-20").unwrap();
    let refused = history.record(&with(Some("starred")), "2026-11-20").unwrap_err();
    assert!(refused.to_string().contains("field-renamed"), "{refused}");
}

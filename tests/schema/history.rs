//! The meaning of `history`, `removes` and `same_as` for a struct; their compile errors stand in
//! `ui/history`.

#![deny(warnings)]

use std::{fs, path};

use heirloom::schema::{History, Record};
use heirloom::{ErrorKind, Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

type Text = String;

#[derive(Serialize, Deserialize, JsonSchema, Table)]
#[table(removes(body, r#type, "the-date"))]
struct Note {
    id: Id<Note>,
    title: String,
    #[evolve(same_as = "Option < String >")]
    tag: Option<Text>,
    #[evolve(default, same_as = "u8")]
    #[serde(rename = "stars")]
    rating: u16,
    #[evolve(same_as = "Vec<u8>")]
    #[evolve(default)]
    bytes: Box<[u8]>,
}

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(removes(theme), name = "settings")]
struct Settings {
    language: Option<String>,
}

#[derive(Store)]
#[store(history = "fixtures/history/http_app.json")]
struct HTTPApp {
    notes: Table<Note>,
    #[allow(dead_code)]
    settings: Kv<Settings>,
}

/// The text of a file in this folder.
fn text(path: &str) -> Vec<u8> {
    fs::read(path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn removed_fields_are_in_the_descriptor_and_reserved() {
    assert_eq!(Note::REMOVED, ["body", "type", "the-date"]);
    assert_eq!(Settings::REMOVED, ["theme"]);
    let reserved = HTTPApp::schema().reserved;
    let reserved: Vec<_> = reserved.iter().map(|reserved| reserved.field.as_str()).collect();
    assert_eq!(reserved, ["theme", "body", "the-date", "type"]);
}

#[test]
fn another_spelling_is_in_the_descriptor_as_types_are_written() {
    let spellings: Vec<_> = Note::FIELDS.iter().map(|field| field.same_as).collect();
    assert_eq!(spellings, [None, None, Some("Option<String>"), Some("u8"), Some("Vec<u8>")]);
    let types: Vec<_> = Note::FIELDS.iter().map(|field| field.rust_type).collect();
    assert_eq!(types, ["Id<Note>", "String", "Option<Text>", "u16", "Box<[u8]>"]);
}

#[test]
fn a_removed_field_stays_in_the_rows_of_older_code() -> heirloom::Result<()> {
    mod before {
        use super::*;

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        pub struct Note {
            pub id: Id<Note>,
            pub title: String,
            #[serde(default)]
            pub body: String,
        }

        #[derive(Store)]
        #[store(name = "http_app")]
        pub struct App {
            pub notes: Table<Note>,
        }
    }

    let (old, new) = (before::App::in_memory()?, HTTPApp::in_memory()?);
    let id = Id::new();
    old.notes.insert(&before::Note { id, title: "a".into(), body: "kept".into() })?;
    new.apply(&old.changes_since(&new.summary()?)?)?;
    new.notes.update(&id.cast(), |note| note.title = "b".into())?;
    old.apply(&new.changes_since(&old.summary()?)?)?;
    let row = old.notes.get(&id)?.unwrap();
    assert_eq!((row.title.as_str(), row.body.as_str()), ("b", "kept"));

    // The other way round, older code reads what it knows to be missing.
    let added = Note { id: Id::new(), title: "c".into(), tag: None, rating: 0, bytes: [].into() };
    new.notes.insert(&added)?;
    old.apply(&new.changes_since(&old.summary()?)?)?;
    assert_eq!(old.notes.get(&added.id.cast())?.unwrap().body, "");
    Ok(())
}

#[test]
fn the_test_of_a_store_is_named_like_the_struct() {
    let _: fn() = http_app_schema_is_recorded;
}

#[test]
fn the_app_has_the_text_of_its_history() {
    #[derive(Store)]
    struct Without {
        #[allow(dead_code)]
        settings: Kv<Settings>,
    }

    assert!(HTTPApp::history() == Some(&text("fixtures/history/http_app.json")));
    assert!(shadowed::App::history() == Some(&text("fixtures/history/shadowed.json")));
    assert!(Without::history().is_none());
}

/// Generated code takes nothing from the prelude or from what stands around it.
mod shadowed {
    #![allow(dead_code, non_camel_case_types, unused_macros)]

    pub(super) struct Option;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Message;
    pub(super) struct Recorded;
    pub(super) struct Structs;
    pub(super) struct str;
    pub(super) struct u8;
    pub(super) struct usize;
    pub(super) mod core {}
    pub(super) mod std {}
    pub(super) mod heirloom {}
    macro_rules! panic {
        () => {};
    }
    macro_rules! env {
        () => {};
    }
    macro_rules! concat {
        () => {};
    }
    macro_rules! include_bytes {
        () => {};
    }
    #[allow(unused_imports)]
    pub(super) use {concat, env, include_bytes, panic};

    #[derive(::heirloom::Store)]
    #[store(history = "fixtures/history/shadowed.json")]
    pub(super) struct App {
        notes: ::heirloom::Table<super::Note>,
        settings: ::heirloom::Kv<super::Settings>,
    }
}

#[test]
fn the_file_says_how_a_table_merges_and_a_change_of_it_is_refused() {
    mod whole {
        use super::*;

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        pub struct Page {
            id: Id<Page>,
            title: String,
        }

        #[derive(Store)]
        #[store(name = "app")]
        pub struct App {
            pages: Table<Page>,
        }
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(merge = "fields")]
    struct Page {
        id: Id<Page>,
        title: String,
    }

    #[derive(Store)]
    #[store(name = "app")]
    struct App {
        pages: Table<Page>,
    }

    for [old, new] in [[whole::App::schema(), App::schema()], [App::schema(), whole::App::schema()]]
    {
        let mut history = History::new("app");
        assert!(history.record(&old, "2026-11-30").unwrap());
        let read = History::parse(history.text()).unwrap();
        assert_eq!(read.newest().unwrap().schema(), &old);
        let error = read.check(&new).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BreakingChange, "{error}");
        assert!(error.to_string().contains("`page`"), "{error}");
    }
}

//! Changes of tables and keys, proved as those of rows are: two versions of a store share its data
//! in all three directions, and the class that the lint gives is the class that this shows.
//!
//! The rows travel without the recorded versions, which would stop what breaks.

use crate::support::give_rows;
use heirloom::schema::Class;
use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A version with a table of notes under this name and with keys of this type, and what else it has.
macro_rules! version {
    ($module:ident, $table:literal, $key:ty, { $($items:tt)* } $($members:tt)*) => {
        mod $module {
            use super::*;

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = $table)]
            pub struct Note {
                #[key]
                pub id: $key,
                pub text: String,
            }

            $($items)*

            #[derive(Store)]
            #[store(name = "catalogue")]
            pub struct App {
                pub notes: Table<Note>,
                $($members)*
            }
        }
    };
}

version!(base, "notes", u32, {});
version!(more, "notes", u32, {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tags")]
    pub struct Tag {
        #[key]
        pub name: String,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "window")]
    pub struct Window {
        pub width: Option<u32>,
    }
} pub tags: Table<Tag>, pub window: Kv<Window>,);
version!(renamed, "memos", u32, {});
version!(rekeyed, "notes", uuid::Uuid, {});

fn class<Old: Store, New: Store>() -> Class {
    Old::schema().diff(&New::schema()).class()
}

fn base_with_a_note() -> base::App {
    let app = base::App::in_memory().unwrap();
    app.notes.insert(&base::Note { id: 1, text: "a".into() }).unwrap();
    app
}

#[test]
fn a_table_and_a_group_more_hold_in_all_directions() {
    let (old, new) = (base_with_a_note(), more::App::in_memory().unwrap());
    give_rows(&old, &new);
    assert_eq!(new.notes.get(&1).unwrap().unwrap().text, "a", "new code reads old rows");

    let tag = more::Tag { name: "red".into() };
    new.tags.insert(&tag).unwrap();
    new.window.width.set(&Some(80)).unwrap();
    new.notes.insert(&more::Note { id: 2, text: "b".into() }).unwrap();
    give_rows(&new, &old);
    assert_eq!(old.notes.get(&2).unwrap().unwrap().text, "b", "old code reads new rows");

    old.notes.update(&2, |note| note.text = "c".into()).unwrap();
    let fresh = more::App::in_memory().unwrap();
    give_rows(&old, &fresh);
    assert_eq!(fresh.notes.get(&2).unwrap().unwrap().text, "c");
    assert_eq!(fresh.tags.get(&tag.name).unwrap(), Some(tag), "and gives on what it does not know");
    assert_eq!(fresh.window.width.get().unwrap(), Some(80));
    assert_eq!(class::<base::App, more::App>(), Class::Additive);
}

#[test]
fn a_table_less_is_missed_by_old_code() {
    let (old, new) = (more::App::in_memory().unwrap(), base::App::in_memory().unwrap());
    new.notes.insert(&base::Note { id: 1, text: "tagged red".into() }).unwrap();
    give_rows(&new, &old);
    assert!(old.tags.is_empty().unwrap(), "new code writes none of the rows that old code reads");
    assert_eq!(class::<more::App, base::App>(), Class::Breaking);
}

#[test]
fn a_table_under_another_name_is_another_table() {
    let (old, new) = (base_with_a_note(), renamed::App::in_memory().unwrap());
    give_rows(&old, &new);
    assert!(new.notes.is_empty().unwrap(), "new code does not find the old rows");
    new.notes.insert(&renamed::Note { id: 2, text: "b".into() }).unwrap();
    give_rows(&new, &old);
    assert_eq!(old.notes.len().unwrap(), 1, "nor old code the new ones");
    assert_eq!(class::<base::App, renamed::App>(), Class::Breaking);
}

#[test]
fn rows_under_keys_of_another_type_are_no_rows() {
    let (old, new) = (base_with_a_note(), rekeyed::App::in_memory().unwrap());
    give_rows(&old, &new);
    assert_eq!(new.notes.invalid().unwrap().len(), 1, "new code reads no old row");
    let note = rekeyed::Note { id: uuid::Uuid::from_u128(7), text: "b".into() };
    new.notes.insert(&note).unwrap();
    give_rows(&new, &old);
    assert_eq!(old.notes.invalid().unwrap().len(), 1, "and old code no new one");
    assert_eq!(class::<base::App, rekeyed::App>(), Class::Breaking);
}

//! Looking at a file without the types of its app.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::file::{damage, note_key};
use crate::support::{place, refused};
use heirloom::transfer::OnExisting;
use heirloom::{ErrorKind, Kv, Store, Table, inspect};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod v0 {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", index(text, stars))]
    pub struct Note {
        #[key]
        pub id: u32,
        #[index]
        pub text: String,
        pub stars: String,
        #[index(each)]
        pub tags: Vec<String>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        #[evolve(default = 10)]
        pub size: u8,
        pub name: Option<String>,
    }

    #[derive(Store)]
    #[store(name = "library")]
    pub struct Library {
        pub notes: Table<Note>,
        pub settings: Kv<Settings>,
    }
}

mod v1 {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", previous = v0::Note, try_from)]
    pub struct Strict {
        #[key]
        pub id: u32,
        pub stars: u8,
    }

    impl TryFrom<v0::Note> for Strict {
        type Error = String;

        fn try_from(note: v0::Note) -> Result<Self, String> {
            let stars =
                note.stars.parse().map_err(|_| format!("`{}` is not a number", note.stars))?;
            Ok(Self { id: note.id, stars })
        }
    }

    #[derive(Store)]
    #[store(name = "library", epoch = 1, previous = v0::Library)]
    pub struct Library {
        pub notes: Table<Strict>,
        pub settings: Kv<v0::Settings>,
    }
}

/// Code that does not declare the table of notes.
mod without {
    use super::*;

    #[derive(Store)]
    #[store(name = "library")]
    pub struct Library {
        pub settings: Kv<v0::Settings>,
    }
}

fn note(id: u32, stars: &str) -> v0::Note {
    let tags = vec!["a".to_owned(), "b".to_owned(), "a".to_owned()];
    v0::Note { id, text: format!("note {id}"), stars: stars.to_owned(), tags }
}

fn filled(path: &Path) -> v0::Library {
    let app = v0::Library::open(path).unwrap();
    app.notes.insert_many([note(10, "3"), note(2, "many")]).unwrap();
    app.settings.size.set(&12).unwrap();
    app
}

fn rows(file: &inspect::Inspector, table: &str) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    file.for_each_row(table, |row| {
        assert!(!row.is_damaged() && !row.is_foreign());
        rows.insert(row.key().to_owned(), row.json().to_owned());
        Ok(())
    })
    .unwrap();
    rows
}

#[test]
fn rows_entries_and_indexes_are_read_without_types() {
    let (_folder, path) = place();
    drop(filled(&path));
    let before = std::fs::read(&path).unwrap();
    let file = inspect::open(&path).unwrap();
    assert_eq!(
        (file.tables().unwrap(), file.groups().unwrap()),
        (vec!["notes".into()], vec!["settings".into()])
    );
    let notes = rows(&file, "notes");
    assert_eq!(notes.keys().collect::<Vec<_>>(), ["10", "2"]);
    let expected = r#"{"id":10,"text":"note 10","stars":"3","tags":["a","b","a"]}"#;
    assert_eq!(notes["10"], expected);
    assert!(rows(&file, "absent").is_empty());
    let mut entries = Vec::new();
    file.for_each_entry("settings", |entry| {
        entries.push((entry.key().to_owned(), entry.json().to_owned()));
        Ok(())
    })
    .unwrap();
    assert_eq!(entries, [("size".to_owned(), "12".to_owned())]);
    let indexes: Vec<(String, u64, bool)> = file
        .indexes()
        .unwrap()
        .iter()
        .map(|index| (index.fields().join(","), index.entries(), index.is_complete()))
        .collect();
    let index = |fields: &str, entries| (fields.to_owned(), entries, true);
    assert_eq!(indexes, [index("tags", 4), index("text", 2), index("text,stars", 2)]);
    assert!(file.quarantine().unwrap().is_empty());
    let stopped = file.for_each_row("notes", |_| Err(heirloom::Error::custom("enough")));
    assert!(stopped.unwrap_err().to_string().contains("enough"));
    drop(file);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn everything_is_written_for_an_import_with_types() {
    let (_folder, path) = place();
    drop(filled(&path));
    let mut lines = Vec::new();
    assert_eq!(inspect::open(&path).unwrap().export(&mut lines).unwrap(), 3);
    let copy = v0::Library::in_memory().unwrap();
    let imported = copy.import(lines.as_slice(), OnExisting::Fail).unwrap();
    assert_eq!(imported.inserted(), 3);
    assert_eq!(copy.notes.query().all().unwrap(), [note(2, "many"), note(10, "3")]);
    assert_eq!(copy.settings.size.get().unwrap(), 12);

    // Also what the code that wrote last does not know.
    let app = without::Library::open(&path).unwrap();
    app.settings.size.set(&13).unwrap();
    drop(app);
    let file = inspect::open(&path).unwrap();
    assert_eq!(rows(&file, "notes").len(), 2);
}

#[test]
fn the_current_epoch_and_its_quarantine_are_seen() {
    let (_folder, path) = place();
    drop(filled(&path));
    let app = v1::Library::open(&path).unwrap();
    assert_eq!(app.quarantine().unwrap().len(), 1);
    drop(app);
    let file = inspect::open(&path).unwrap();
    assert_eq!(
        rows(&file, "notes").into_iter().collect::<Vec<_>>(),
        [("10".to_owned(), r#"{"id":10,"stars":3}"#.to_owned())]
    );
    let kept = file.quarantine().unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].table(), kept[0].group(), kept[0].key()), (Some("notes"), None, "2"));
    assert!(kept[0].reason().unwrap().contains("`many` is not a number"), "{kept:?}");
    assert!(kept[0].value().unwrap().contains("many"), "{kept:?}");
    drop(file);

    let app = v1::Library::open(&path).unwrap();
    for kept in app.quarantine().unwrap() {
        kept.dismiss().unwrap();
    }
    drop(app);
    assert!(inspect::open(&path).unwrap().quarantine().unwrap().is_empty());
}

#[test]
fn a_damaged_row_is_shown_as_such_and_never_exported() {
    let (_folder, path) = place();
    drop(filled(&path));
    damage(&path, "0/rows/notes", &note_key(2), |row| {
        let last = row.len() - 1;
        row[last] ^= 1;
    });
    let file = inspect::open(&path).unwrap();
    let mut damaged = Vec::new();
    file.for_each_row("notes", |row| {
        if row.is_damaged() {
            damaged.push((row.key().to_owned(), row.json().to_owned()));
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(damaged, [("2".to_owned(), String::new())]);
    let error = refused(file.export(&mut Vec::new()));
    assert_eq!(
        (error.kind(), error.table(), error.key()),
        (ErrorKind::Corrupt, Some("notes"), Some("2"))
    );
}

#[test]
fn a_file_of_format_1_says_what_to_do() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/format-1.redb");
    let (_folder, path) = place();
    std::fs::copy(fixture, &path).unwrap();
    let file = inspect::open(&path).unwrap();
    assert_eq!(file.format(), 1);
    let error = refused(file.tables());
    assert!(error.to_string().contains("open the file once with its app"), "{error}");
}

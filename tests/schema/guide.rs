//! What the guide pages on schemas show is what happens.

use std::fs;
use std::path::{Path, PathBuf};

use heirloom::schema::{History, Schema};

macro_rules! version {
    ($name:ident: $($items:tt)*) => {
        mod $name {
            use heirloom::{Id, Kv, Store, Table};
            use schemars::JsonSchema;
            use serde::{Deserialize, Serialize};

            $($items)*

            #[derive(Serialize, Deserialize, JsonSchema, Kv)]
            #[kv(name = "settings")]
            pub struct Settings {
                #[evolve(default = "light")]
                theme: String,
            }
        }
    };
}

/// Version 2 and what may become of it: with these variants of a color, and these fields of a note.
macro_rules! second {
    ($name:ident, $table:meta, [$($variants:tt)*]: $($fields:tt)*) => {
        version! { $name:
            #[derive(Serialize, Deserialize, JsonSchema, Table)]
            #[$table]
            pub struct Note {
                id: Id<Note>,
                #[serde(rename = "text")]
                body: String,
                $($fields)*
                color: Option<Color>,
                #[evolve(default = |body| body.split_whitespace().count() as u32)]
                words: u32,
            }

            #[derive(Serialize, Deserialize, JsonSchema)]
            pub enum Color {
                Yellow,
                Blue,
                $($variants)*
            }

            #[derive(Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "tags")]
            pub struct Tag {
                #[key]
                name: String,
            }

            #[derive(Store)]
            #[store(name = "notebook")]
            #[allow(dead_code)]
            pub struct Notebook {
                notes: Table<Note>,
                tags: Table<Tag>,
                settings: Kv<Settings>,
            }
        }
    };
}

version! { v1:
    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        id: Id<Note>,
        text: String,
        #[evolve(default)]
        pinned: bool,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    #[allow(dead_code)]
    pub struct Notebook {
        notes: Table<Note>,
        settings: Kv<Settings>,
    }
}
second!(v2, table(name = "notes"), [#[serde(untagged)] Other(String)]: #[evolve(default)] pinned: bool,);
second!(v3, table(name = "notes", removes(pinned)), [#[serde(untagged)] Other(String)]:);
second!(closed, table(name = "notes"), []:);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/changing-your-schema")
}

fn page() -> String {
    fs::read_to_string(folder().with_extension("md")).unwrap()
}

fn history(schemas: &[Schema]) -> History {
    let mut history = History::new("notebook");
    for schema in schemas {
        assert!(history.record(schema, "2026-11-20").unwrap());
    }
    history
}

#[test]
fn its_histories_are_those_of_its_structs() {
    let schemas = [v1::Notebook::schema(), v2::Notebook::schema(), v3::Notebook::schema()];
    for count in 1..=schemas.len() {
        let file = folder().join(format!("{count}.json"));
        let recorded = history(&schemas[..count]);
        if std::env::var_os("HEIRLOOM").is_some_and(|value| value == "record") {
            fs::write(&file, recorded.text()).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap().replace("\r\n", "\n"), recorded.text());
    }
}

#[test]
fn it_shows_the_tables_that_the_test_of_a_store_prints() {
    let (first, second) = (v1::Notebook::schema(), v2::Notebook::schema());
    for diff in [first.diff(&second), v3::Notebook::schema().diff(&closed::Notebook::schema())] {
        assert!(page().contains(&diff.to_string()), "{diff}");
    }
}

#[test]
fn it_shows_what_the_compiler_says() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let crate_of_fixtures = target.join("tests/trybuild").join(env!("CARGO_PKG_NAME"));
    fs::create_dir_all(crate_of_fixtures.join("guide")).unwrap();
    for count in 1..=3 {
        let name = format!("{count}.json");
        fs::copy(folder().join(&name), crate_of_fixtures.join("guide").join(&name)).unwrap();
    }
    trybuild::TestCases::new().compile_fail("ui/guide/*.rs");

    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/guide");
    let mut shown = 0;
    for file in fs::read_dir(fixtures).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "stderr") {
            let said = fs::read_to_string(&path).unwrap();
            let message = said.lines().next().unwrap();
            assert!(page().contains(message), "{}: {message}", path.display());
            shown += 1;
        }
    }
    assert_eq!(shown, page().matches("compile_fail").count());
}

#[test]
fn the_page_on_epochs_shows_the_structs_that_it_uses() {
    let folder = folder().with_file_name("breaking-changes");
    let page = fs::read_to_string(folder.with_extension("md")).unwrap().replace("\r\n", "\n");
    let mut shown = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let structs = fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        assert!(page.contains(&structs), "{}", path.display());
        shown += 1;
    }
    assert_eq!(shown, 4);
}

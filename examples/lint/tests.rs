use std::error::Error;
use std::path::Path;

use clap::Parser;
use heirloom::schema::History;
use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Args, lint};

macro_rules! version {
    ($name:ident: $($fields:tt)*) => {
        mod $name {
            use super::*;

            #[derive(Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "notes")]
            pub struct Note {
                id: Id<Note>,
                $($fields)*
            }

            #[derive(Store)]
            #[store(name = "app")]
            #[allow(dead_code)]
            pub struct App {
                notes: Table<Note>,
            }
        }
    };
}

version!(v1: text: String,);
version!(v2: text: String, done: Option<bool>,);
version!(v3: text: String, done: Option<bool>, color: Option<String>,);
version!(other: text: Vec<u8>,);
version!(with_enum: text: String, color: Color,);

#[derive(Serialize, Deserialize, JsonSchema)]
enum Color {
    Yellow,
    Blue,
}

type Outcome = Result<(), Box<dyn Error>>;

fn files(folder: &Path) -> Outcome {
    let write = |name: &str, history: &History| std::fs::write(folder.join(name), history.text());
    let mut history = History::new("app");
    history.record(&v1::App::schema(), "2024-01-01")?;
    history.record(&v2::App::schema(), "2025-01-01")?;
    write("two.json", &history)?;
    history.record(&v3::App::schema(), "2026-01-01")?;
    write("three.json", &history)?;
    let mut schema = other::App::schema();
    schema.epoch = 1;
    history.record(&schema, "2026-02-01")?;
    write("epoch.json", &history)?;

    let mut history = History::new("app");
    history.record(&other::App::schema(), "2024-01-01")?;
    write("other.json", &history)?;
    let mut history = History::new("app");
    history.record(&v1::App::schema(), "2024-01-01")?;
    write("one.json", &history)?;
    let mut history = History::new("app");
    history.record(&with_enum::App::schema(), "2024-01-01")?;
    write("enum.json", &history)?;
    write("elsewhere.json", &History::new("elsewhere"))?;
    std::fs::write(folder.join("broken.json"), "{")?;
    Ok(())
}

/// Whether the lint is content with these arguments, and what it prints.
fn run(folder: &Path, arguments: &str) -> Result<(bool, String), Box<dyn Error>> {
    let arguments = arguments.split_whitespace().map(|argument| {
        let is_file = argument.ends_with(".json");
        if is_file { folder.join(argument).display().to_string() } else { argument.to_owned() }
    });
    let report = lint(&Args::try_parse_from(["lint".to_owned()].into_iter().chain(arguments))?)?;
    Ok((report.is_ok(), report.to_string()))
}

#[test]
fn two_versions_of_one_file() -> Outcome {
    let folder = tempfile::tempdir()?;
    files(folder.path())?;
    let (ok, said) = run(folder.path(), "three.json")?;
    assert!(ok && said.contains("from version 2") && said.contains("color"), "{said}");
    assert!(!said.contains("done"), "{said}");
    assert!(run(folder.path(), "one.json")?.0, "the first of all");
    let (ok, said) = run(folder.path(), "three.json --from 1 --to 3")?;
    assert!(ok && said.contains("color") && said.contains("done"), "{said}");
    Ok(())
}

#[test]
fn two_files() -> Outcome {
    let folder = tempfile::tempdir()?;
    files(folder.path())?;
    assert!(run(folder.path(), "two.json three.json")?.0);
    // A history only grows.
    let (ok, said) = run(folder.path(), "three.json two.json")?;
    assert!(!ok && said.contains("version 3, recorded on 2026-01-01 is gone"), "{said}");
    assert!(said.ends_with("not ok: a version is gone"), "{said}");
    let (ok, said) = run(folder.path(), "two.json other.json")?;
    assert!(!ok && said.contains("breaking") && said.contains("text"), "{said}");
    Ok(())
}

#[test]
fn an_epoch_may_break() -> Outcome {
    let folder = tempfile::tempdir()?;
    files(folder.path())?;
    let (ok, said) = run(folder.path(), "epoch.json")?;
    assert!(ok && said.contains("breaking") && said.ends_with("ok: a new epoch"), "{said}");
    Ok(())
}

#[test]
fn an_enum_that_cannot_grow_is_named_from_the_first_version_on() -> Outcome {
    let folder = tempfile::tempdir()?;
    files(folder.path())?;
    let (ok, said) = run(folder.path(), "enum.json")?;
    assert!(ok && said.contains("before version 1, recorded on 2024-01-01 is released"), "{said}");
    assert!(said.contains("enum-without-catch-all  notes.color"), "{said}");
    assert!(!run(folder.path(), "three.json")?.1.contains("released"));
    let (_, said) = run(folder.path(), "enum.json --json")?;
    let report: serde_json::Value = serde_json::from_str(&said)?;
    assert_eq!(report["warnings"][0]["field"], "color");
    Ok(())
}

#[test]
fn json_for_programs() -> Outcome {
    let folder = tempfile::tempdir()?;
    files(folder.path())?;
    let (_, said) = run(folder.path(), "two.json other.json --json")?;
    let report: serde_json::Value = serde_json::from_str(&said)?;
    assert_eq!((&report["ok"], &report["class"]), (&false.into(), &"breaking".into()));
    assert!(report["changes"][0]["rule"].is_string());
    Ok(())
}

#[test]
fn what_cannot_be_read_is_an_error() -> Outcome {
    let folder = tempfile::tempdir()?;
    files(folder.path())?;
    let arguments = [
        "broken.json",
        "none.json",
        "two.json --to 9",
        "two.json --from 0",
        "two.json elsewhere.json",
    ];
    for arguments in arguments {
        assert!(run(folder.path(), arguments).is_err(), "{arguments}");
    }
    Ok(())
}

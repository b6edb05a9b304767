//! The history file: recorded when asked for, never edited, and understood or refused whatever
//! stands in it.

use std::fs;
use std::path::Path;

use crate::support::{self, child};
use heirloom::__private::check_history;
use heirloom::ErrorKind;
use heirloom::schema::{Class, History, Schema, Version};
use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

/// A version of the app, of which these are the fields of its notes beside the key.
macro_rules! version {
    ($name:ident: $($fields:tt)*) => {
        mod $name {
            use super::*;

            #[derive(Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "notes")]
            pub struct Note {
                #[key]
                id: u32,
                $($fields)*
            }

            #[derive(Serialize, Deserialize, JsonSchema, Kv)]
            #[kv(name = "settings")]
            pub struct Settings {
                #[evolve(default = "en")]
                language: String,
            }

            #[derive(Store)]
            #[store(name = "app")]
            #[allow(dead_code)]
            pub struct App {
                notes: Table<Note>,
                settings: Kv<Settings>,
            }
        }
    };
}

version!(v1: title: String, #[evolve(default)] legacy: bool,);
version!(v2: title: String, #[evolve(default)] legacy: bool, stars: Option<u8>,);
// Without `legacy`, whose name is reserved from then on.
version!(v3: title: String, stars: Option<u8>,);
version!(other: title: String, #[evolve(default)] legacy: bool, color: Option<String>,);
version!(broken: title: u64, #[evolve(default)] legacy: bool,);
version!(reusing: title: String, stars: Option<u8>, #[evolve(default)] legacy: String,);

/// A version that breaks with all of them, in an epoch of its own, which follows from the second.
mod next_epoch {
    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", previous = v2::Note, removes(legacy, stars))]
    pub struct Note {
        #[key]
        id: u32,
        #[evolve(with = |title| title.len() as u64)]
        title: u64,
    }

    #[derive(Store)]
    #[store(name = "app", epoch = 1, previous = v2::App)]
    #[allow(dead_code)]
    pub struct App {
        notes: Table<Note>,
        settings: Kv<v2::Settings>,
    }
}

/// A version of an app whose rows hold types of these shapes, three types deep.
macro_rules! deep {
    ($name:ident: [$($variants:ident)*], $range:meta, [$(#[$tagging:meta])*]) => {
        mod $name {
            use super::*;

            #[derive(Serialize, Deserialize, JsonSchema)]
            pub enum Color {
                $($variants,)*
            }

            #[derive(Serialize, Deserialize, JsonSchema)]
            pub struct Brush {
                colors: Vec<Option<Color>>,
                #[$range]
                width: u8,
            }

            #[derive(Serialize, Deserialize, JsonSchema)]
            $(#[$tagging])*
            pub enum Tool {
                Brush { brush: Brush },
                Eraser { width: u8 },
            }

            #[derive(Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "drawings")]
            pub struct Drawing {
                #[key]
                id: u32,
                tools: std::collections::BTreeMap<String, Tool>,
            }

            #[derive(Store)]
            #[store(name = "drawings")]
            #[allow(dead_code)]
            pub struct App {
                drawings: Table<Drawing>,
            }
        }
    };
}

/// The versions after the second, as its structs are declared in later years: with another type of
/// a color, and other fields.
macro_rules! later {
    ($name:ident: [$($variants:ident)*] $($fields:tt)*) => {
        mod $name {
            use super::*;

            #[derive(Serialize, Deserialize, JsonSchema)]
            pub enum Color {
                $($variants,)*
            }

            pub mod v0 {
                use super::*;

                #[derive(Serialize, Deserialize, JsonSchema, Table)]
                #[table(name = "notes")]
                pub struct Note {
                    #[key]
                    pub id: u32,
                    pub color: Color,
                    $($fields)*
                }

                #[derive(Store)]
                #[store(name = "app")]
                #[allow(dead_code)]
                pub struct App {
                    pub notes: Table<Note>,
                }
            }

            #[derive(Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "notes", previous = v0::Note, removes(color))]
            pub struct Note {
                #[key]
                id: u32,
                #[evolve(with = |title| title.len() as u64)]
                title: u64,
            }

            #[derive(Store)]
            #[store(name = "app", epoch = 1, previous = v0::App)]
            #[allow(dead_code)]
            pub struct App {
                notes: Table<Note>,
            }
        }
    };
}

later!(raised: [Red Green] title: String,);
later!(raised_with_more: [Red Green Blue] title: String,);
later!(raised_with_less: [Red] title: String,);

deep!(drawn: [Red Green], schemars(range(max = 20)), []);
deep!(without_green: [Red], schemars(range(max = 20)), []);
deep!(narrower: [Red Green], schemars(range(max = 10)), []);
deep!(tagged: [Red Green], schemars(range(max = 20)), [#[serde(tag = "kind")]]);

const DAY: &str = "2026-11-20";

/// A history of these versions.
fn history(versions: &[Schema]) -> History {
    let mut history = History::new("app");
    for schema in versions {
        assert!(history.record(schema, DAY).unwrap());
    }
    history
}

fn two_versions() -> History {
    history(&[v1::App::schema(), v2::App::schema()])
}

/// Why a text is refused.
fn refusal(text: &str) -> String {
    let error = History::parse(text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidHistory, "{error}");
    error.to_string()
}

mod the_test_of_a_store {
    use super::*;

    /// Runs the generated test of that version in a process of its own.
    fn run(test: &str, version: &str, folder: &Path, record: bool) -> (bool, String) {
        let mut command = child::command(test, &format!("{version} {}", folder.display()));
        command.env_remove("HEIRLOOM");
        if record {
            command.env("HEIRLOOM", "record");
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), said)
    }

    #[test]
    fn sees_what_the_compiler_does_not() {
        if let Some(role) = child::role() {
            let (version, folder) = role.split_once(' ').unwrap();
            return match version {
                "drawn" => check_history::<drawn::App>(folder, "drawings.json"),
                "without_green" => check_history::<without_green::App>(folder, "drawings.json"),
                "narrower" => check_history::<narrower::App>(folder, "drawings.json"),
                _ => check_history::<tagged::App>(folder, "drawings.json"),
            };
        }
        let folder = tempfile::tempdir().unwrap();
        let run = |version, record| {
            run(
                concat!(module_path!(), "::sees_what_the_compiler_does_not"),
                version,
                folder.path(),
                record,
            )
        };
        assert!(run("drawn", true).0);
        for (version, rule, place) in [
            ("without_green", "variant-removed", "drawings.tools{}.Brush.brush.colors[].Green"),
            ("narrower", "limit-tightened", "drawings.tools{}.Brush.brush.width"),
            ("tagged", "tagging-changed", "drawings.tools{}"),
        ] {
            let (passed, said) = run(version, true);
            assert!(!passed, "{version}");
            let line = said.lines().find(|line| line.contains(rule));
            let line = line.unwrap_or_else(|| panic!("{rule} is named: {said}"));
            assert!(line.contains("breaking") && line.contains(place), "{said}");
        }
        assert!(run("drawn", false).0);
    }

    #[test]
    fn warns_of_an_enum_that_cannot_grow_when_it_is_new() {
        if let Some(role) = child::role() {
            let (version, folder) = role.split_once(' ').unwrap();
            return match version {
                "drawn" => check_history::<drawn::App>(folder, "drawings.json"),
                _ => check_history::<without_green::App>(folder, "drawings.json"),
            };
        }
        let folder = tempfile::tempdir().unwrap();
        let test = concat!(module_path!(), "::warns_of_an_enum_that_cannot_grow_when_it_is_new");
        let run = |version, record| run(test, version, folder.path(), record);
        for record in [false, true] {
            let (passed, said) = run("without_green", record);
            assert_eq!(passed, record, "{said}");
            for place in ["drawings.tools{}", "drawings.tools{}.Brush.brush.colors[]"] {
                let warning = format!("warn   enum-without-catch-all  {place} ");
                assert!(said.contains(&warning), "{place}: {said}");
            }
            assert!(said.contains("heirloom::Open<…>"), "{said}");
        }
        // It is not said twice.
        assert!(!run("drawn", false).1.contains("enum-without-catch-all"));
    }

    #[test]
    fn tells_of_a_raised_epoch_only_what_it_does_not_convert() {
        if let Some(role) = child::role() {
            let (version, folder) = role.split_once(' ').unwrap();
            return match version {
                "v0" => check_history::<raised::v0::App>(folder, "app.json"),
                "raised" => check_history::<raised::App>(folder, "app.json"),
                "more" => check_history::<raised_with_more::App>(folder, "app.json"),
                _ => check_history::<raised_with_less::App>(folder, "app.json"),
            };
        }
        let folder = tempfile::tempdir().unwrap();
        let test =
            concat!(module_path!(), "::tells_of_a_raised_epoch_only_what_it_does_not_convert");
        let run = |version, record| run(test, version, folder.path(), record);
        assert!(run("v0", true).0);
        // A removed field and a computed one are converted, and so is an enum that has grown.
        for version in ["raised", "more"] {
            let (passed, said) = run(version, false);
            assert!(!passed && said.contains("starts epoch 1, after version 1"), "{said}");
            assert!(said.contains("as version 2"), "{said}");
            for word in ["breaking", "color", "title", "raise the epoch"] {
                assert!(!said.contains(word), "{word}: {said}");
            }
        }
        for record in [false, true] {
            let (passed, said) = run("less", record);
            assert!(!passed && said.contains("the structs of epoch 0 do not read"), "{said}");
            assert!(said.contains("variant-removed  notes.color.Green"), "{said}");
            assert!(!said.contains("title"), "{said}");
        }
        assert!(run("raised", true).0);
        assert!(run("raised", false).0);
    }

    #[test]
    fn compares_and_records() {
        if let Some(role) = child::role() {
            let (version, folder) = role.split_once(' ').unwrap();
            return match version {
                "v1" => check_history::<v1::App>(folder, "schema/app.json"),
                "v2" => check_history::<v2::App>(folder, "schema/app.json"),
                "broken" => check_history::<broken::App>(folder, "schema/app.json"),
                "next_epoch" => check_history::<next_epoch::App>(folder, "schema/app.json"),
                _ => check_history::<support::Notebook>(folder, "schema/app.json"),
            };
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("schema/app.json");
        let run = |version, folder, record| {
            run(concat!(module_path!(), "::compares_and_records"), version, folder, record)
        };
        let read = || fs::read_to_string(&file).unwrap();

        // Nothing is recorded unasked.
        let (passed, said) = run("v1", folder.path(), false);
        assert!(!passed && !file.exists());
        assert!(said.contains("`app` is not recorded yet"), "{said}");
        assert!(said.contains("as version 1 in `schema/app.json`"), "{said}");
        assert!(said.contains("HEIRLOOM=record cargo test"), "{said}");

        assert!(run("v1", folder.path(), true).0);
        let first = read();
        let recorded = History::parse(&first).unwrap();
        assert_eq!(recorded.newest().unwrap().fingerprint(), v1::App::schema().fingerprint());
        for record in [false, true] {
            assert!(run("v1", folder.path(), record).0);
            assert_eq!(read(), first, "what is recorded stays as it is");
        }

        // An additive change is recorded when asked for.
        let (passed, said) = run("v2", folder.path(), false);
        assert!(!passed);
        assert_eq!(read(), first);
        assert!(said.contains("changed since version 1"), "{said}");
        assert!(said.contains("additive") && said.contains("stars"), "{said}");
        assert!(said.contains("as version 2"), "{said}");
        let (passed, said) = run("v2", folder.path(), true);
        assert!(passed && said.contains("recorded as version 2"), "{said}");
        let second = read();
        let kept = first.trim_end().strip_suffix("\n    }\n  ]\n}").unwrap();
        assert!(second.starts_with(kept), "the first version stays letter by letter");
        assert!(run("v2", folder.path(), false).0);

        // A breaking one never.
        for record in [false, true] {
            let (passed, said) = run("broken", folder.path(), record);
            assert!(!passed);
            assert!(said.contains("breaking") && said.contains("title"), "{said}");
            assert!(said.contains("`#[store(epoch = 1, previous = …)]`"), "{said}");
            assert_eq!(read(), second);
        }

        // Unless it starts an epoch.
        let (passed, said) = run("next_epoch", folder.path(), false);
        assert!(!passed && said.contains("as version 3"), "{said}");
        assert!(run("next_epoch", folder.path(), true).0);
        let newest = History::parse(&read()).unwrap().newest().unwrap().clone();
        assert_eq!((newest.epoch(), newest.number()), (1, Some(3)));
        let (passed, said) = run("v2", folder.path(), true);
        assert!(!passed && said.contains("earlier epoch"), "{said}");
        fs::write(&file, &second).unwrap();

        // Nor another store's.
        let (passed, said) = run("another", folder.path(), true);
        assert!(!passed && said.contains("that of another store"), "{said}");
        assert_eq!(read(), second);

        // The file is reported by its name.
        fs::write(&file, &second[..second.len() / 2]).unwrap();
        let (passed, said) = run("v2", folder.path(), true);
        assert!(!passed && said.contains("cut short") && said.contains("app.json"), "{said}");
        fs::write(&file, b"\xff\xfe").unwrap();
        let (passed, said) = run("v2", folder.path(), true);
        assert!(!passed && said.contains("it is not text"), "{said}");
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        let (passed, said) = run("v2", folder.path(), true);
        assert!(!passed && said.contains("cannot be read"), "{said}");
    }
}

#[test]
fn versions_are_recorded_with_all_that_a_reader_wants() {
    let history = History::parse(two_versions().text()).unwrap();
    assert_eq!(history.store(), "app");
    let [first, second] = history.versions() else { panic!("two versions") };
    let facts = |version: &Version| {
        (
            version.number(),
            version.epoch(),
            version.date().map(str::to_owned),
            version.parent().map(str::to_owned),
        )
    };
    let first_fingerprint = v1::App::schema().fingerprint();
    assert_eq!(facts(first), (Some(1), 0, Some(DAY.to_owned()), None));
    assert_eq!(first.fingerprint(), first_fingerprint);
    assert_eq!(first.schema(), &v1::App::schema());
    assert!(first.changes().is_empty());
    assert_eq!(facts(second), (Some(2), 0, Some(DAY.to_owned()), Some(first_fingerprint)));
    assert_eq!(second.schema(), &v2::App::schema());
    let [added] = second.changes() else { panic!("one change: {:?}", second.changes()) };
    assert_eq!(added.class(), Class::Additive);
    assert_eq!((added.table(), added.field()), (Some("notes"), Some("stars")));
}

#[test]
fn a_schema_that_says_the_same_is_no_new_version() {
    let mut history = two_versions();
    let before = history.text().to_owned();
    assert!(!history.record(&v2::App::schema(), "2027-01-01").unwrap());
    assert_eq!(history.text(), before);
}

#[test]
fn breaking_changes_are_not_recorded_and_removed_names_stay_reserved() {
    let mut history = two_versions();
    let before = history.text().to_owned();
    let error = history.record(&broken::App::schema(), DAY).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BreakingChange);
    assert!(error.to_string().contains("title"), "{error}");
    assert_eq!(history.text(), before);

    assert!(history.record(&v3::App::schema(), DAY).unwrap());
    let reserved = &history.newest().unwrap().schema().reserved;
    let reserved: Vec<_> = reserved.iter().map(|name| name.field.as_str()).collect();
    assert_eq!(reserved, ["legacy"]);
    let error = history.record(&reusing::App::schema(), DAY).unwrap_err();
    assert!(error.to_string().contains("legacy"), "{error}");
    // Even where the type is the one it had.
    assert!(history.record(&v2::App::schema(), DAY).is_err());
}

#[test]
fn an_epoch_allows_what_breaks_and_is_never_taken_back() {
    let mut history = two_versions();
    let mut schema = broken::App::schema();
    schema.epoch = 1;
    assert!(history.record(&schema, DAY).unwrap());
    let newest = history.newest().unwrap();
    assert_eq!((newest.epoch(), newest.number()), (1, Some(3)));
    assert!(newest.changes().iter().any(|change| change.class() == Class::Breaking));
    let error = history.record(&v2::App::schema(), DAY).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BreakingChange);
    assert!(error.to_string().contains("earlier epoch"), "{error}");
}

#[test]
fn every_version_of_the_epoch_counts_not_only_the_newest() {
    // Each step alone would pass; from the first to the last the type has changed.
    version!(gone: title: String,);
    version!(back: title: String, #[evolve(default)] legacy: u64,);
    let mut history = history(&[v1::App::schema(), gone::App::schema()]);
    assert!(history.record(&back::App::schema(), DAY).is_err());
}

#[test]
fn any_change_by_hand_is_refused() {
    let text = two_versions().text().to_owned();
    let lines: Vec<&str> = text.lines().collect();
    let join = |lines: Vec<&str>| lines.join("\n") + "\n";
    let edited = text.replace("\"date\":\"2026-11-20\"", "").replace("2026-11-20", "2026-11-21");
    assert!(refusal(&edited).contains("version 1 of the history was edited by hand"));
    assert!(refusal(&edited).contains("restore the file from version control"));

    // No line can go, no two can change places, and no byte can be another.
    for at in 0..lines.len() {
        let mut without = lines.clone();
        let line = without.remove(at);
        assert!(History::parse(&join(without)).is_err(), "without line {at}: {line}");
    }
    for at in 1..lines.len() {
        let mut swapped = lines.clone();
        swapped.swap(at - 1, at);
        // The checksum itself says the same wherever it stands.
        let is_checksum = lines[at - 1..=at].iter().any(|line| line.contains("\"checksum\""));
        if swapped != lines && at > 4 && !is_checksum {
            assert!(History::parse(&join(swapped)).is_err(), "lines {at} swapped");
        }
    }
    let first_version = text.find("    {").unwrap();
    let end = text.rfind("    }").unwrap();
    for at in first_version..end {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(text) = String::from_utf8(bytes) {
            assert!(History::parse(&text).is_err(), "byte {at}");
        }
    }
    for len in 0..text.len() - 3 {
        assert!(History::parse(&text[..len]).is_err(), "cut to {len} bytes");
    }
}

#[test]
fn what_is_no_history_is_named() {
    assert!(refusal("").contains("is empty"));
    assert!(refusal(" \n\n").contains("is empty"));
    for other in [
        "hello",
        "{}",
        "[]",
        "null",
        "{\"heirloom\": \"something\"}",
        "{\n  \"versions\": [\n  ]\n}",
    ] {
        assert!(refusal(other).contains("is not a schema history"), "{other}");
    }
    let newer = two_versions().text().replace("\"format\": 1", "\"format\": 2");
    assert!(refusal(&newer).contains("newer heirloom") && refusal(&newer).contains("format 2"));
    // A formatter has been at it.
    let squeezed = two_versions().text().replace("\n      \"", " \"");
    assert!(refusal(&squeezed).contains("cut short, or is not laid out"));
}

/// A version's lines with a right checksum, from lines without one.
fn with_checksum(lines: &[String]) -> String {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let checksum = format!("{:032x}", XxHash3_128::oneshot(text.as_bytes()));
    format!("    {{\n      \"checksum\": \"{checksum}\",\n{text}    }}")
}

#[test]
fn members_of_a_newer_heirloom_are_kept() {
    let text = history(&[v1::App::schema()]).text().to_owned();
    let lines = text.lines().filter(|line| !line.contains("\"checksum\""));
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    let start = lines.iter().position(|line| line == "    {").unwrap();
    let end = lines.iter().position(|line| line == "    }").unwrap();
    let mut version = lines.split_off(start);
    let rest = version.split_off(end - start + 1);
    version.remove(0);
    version.pop();
    version.insert(0, "      \"novelty\": {\"a\":[1,2]},".to_owned());
    lines.insert(1, "  \"also\": true,".to_owned());
    let text = format!("{}\n{}\n{}\n", lines.join("\n"), with_checksum(&version), rest.join("\n"));

    let mut history = History::parse(&text).unwrap();
    assert!(history.record(&v2::App::schema(), DAY).unwrap());
    assert!(history.text().contains("\"novelty\": {\"a\":[1,2]},"));
    assert!(history.text().contains("\"also\": true,"));
    assert_eq!(History::parse(history.text()).unwrap().versions().len(), 2);
}

#[test]
fn other_line_ends_are_as_good() {
    let text = history(&[v1::App::schema()]).text().replace('\n', "\r\n");
    let mut history = History::parse(&text).unwrap();
    assert!(history.record(&v2::App::schema(), DAY).unwrap());
    assert!(history.text().replace("\r\n", "").chars().all(|c| c != '\n'));
    assert_eq!(history.text().replace("\r\n", "\n"), two_versions().text());
}

#[test]
fn empty_lines_at_the_end_do_no_harm() {
    let text = two_versions().text().to_owned() + "\n  \n";
    assert_eq!(History::parse(&text).unwrap().versions().len(), 2);
}

#[test]
fn versions_are_added_among_versions_whatever_lists_a_newer_heirloom_adds() {
    let more = |text: &str| {
        let before =
            text.replacen("  \"versions\"", "  \"before\": [\n    1\n  ],\n  \"versions\"", 1);
        before.trim_end().strip_suffix("\n}").unwrap().to_owned()
            + ",\n  \"after\": [\n    2\n  ]\n}\n"
    };
    let mut history = History::parse(&more(history(&[v1::App::schema()]).text())).unwrap();
    assert!(history.record(&v2::App::schema(), DAY).unwrap());
    assert_eq!(history.text(), more(two_versions().text()));
}

mod two_branches {
    use super::*;

    fn branches() -> (String, String) {
        let ours = history(&[v1::App::schema(), v2::App::schema()]);
        let theirs = history(&[v1::App::schema(), other::App::schema()]);
        (ours.text().to_owned(), theirs.text().to_owned())
    }

    fn both_are_named(refusal: &str) {
        assert!(refusal.contains("two branches have both recorded a version"), "{refusal}");
        let parent = v1::App::schema().fingerprint();
        for fingerprint in [v2::App::schema().fingerprint(), other::App::schema().fingerprint()] {
            let named = format!("version 2 with fingerprint {fingerprint} and parent {parent}");
            assert!(refusal.contains(&named), "{refusal}");
        }
    }

    /// Returns a line-based merge of the two: common lines once, the others between markers.
    fn conflict(markers_around_all: bool) -> String {
        let (ours, theirs) = branches();
        let (ours, theirs): (Vec<&str>, Vec<&str>) =
            (ours.lines().collect(), theirs.lines().collect());
        let base = history(&[v1::App::schema()]).text().lines().count();
        let same = |(a, b): &(&&str, &&str)| a == b;
        let start = if markers_around_all {
            base - 3
        } else {
            ours.iter().zip(&theirs).take_while(same).count()
        };
        let end = ours[start..].iter().rev().zip(theirs[start..].iter().rev());
        let end = end.take_while(same).count();
        let (our_end, their_end) = (ours.len() - end, theirs.len() - end);
        format!(
            "{}\n<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> colors\n{}\n",
            ours[..start].join("\n"),
            ours[start..our_end].join("\n"),
            theirs[start..their_end].join("\n"),
            ours[our_end..].join("\n")
        )
    }

    #[test]
    fn in_conflict_are_told_apart() {
        both_are_named(&refusal(&conflict(true)));
        both_are_named(&refusal(&conflict(false)));
    }

    #[test]
    fn merged_line_by_line_are_told_apart() {
        for all in [true, false] {
            let merged: Vec<String> = conflict(all)
                .lines()
                .filter(|line| {
                    !["<<<<<<<", "=======", ">>>>>>>"].iter().any(|m| line.starts_with(m))
                })
                .map(|line| format!("{line}\n"))
                .collect();
            both_are_named(&refusal(&merged.concat()));
        }
    }

    #[test]
    fn both_kept_are_told_apart() {
        let (ours, theirs) = branches();
        let second = |text: &str| {
            let start = text.rfind("    {\n      \"epoch\"").unwrap();
            text[start..].trim_end().strip_suffix("\n  ]\n}").unwrap().to_owned()
        };
        let both =
            ours.replace(&second(&ours), &format!("{},\n{}", second(&ours), second(&theirs)));
        both_are_named(&refusal(&both));
    }
}

#[test]
fn ten_thousand_versions_are_read() {
    let base = history(&[v1::App::schema()]).text().to_owned();
    let start = base.find("    {\n").unwrap();
    let lines = base[start..].lines().skip(1).take_while(|line| *line != "    }");
    let lines: Vec<String> =
        lines.filter(|line| !line.contains("\"checksum\"")).map(str::to_owned).collect();
    let mut text = base[..start].to_owned();
    for number in 1..=10_000_u32 {
        let lines: Vec<String> = lines
            .iter()
            .map(|line| match line.trim_start() {
                line if line.starts_with("\"version\"") => format!("      \"version\": {number},"),
                line if line.starts_with("\"fingerprint\"") => {
                    format!("      \"fingerprint\": \"{number:032x}\",")
                }
                line if line.starts_with("\"parent\"") && number > 1 => {
                    format!("      \"parent\": \"{:032x}\",", number - 1)
                }
                _ => line.clone(),
            })
            .collect();
        text.push_str(&with_checksum(&lines));
        text.push_str(if number < 10_000 { ",\n" } else { "\n" });
    }
    text.push_str("  ]\n}\n");
    let history = History::parse(&text).unwrap();
    assert_eq!(history.versions().len(), 10_000);
    assert_eq!(history.newest().unwrap().number(), Some(10_000));
}

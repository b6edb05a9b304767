//! The history files that the fixtures in `ui/history` name: what is recorded of one store, and all
//! that can happen to such a file.
#![allow(dead_code, reason = "the stores are there for their schemas")]

use std::fs;
use std::path::{Path, PathBuf};

use heirloom::schema::{History, Schema};
use twox_hash::XxHash3_128;

mod v1 {
    use heirloom::{Id, Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        id: Id<Note>,
        title: String,
        body: Option<String>,
        #[evolve(default)]
        stars: u8,
        legacy: Option<String>,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tags")]
    pub struct Tag {
        #[key]
        name: String,
        color: Option<String>,
    }

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        #[evolve(default = "en")]
        language: String,
        last_opened: Option<String>,
    }

    #[derive(Store)]
    #[store(name = "app")]
    pub struct App {
        notes: Table<Note>,
        tags: Table<Tag>,
        settings: Kv<Settings>,
    }
}

mod v2 {
    use heirloom::{Id, Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", removes(legacy))]
    pub struct Note {
        id: Id<Note>,
        title: String,
        body: Option<String>,
        #[evolve(default)]
        stars: u8,
    }

    #[derive(Store)]
    #[store(name = "app")]
    pub struct App {
        notes: Table<Note>,
        tags: Table<super::v1::Tag>,
        settings: Kv<super::v1::Settings>,
    }
}

/// The version that another branch has recorded as version 2.
mod branch {
    use heirloom::{Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "window")]
    pub struct Window {
        width: Option<u32>,
    }

    #[derive(Store)]
    #[store(name = "app")]
    pub struct App {
        notes: Table<super::v1::Note>,
        tags: Table<super::v1::Tag>,
        settings: Kv<super::v1::Settings>,
        window: Kv<Window>,
    }
}

/// Puts the files where fixtures find them: in the folder of the crate that trybuild makes.
pub fn write() {
    let folder = crate_of_fixtures().join("history");
    fs::create_dir_all(folder.join("folder")).expect("a folder");
    let second = recorded("app", &[v1::App::schema(), v2::App::schema()]);
    let branch = recorded("app", &[v1::App::schema(), branch::App::schema()]);
    let mut next_epoch = v2::App::schema();
    next_epoch.epoch = 1;
    let files: [(&str, String); 19] = [
        ("app", second.clone()),
        ("first", recorded("app", &[v1::App::schema()])),
        ("none", recorded("app", &[])),
        ("another_store", recorded("other", &[v1::App::schema()])),
        ("next_epoch", recorded("app", &[v1::App::schema(), next_epoch])),
        ("empty", "\n".to_owned()),
        ("truncated", second[..second.len() * 2 / 3].to_owned()),
        ("other_json", "{\n  \"name\": \"app\"\n}\n".to_owned()),
        ("no_json", "# The schema of the app\n".to_owned()),
        ("newer_format", second.replace("\"format\": 1", "\"format\": 2")),
        ("reformatted", second.replace("    ", "\t\t")),
        ("edited", replaced_last(&second, "\"type\":\"u8\"", "\"type\":\"u16\"")),
        ("version_removed", without_first(&second)),
        ("conflict", conflict(&second, &branch, false)),
        ("conflict_with_base", conflict(&second, &branch, true)),
        ("both_branches", both(&second, &branch)),
        ("merged", merged(&second, &branch)),
        ("newer_members", newer_members(&second)),
        ("crlf", second.replace('\n', "\r\n")),
    ];
    for (name, text) in files {
        let path = folder.join(format!("{name}.json"));
        // A file that is as it was does not make cargo compile anything again.
        if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            fs::write(path, text).expect("a history file");
        }
    }
    fs::write(folder.join("bytes.json"), [0xff, 0xfe, 0x00]).expect("a file");
    write_guide();
}

/// The files that `docs/changing-your-schema.md` shows.
fn write_guide() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/changing-your-schema");
    let folder = crate_of_fixtures().join("guide");
    fs::create_dir_all(&folder).expect("a folder");
    for name in ["1.json", "2.json", "3.json"] {
        fs::copy(recorded.join(name), folder.join(name)).expect("a history file");
    }
}

fn crate_of_fixtures() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target folder");
    target.join("tests/trybuild").join(env!("CARGO_PKG_NAME"))
}

fn recorded(store: &str, schemas: &[Schema]) -> String {
    let mut history = History::new(store);
    for schema in schemas {
        assert!(history.record(schema, "2026-11-20").expect("nothing breaks"));
    }
    history.text().to_owned()
}

fn replaced_last(text: &str, old: &str, new: &str) -> String {
    let start = text.rfind(old).expect("it is there");
    format!("{}{new}{}", &text[..start], &text[start + old.len()..])
}

/// The lines before the versions, the versions, and the lines after them.
fn parts(text: &str) -> (&str, Vec<&str>, &str) {
    let start = text.find("\n    {\n").expect("a version") + 1;
    let end = text.rfind("\n  ]\n").expect("an end") + 1;
    let mut versions = Vec::new();
    let mut rest = &text[start..end];
    while let Some(found) = rest.find("\n    },\n") {
        let (version, others) = rest.split_at(found + "\n    },\n".len());
        versions.push(version);
        rest = others;
    }
    versions.push(rest);
    (&text[..start], versions, &text[end..])
}

fn without_first(text: &str) -> String {
    let (head, versions, tail) = parts(text);
    format!("{head}{}{tail}", versions[1..].concat())
}

/// Returns the file that git leaves if both sides have added a version at the end.
fn conflict(ours: &str, theirs: &str, shows_base: bool) -> String {
    let ((head, our_versions, tail), (_, their_versions, _)) = (parts(ours), parts(theirs));
    let base = if shows_base { "||||||| 1a2b3c4\n" } else { "" };
    format!(
        "{head}{}<<<<<<< HEAD\n{}{base}=======\n{}>>>>>>> branch\n{tail}",
        our_versions[0], our_versions[1], their_versions[1]
    )
}

/// Returns a merge that takes the lines of both sides.
fn both(ours: &str, theirs: &str) -> String {
    let ((head, our_versions, tail), (_, their_versions, _)) = (parts(ours), parts(theirs));
    let second = our_versions[1].strip_suffix("    }\n").expect("the last one");
    format!("{head}{}{second}    }},\n{}{tail}", our_versions[0], their_versions[1])
}

/// Returns a merge that takes the lines of both sides, one by one.
fn merged(ours: &str, theirs: &str) -> String {
    let ((head, our_versions, tail), (_, their_versions, _)) = (parts(ours), parts(theirs));
    let is_own = |line: &&str| line.starts_with("      \"fingerprint\": ");
    let lines = |version: &'_ str| -> Vec<String> {
        version.split_inclusive('\n').map(str::to_owned).collect()
    };
    let theirs = lines(their_versions[1]).into_iter().find(|line| is_own(&line.as_str()));
    let mut second = lines(our_versions[1]);
    let place = second.iter().position(|line| is_own(&line.as_str())).expect("it has one");
    second.insert(place + 1, theirs.expect("it has one"));
    format!("{head}{}{}{tail}", our_versions[0], second.concat())
}

/// Returns the file as a newer heirloom of the same format may write it.
fn newer_members(text: &str) -> String {
    let text = text.replace("\"type\":\"u8\"", "\"unit\":\"stars\",\"type\":\"u8\"");
    let text = text.replace("\"kind\":\"optional\"", "\"kind\":\"sometimes\"");
    let text = text.replace("      \"changes\":", "      \"author\": \"me\",\n      \"changes\":");
    let (head, versions, tail) = parts(&text);
    let versions: String = versions.into_iter().map(with_checksum).collect();
    let head = head.replace("  \"versions\"", "  \"tool\": \"heirloom 0.9\",\n  \"versions\"");
    let tail = tail.replace("  ]", "  ],\n  \"signed\": true");
    format!("{head}{versions}{tail}")
}

/// A version with the checksum that its lines have.
fn with_checksum(version: &str) -> String {
    let is_checksum = |line: &&str| line.starts_with("      \"checksum\": ");
    let lines: Vec<&str> = version.split_inclusive('\n').collect();
    let inner = &lines[1..lines.len() - 1];
    let hashed: String = inner.iter().copied().filter(|line| !is_checksum(line)).collect();
    let checksum = format!("{:032x}", XxHash3_128::oneshot(hashed.as_bytes()));
    let lines = lines.iter().map(|line| match is_checksum(line) {
        true => format!("      \"checksum\": \"{checksum}\",\n"),
        false => (*line).to_owned(),
    });
    lines.collect()
}

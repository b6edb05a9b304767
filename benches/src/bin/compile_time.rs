//! The cost of a long history for the compiler.
//!
//! Prints how long `cargo check` takes for a crate whose store has a history, and for the same crate
//! without: medians of five, on a quiet machine.
//!
//! ```text
//! cargo run --release --bin compile_time
//! ```

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use twox_hash::XxHash3_128;

const RUNS: usize = 5;

/// A store, and how often its schema has changed.
struct Case {
    name: &'static str,
    tables: usize,
    fields: usize,
    versions: usize,
}

const CASES: [Case; 2] = [
    Case { name: "large", tables: 20, fields: 12, versions: 1_000 },
    Case { name: "small", tables: 1, fields: 3, versions: 10_000 },
];

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let workspace = folder.path();
    write_workspace(workspace);
    for case in &CASES {
        let [with, without] = ["with", "without"].map(|kind| format!("{}_{kind}", case.name));
        check(workspace, &with);
        check(workspace, &without);
        let (mut with_times, mut without_times) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            with_times.push(check(workspace, &with));
            without_times.push(check(workspace, &without));
        }
        let (with, without) = (median(with_times), median(without_times));
        println!(
            "{} tables of {} fields, {} versions: {:.0} ms with a history, {:.0} ms without",
            case.tables,
            case.fields,
            case.versions,
            with.as_secs_f64() * 1e3,
            without.as_secs_f64() * 1e3,
        );
    }
}

/// How long it takes to check the crate anew.
fn check(workspace: &Path, name: &str) -> Duration {
    let source = workspace.join(name).join("lib.rs");
    let text = fs::read_to_string(&source).expect("the source");
    fs::write(&source, text).expect("the source is touched");
    let start = Instant::now();
    let status = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--package", name])
        .env("CARGO_TARGET_DIR", workspace.join("target"))
        .current_dir(workspace)
        .status();
    let time = start.elapsed();
    assert!(status.expect("cargo runs").success());
    time
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// A workspace with two crates for each case.
fn write_workspace(folder: &Path) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let mut members = String::new();
    for case in &CASES {
        for has_history in [true, false] {
            let name = format!("{}_{}", case.name, if has_history { "with" } else { "without" });
            write!(members, "\"{name}\", ").expect("text");
            let member = folder.join(&name);
            fs::create_dir_all(&member).expect("a folder");
            let manifest = format!(
                "[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\n\n\
                 [dependencies]\nheirloom = {{ path = {:?} }}\nschemars = \"1\"\n\
                 serde = {{ version = \"1\", features = [\"derive\"] }}\n",
                repository.join("runtime")
            );
            fs::write(member.join("Cargo.toml"), manifest).expect("a manifest");
            fs::write(member.join("lib.rs"), source(case, has_history)).expect("a source");
            if has_history {
                fs::write(member.join("history.json"), history(case)).expect("a history");
            }
        }
    }
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n");
    fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
    fs::copy(repository.join("Cargo.lock"), folder.join("Cargo.lock")).expect("a lock file");
}

fn source(case: &Case, has_history: bool) -> String {
    let mut source = String::from(
        "use heirloom::{Id, Store, Table};\nuse schemars::JsonSchema;\n\
         use serde::{Deserialize, Serialize};\n\n",
    );
    for table in 0..case.tables {
        write!(
            source,
            "#[derive(Serialize, Deserialize, JsonSchema, Table)]\n\
             #[table(name = \"{}\")]\npub struct Row{table} {{\n    pub id: Id<Row{table}>,\n",
            name_of(table)
        )
        .expect("text");
        for field in 1..case.fields {
            writeln!(source, "    pub field_{field}: Option<String>,").expect("text");
        }
        source.push_str("}\n\n");
    }
    let history = if has_history { ", history = \"history.json\"" } else { "" };
    write!(source, "#[derive(Store)]\n#[store(name = \"{}\"{history})]\n", case.name)
        .expect("text");
    source.push_str("pub struct App {\n");
    for table in 0..case.tables {
        writeln!(source, "    pub table_{table}: Table<Row{table}>,").expect("text");
    }
    source.push_str("}\n");
    source
}

/// Names of tables with ids have no digits.
fn name_of(table: usize) -> String {
    format!("table_{}", (b'a' + u8::try_from(table).expect("few tables")) as char)
}

/// A history whose versions are all the same schema: what they hold costs the same.
fn history(case: &Case) -> String {
    let schema = schema(case);
    let mut text = format!(
        "{{\n  \"heirloom\": \"schema history\",\n  \"format\": 1,\n  \"store\": \"{}\",\n  \
         \"versions\": [\n",
        case.name
    );
    for version in 1..=case.versions {
        let parent = match version {
            1 => "null".to_owned(),
            _ => format!("\"{:032x}\"", version - 1),
        };
        let first = format!(
            "      \"epoch\": 0,\n      \"version\": {version},\n      \
             \"fingerprint\": \"{version:032x}\",\n      \"parent\": {parent},\n      \
             \"date\": \"2026-11-20\",\n"
        );
        let checksum = XxHash3_128::oneshot(format!("{first}{schema}").as_bytes());
        let comma = if version < case.versions { "," } else { "" };
        write!(
            text,
            "    {{\n{first}      \"checksum\": \"{checksum:032x}\",\n{schema}    }}{comma}\n"
        )
        .expect("text");
    }
    text.push_str("  ]\n}\n");
    text
}

fn schema(case: &Case) -> String {
    let tables: Vec<String> = (0..case.tables)
        .map(|table| {
            let mut fields = vec![format!(
                "              \"id\": {{\"type\":\"Id<Row{table}>\",\"default\":\
                 {{\"kind\":\"required\"}},\"schema\":{{\"pattern\":\
                 \"^table_[0-7][0-9a-hjkmnp-tv-z]{{25}}$\",\"type\":\"string\"}}}}"
            )];
            fields.extend((1..case.fields).map(|field| {
                format!(
                    "              \"field_{field}\": {{\"type\":\"Option<String>\",\"default\":\
                     {{\"kind\":\"optional\"}},\"schema\":{{\"type\":[\"string\",\"null\"]}}}}"
                )
            }));
            format!(
                "          \"{}\": {{\n            \"key\": {{\"field\":\"id\",\"kind\":\"id\"}},\n            \
                 \"indexes\": [],\n            \"fields\": {{\n{}\n            }}\n          }}",
                name_of(table),
                fields.join(",\n")
            )
        })
        .collect();
    format!(
        "      \"changes\": [],\n      \"schema\": {{\n        \"epoch\": 0,\n        \"tables\": {{\n{}\n        \
         }},\n        \"groups\": {{\n        }},\n        \"types\": {{\n        }},\n        \
         \"reserved\": []\n      }}\n",
        tables.join(",\n")
    )
}

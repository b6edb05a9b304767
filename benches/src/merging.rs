//! Merging: what edits that meet cost, held against the same work without them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::data::{self, Track};
use crate::plan::{Size, Unit};
use crate::query::{Line, compare};
use crate::stage::Stage;
use crate::{Result, report};

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tracks")]
struct Row {
    id: Id<Row>,
    title: String,
    artist: String,
    notes: String,
    duration: f64,
    plays: u64,
}

#[derive(Store)]
#[store(name = "library")]
struct Library {
    tracks: Table<Row>,
}

/// The same rows, merged by field.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tracks", merge = "fields")]
struct FieldRow {
    id: Id<FieldRow>,
    title: String,
    artist: String,
    notes: String,
    duration: f64,
    plays: u64,
}

#[derive(Store)]
#[store(name = "field-library")]
struct FieldLibrary {
    tracks: Table<FieldRow>,
}

fn field_row(track: Track) -> FieldRow {
    let Track { id, title, artist, notes, duration, plays, .. } = track;
    FieldRow { id: Id::from_uuid(id), title, artist, notes, duration, plays }
}

fn row(track: Track) -> Row {
    let Track { id, title, artist, notes, duration, plays, .. } = track;
    Row { id: Id::from_uuid(id), title, artist, notes, duration, plays }
}

/// How long it takes to merge `rows` rows into a store that has a tenth as many: under the same keys, or
/// under others.
fn merging(dir: &Path, turn: &mut u64, rows: u64, conflict: bool) -> Result<f64> {
    *turn += 1;
    let path = |name: &str| -> PathBuf { dir.join(format!("{name}-{turn}")) };
    let (theirs, ours) = (Library::open(path("theirs"))?, Library::open(path("ours"))?);
    theirs.tracks.insert_many(data::tracks(0..rows).map(row))?;
    let start = if conflict { 0 } else { rows };
    let own = data::tracks(start..start + rows / 10).map(row);
    ours.tracks.insert_many(own.map(|row| Row { plays: 1 << 40, ..row }))?;
    let changes = theirs.changes_since(&ours.summary()?)?;
    let start = Instant::now();
    ours.apply(&changes)?;
    let taken = start.elapsed().as_nanos() as f64;
    assert_eq!(ours.lost_edits()?.len() as u64, if conflict { rows / 10 } else { 0 });
    drop((theirs, ours));
    for name in ["theirs", "ours"] {
        std::fs::remove_file(path(name))?;
    }
    Ok(taken)
}

/// Takes all measurements.
pub fn run(args: &Args, stage: &Stage) -> Result<Vec<Line>> {
    if !args.wants("merging") || !args.wants_peer("heirloom") {
        return Ok(Vec::new());
    }
    let dir = stage.dir().join("merging");
    std::fs::create_dir_all(&dir)?;
    let count = Size::Main.rows(args.quick);
    let (mut one, mut other) = (0, 1 << 32);
    let (ours, without) = compare(
        || merging(&dir, &mut one, count, true),
        || merging(&dir, &mut other, count, false),
        5,
    )?;
    let mut lines = Vec::new();
    let mut add = |label, name, at_most, ours, other| {
        eprintln!("{:>16} {}  {label}", "merging", report::spread(&ours, Unit::Time));
        eprintln!("{:>16} {}  {name}", "", report::spread(&other, Unit::Time));
        lines.push(Line { label, ours, other, name, at_most, unit: Unit::Time });
    };
    add("merge 100k rows of which 10k conflict", "without conflicts", 1.5, ours, without);
    let whole = Library::open(dir.join("whole"))?;
    whole.tracks.insert_many(data::tracks(0..count).map(row))?;
    let fields = FieldLibrary::open(dir.join("fields"))?;
    fields.tracks.insert_many(data::tracks(0..count).map(field_row))?;
    let key = data::tracks(0..1).map(row).next().map(|row| row.id);
    let Some(key) = key else { return Ok(lines) };
    let (mut turn, mut other_turn) = (0, 0);
    // The first edit of a field makes its cell; the later ones are what is measured.
    fields.tracks.update(&key.cast(), |row| row.plays = 1 << 41)?;
    let (ours, other) = compare(
        || {
            turn += 1;
            let start = Instant::now();
            fields.tracks.update(&key.cast(), |row| row.plays = turn)?;
            Ok(start.elapsed().as_nanos() as f64)
        },
        || {
            other_turn += 1;
            let start = Instant::now();
            whole.tracks.update(&key, |row| row.plays = other_turn)?;
            Ok(start.elapsed().as_nanos() as f64)
        },
        200,
    )?;
    add("update one field, merged by field", "merged whole", 1.1, ours, other);
    let summary = fields.summary()?;
    fields.tracks.update(&key.cast(), |row| row.plays = 1 << 42)?;
    let changes = fields.changes_since(&summary)?;
    eprintln!("{:>16} {} B exchanged for one field", "", changes.to_bytes().len());
    // A tenth of the rows with a cell.
    let edited: Vec<_> = data::tracks(0..count).step_by(10).map(field_row).collect();
    fields.transaction(|tx| {
        edited.iter().try_for_each(|row| {
            tx.update::<FieldRow>(&row.id, |row| row.plays = 1 << 43).map(drop)
        })
    })?;
    let (ours, other) = compare(
        || {
            let start = Instant::now();
            let sum: f64 = fields.tracks.iter()?.map(|row| row.map_or(0.0, |row| row.duration)).sum();
            std::hint::black_box(sum);
            Ok(start.elapsed().as_nanos() as f64)
        },
        || {
            let start = Instant::now();
            let sum: f64 = whole.tracks.iter()?.map(|row| row.map_or(0.0, |row| row.duration)).sum();
            std::hint::black_box(sum);
            Ok(start.elapsed().as_nanos() as f64)
        },
        11,
    )?;
    add("scan, a tenth of the rows edited by field", "merged whole", 1.15, ours, other);
    Ok(lines)
}

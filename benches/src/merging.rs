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
    let (label, name) = ("merge 100k rows of which 10k conflict", "without conflicts");
    eprintln!("{:>16} {}  {label}", "merging", report::spread(&ours, Unit::Time));
    eprintln!("{:>16} {}  {name}", "", report::spread(&without, Unit::Time));
    Ok(vec![Line { label, ours, other: without, name, at_most: 1.5, unit: Unit::Time }])
}

//! Epochs: what a migration, a rebuild and late edits cost, held against the same work without them.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use heirloom::{Id, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::data::{self, Status, Track};
use crate::plan::{Size, Unit};
use crate::query::{Line, compare};
use crate::results::Figure;
use crate::stage::Stage;
use crate::{Result, report};

/// The row of the first epoch.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tracks")]
struct Row0 {
    id: Id<Row0>,
    title: String,
    artist: String,
    album: Option<String>,
    notes: String,
    status: Status,
    duration: f64,
    rating: u8,
    plays: u64,
    favourite: bool,
}

#[derive(Store)]
#[store(name = "library")]
struct Library0 {
    tracks: Table<Row0>,
}

/// A new name, and a field that is computed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tracks", previous = Row0, removes(favourite))]
struct Row1 {
    id: Id<Row1>,
    #[evolve(renamed_from = "title")]
    name: String,
    artist: String,
    album: Option<String>,
    notes: String,
    status: Status,
    #[evolve(with = |duration| (duration * 1000.0) as u64)]
    duration_ms: u64,
    rating: u8,
    plays: u64,
}

#[derive(Store)]
#[store(name = "library", epoch = 1, previous = Library0)]
struct Library1 {
    tracks: Table<Row1>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tracks", previous = Row1)]
struct Row2 {
    id: Id<Row2>,
    name: String,
    #[evolve(renamed_from = "artist")]
    performer: String,
    album: Option<String>,
    notes: String,
    status: Status,
    duration_ms: u64,
    #[evolve(with = |rating| u16::from(rating) * 10)]
    percent: u16,
    plays: u64,
}

#[derive(Store)]
#[store(name = "library", epoch = 2, previous = Library1)]
struct Library2 {
    tracks: Table<Row2>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tracks", previous = Row2)]
struct Row3 {
    id: Id<Row3>,
    name: String,
    performer: String,
    album: Option<String>,
    #[evolve(renamed_from = "notes")]
    remarks: String,
    status: Status,
    duration_ms: u64,
    percent: u16,
    plays: u64,
}

#[derive(Store)]
#[store(name = "library", epoch = 3, previous = Library2)]
struct Library3 {
    tracks: Table<Row3>,
}

fn row0(track: Track) -> Row0 {
    let Track { id, title, artist, album, notes, status, duration, rating, plays, favourite } =
        track;
    let id = Id::from_uuid(id);
    Row0 { id, title, artist, album, notes, status, duration, rating, plays, favourite }
}

fn row1(track: Track) -> Row1 {
    let Track { id, title, artist, album, notes, status, duration, rating, plays, .. } = track;
    let id = Id::from_uuid(id);
    let duration_ms = (duration * 1000.0) as u64;
    Row1 { id, name: title, artist, album, notes, status, duration_ms, rating, plays }
}

/// A copy of a file, opened by `S`: only that is timed.
fn opening<S: Store>(from: &Path, at: PathBuf) -> Result<f64> {
    fs::copy(from, &at)?;
    let start = Instant::now();
    let store = black_box(S::open(&at)?);
    let taken = start.elapsed().as_nanos() as f64;
    drop(store);
    fs::remove_file(&at)?;
    Ok(taken)
}

/// Two figures of one sample each.
fn single(ours: f64, other: f64) -> (Figure, Figure) {
    (Figure::of(vec![ours], 1, false), Figure::of(vec![other], 1, false))
}

/// How long it takes to carry so many late rows into a store of `rows`, once `already` were carried.
fn carrying(dir: &Path, rows: u64, already: u64, late: u64) -> Result<f64> {
    fs::create_dir_all(dir)?;
    let (new_path, old_path) = (dir.join("new"), dir.join("old"));
    {
        let old = Library0::open(&old_path)?;
        old.tracks.insert_many(data::tracks(0..rows).map(row0))?;
        old.backup(&new_path)?;
    }
    let (old, new) = (Library0::open(&old_path)?, Library1::open(&new_path)?);
    let give = || -> Result<f64> {
        let changes = old.changes_since(&new.summary()?)?;
        let start = Instant::now();
        new.apply(&changes)?;
        Ok(start.elapsed().as_nanos() as f64)
    };
    let touch = |round: u64, count: u64| {
        old.transaction(|tx| {
            for track in data::tracks(round * count..(round + 1) * count) {
                tx.update::<Row0>(&Id::from_uuid(track.id), |row| {
                    row.title = format!("late {round}");
                })?;
            }
            Ok(())
        })
    };
    // The documents are loaded by the first one.
    touch(0, already)?;
    give()?;
    let mut taken = Vec::new();
    for round in 1..6 {
        touch(round, late)?;
        taken.push(give()?);
    }
    taken.sort_by(f64::total_cmp);
    assert!(new.quarantine()?.is_empty(), "all are carried");
    Ok(taken[taken.len() / 2])
}

/// The bytes of a document of so many rows, rebuilt after ten overwrites of each, or fresh.
fn bytes(path: &Path, rows: u64, rebuilt: bool) -> Result<f64> {
    let library = Library0::open(path)?;
    library.tracks.insert_many(data::tracks(0..rows).map(row0))?;
    for round in 0..if rebuilt { 10 } else { 0 } {
        library.transaction(|tx| {
            for track in data::tracks(0..rows) {
                tx.update::<Row0>(&Id::from_uuid(track.id), |row| row.plays = round)?;
            }
            Ok(())
        })?;
    }
    if rebuilt {
        library.transaction(|tx| {
            data::tracks(0..rows).map(row0).try_for_each(|row| tx.put::<Row0>(&row))
        })?;
        library.compact_history()?;
    }
    Ok(library.status()?.history().document_bytes() as f64)
}

/// Takes all measurements.
pub fn run(args: &Args, stage: &Stage) -> Result<Vec<Line>> {
    if !args.wants("epochs") || !args.wants_peer("heirloom") {
        return Ok(Vec::new());
    }
    let mut lines = Vec::new();
    let mut add = |label, name, at_most, unit, (ours, other): (Figure, Figure)| {
        eprintln!("{:>16} {}  {label}", "epochs", report::spread(&ours, unit));
        eprintln!("{:>16} {}  {name}", "", report::spread(&other, unit));
        lines.push(Line { label, ours, other, name, at_most, unit });
    };
    let count = Size::Main.rows(args.quick);
    let dir = stage.dir().join("epochs");
    fs::create_dir_all(&dir)?;
    let old = dir.join("old");
    Library0::open(&old)?.tracks.insert_many(data::tracks(0..count).map(row0))?;

    let mut turn = 0;
    let fresh = || {
        turn += 1;
        let path = dir.join(format!("fresh-{turn}"));
        let library = Library1::open(&path)?;
        let start = Instant::now();
        library.tracks.insert_many(data::tracks(0..count).map(row1))?;
        let taken = start.elapsed().as_nanos() as f64;
        drop(library);
        fs::remove_file(path)?;
        Ok(taken)
    };
    let migrate = || opening::<Library1>(&old, dir.join("one"));
    let figures = compare(migrate, fresh, 7)?;
    add("migrate 100k rows by one epoch", "insert them", 1.5, Unit::Time, figures);

    let three = || opening::<Library3>(&old, dir.join("three"));
    let one = || opening::<Library1>(&old, dir.join("one"));
    add("by three epochs", "by one", 1.2, Unit::Time, compare(three, one, 7)?);

    let (there, begun) = (dir.join("there"), dir.join("begun"));
    fs::copy(&old, &there)?;
    drop(Library1::open(&there)?);
    Library1::open(&begun)?.tracks.insert_many(data::tracks(0..count).map(row1))?;
    let opened = |path: &Path| {
        let start = Instant::now();
        black_box(Library1::open(path)?);
        Ok(start.elapsed().as_nanos() as f64)
    };
    let figures = compare(|| opened(&there), || opened(&begun), 101)?;
    add("open a file that was migrated", "one that began there", 1.1, Unit::Time, figures);

    let part = count / 10;
    let figures =
        single(bytes(&dir.join("history"), part, true)?, bytes(&dir.join("plain"), part, false)?);
    add("a document rebuilt after 10 overwrites", "a fresh one", 1.05, Unit::Bytes, figures);

    let late = count / 100;
    let figures = single(
        carrying(&dir.join("large"), count, 10, late)?,
        carrying(&dir.join("small"), count / 10, 10, late)?,
    );
    add("carry 1,000 late rows into 100k", "into 10k", 1.5, Unit::Time, figures);

    let figures = single(
        carrying(&dir.join("many"), count, count / 2, 100)?,
        carrying(&dir.join("few"), count, 100, 100)?,
    );
    add("carry 100 late rows beside 50k carried", "beside 100", 2.0, Unit::Time, figures);
    Ok(lines)
}

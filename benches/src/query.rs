//! Queries, indexes and live results: heirloom beside SQLite with the same indexes.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use heirloom::{Id, Store, Table};
use rusqlite::{Connection, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::data::{self, Status, Track};
use crate::plan::{Size, Unit};
use crate::results::Figure;
use crate::stage::Stage;
use crate::{Result, report};

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tracks")]
struct Row {
    id: Id<Row>,
    title: String,
    artist: String,
    album: Option<String>,
    notes: String,
    status: Status,
    duration: f64,
    /// 0 to 9, each as often.
    #[index]
    rating: u8,
    /// A number of its own for each row, in no order.
    #[index]
    plays: u64,
    favourite: bool,
}

#[derive(Store)]
#[store(name = "library", epoch = 0)]
struct Library {
    tracks: Table<Row>,
}

const SCHEMA: &str = "CREATE TABLE tracks (
    id BLOB PRIMARY KEY NOT NULL, title TEXT NOT NULL, artist TEXT NOT NULL, album TEXT,
    notes TEXT NOT NULL, status TEXT NOT NULL, duration REAL NOT NULL, rating INTEGER NOT NULL,
    plays INTEGER NOT NULL, favourite INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX by_rating ON tracks (rating);
CREATE INDEX by_plays ON tracks (plays);";

/// How often each has its turn.
const ROUNDS: usize = 7;

/// A line of the table: what is measured, of heirloom, of what it is held against, and the most
/// that the first may be of the second.
pub struct Line {
    /// The name of the measurement.
    pub label: &'static str,
    /// heirloom's.
    pub ours: Figure,
    /// The figure that it is compared with.
    pub other: Figure,
    /// The name of that peer.
    pub name: &'static str,
    /// The most that the quotient should be.
    pub at_most: f64,
    /// The unit of the figures.
    pub unit: Unit,
}

fn rows(count: u64) -> impl Iterator<Item = Track> {
    // A step that shares no divisor with powers of ten visits every number once.
    data::tracks(0..count).zip(0..).map(move |(track, number)| Track {
        rating: (number % 10) as u8,
        plays: number * 7_919 % count,
        ..track
    })
}

fn row(track: Track) -> Row {
    let Track { id, title, artist, album, notes, status, duration, rating, plays, favourite } =
        track;
    let id = Id::from_uuid(id);
    Row { id, title, artist, album, notes, status, duration, rating, plays, favourite }
}

fn sqlite(path: &Path, count: u64) -> Result<Connection> {
    let mut db = Connection::open(path)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "cache_size", -65_536)?;
    db.execute_batch(SCHEMA)?;
    let tx = db.transaction()?;
    {
        let mut insert = tx.prepare("INSERT INTO tracks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
        for row in rows(count) {
            let status = match row.status {
                Status::Pending => "pending",
                Status::Ready => "ready",
                Status::Failed => "failed",
            };
            insert.execute(params![
                row.id.as_bytes().as_slice(),
                row.title,
                row.artist,
                row.album,
                row.notes,
                status,
                row.duration,
                row.rating,
                row.plays as i64,
                row.favourite,
            ])?;
        }
    }
    tx.commit()?;
    Ok(db)
}

fn select(db: &Connection, condition: &str) -> Result<usize> {
    let mut select = db.prepare_cached(&format!("SELECT * FROM tracks {condition}"))?;
    let mut rows = select.query(())?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(crate::peers::sqlite::track(row)?);
    }
    Ok(black_box(all).len())
}

/// How long work takes, in nanoseconds.
pub fn time<T>(work: impl FnOnce() -> Result<T>) -> Result<f64> {
    let start = Instant::now();
    black_box(work()?);
    Ok(start.elapsed().as_nanos() as f64)
}

/// Two ways in turn, each so often.
pub fn compare(
    mut ours: impl FnMut() -> Result<f64>,
    mut other: impl FnMut() -> Result<f64>,
    rounds: usize,
) -> Result<(Figure, Figure)> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        left.push(ours()?);
        right.push(other()?);
    }
    Ok((Figure::of(left, 1, false), Figure::of(right, 1, false)))
}

/// Takes all six measurements.
pub fn run(args: &Args, stage: &Stage) -> Result<Vec<Line>> {
    if !args.wants("query") || !args.wants_peer("heirloom") {
        return Ok(Vec::new());
    }
    let mut lines = Vec::new();
    let mut add = |label, name, at_most, (ours, other): (Figure, Figure)| {
        eprintln!("{:>16} {}  {label}", "query", report::spread(&ours, Unit::Time));
        eprintln!("{:>16} {}  {name}", "", report::spread(&other, Unit::Time));
        lines.push(Line { label, ours, other, name, at_most, unit: Unit::Time });
    };
    let count = Size::Main.rows(args.quick);
    let fresh = |name: &str, turn: usize| stage.dir().join(format!("query-{name}-{turn}"));

    let (mut a, mut b) = (0, 0);
    let ours = || {
        a += 1;
        let library = Library::open(fresh("ours", a))?;
        time(|| Ok(library.tracks.insert_many(rows(count).map(row))?))
    };
    let other = || {
        b += 1;
        time(|| sqlite(&fresh("other", b), count))
    };
    add("insert 100k with two indexes in one transaction", "SQLite", 2.2, compare(ours, other, 5)?);

    let library = Library::open(fresh("ours", 1))?;
    let db = Connection::open(fresh("other", 1))?;
    db.pragma_update(None, "cache_size", -65_536)?;
    let tracks = &library.tracks;
    let same = |ours: usize, other: usize| assert_eq!(ours, other, "both give the same rows");

    same(tracks.filter(Row::RATING.eq(3)).count()?, select(&db, "WHERE rating = 3")?);
    let ours = || time(|| Ok(tracks.filter(Row::RATING.eq(3)).all()?));
    let other = || time(|| select(&db, "WHERE rating = 3 ORDER BY id"));
    add("equality on an index giving 10k rows", "SQLite", 1.0, compare(ours, other, ROUNDS)?);

    let ours = || time(|| Ok(tracks.order_by(Row::PLAYS.desc()).limit(20).all()?));
    let other = || time(|| select(&db, "ORDER BY plays DESC LIMIT 20"));
    add("first 20 by an indexed order", "SQLite", 1.2, compare(ours, other, 101)?);

    let (low, high) = (count / 2, count / 2 + count / 10 - 1);
    let ours = || time(|| Ok(tracks.filter(Row::PLAYS.between(low, high)).count()?));
    let other = || {
        time(|| {
            let mut count =
                db.prepare_cached("SELECT COUNT(*) FROM tracks WHERE plays BETWEEN ? AND ?")?;
            Ok(count.query_row([low as i64, high as i64], |row| row.get::<_, i64>(0))?)
        })
    };
    add("range count of 10k on an index", "SQLite", 1.5, compare(ours, other, 31)?);
    drop(library);

    let big = Size::Big.rows(args.quick);
    let library = Library::open(fresh("big", 0))?;
    library.tracks.insert_many(rows(big).map(row))?;
    let tracks = &library.tracks;
    let one = tracks.filter(Row::PLAYS.eq(0)).one()?.id;
    let mut turn = 0;
    let mut commit = || {
        turn += 1;
        time(|| Ok(tracks.update(&one, |row| row.title = format!("turn {turn}"))?))
    };
    for _ in 0..20 {
        commit()?;
    }
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        let watches: Vec<_> = (0..100)
            .map(|n| tracks.filter(Row::PLAYS.eq(n * (big / 100))).watch())
            .collect::<heirloom::Result<_>>()?;
        for _ in 0..20 {
            with.push(commit()?);
        }
        drop(watches);
        // The next commit notices that nobody watches any more.
        commit()?;
        for _ in 0..20 {
            without.push(commit()?);
        }
    }
    let figures = (Figure::of(with, 1, false), Figure::of(without, 1, false));
    add(
        "one commit with 100 watches, 1 of them affected, at 1M",
        "the same with none",
        1.3,
        figures,
    );
    drop(library);

    let library = Library::in_memory()?;
    library.tracks.insert_many(rows(count).map(row))?;
    let tracks = &library.tracks;
    let one = tracks.filter(Row::PLAYS.eq(50)).one()?.id;
    let mut turn = 0;
    let mut deliver = |size: u64| {
        let watch = tracks.filter(Row::PLAYS.lt(size)).watch()?;
        watch.recv()?;
        let mut taken = Vec::new();
        for _ in 0..100 {
            turn += 1;
            taken.push(time(|| {
                tracks.update(&one, |row| row.title = format!("turn {turn}"))?;
                Ok(watch.recv()?)
            })?);
        }
        tracks.update(&one, |row| row.title.clear())?;
        Ok::<_, crate::Error>(taken)
    };
    let (mut large, mut small) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        large.extend(deliver(count / 10)?);
        small.extend(deliver(100)?);
    }
    let figures = (Figure::of(large, 1, false), Figure::of(small, 1, false));
    add("commit and delta of one row of a 10k-row result", "of a 100-row result", 1.1, figures);
    Ok(lines)
}

//! How each thing is measured: the same code for every peer.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Result;
use crate::child::Job;
use crate::data::{self, Random};
use crate::peers::Peer;
use crate::stage::Stage;

/// A turn ends after this long, with however many samples it has.
const TURN: Duration = Duration::from_millis(500);

/// Takes some samples, in nanoseconds or bytes. What it needs has been opened and warmed up.
pub type Turn<'a> = Box<dyn FnMut() -> Result<Vec<f64>> + 'a>;

/// Something to measure.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// All rows into a new, open store.
    InsertAll,
    /// A tenth more rows, in one transaction, into an open store.
    InsertMore,
    /// One row into an open store that has been written to before.
    InsertOne,
    /// One row out of an open store that has been read before.
    Get,
    /// All rows out of an open store that has been read before.
    Scan,
    /// Opening a closed store and reading one row.
    OpenGet,
    /// Opening a closed store and writing one row.
    OpenWrite,
    /// Closing a store that has been opened and read one row.
    Close,
    /// The memory of a process that does [`Kind::OpenGet`].
    OpenGetMemory,
    /// The memory of a process that does [`Kind::InsertAll`], its rows made one by one.
    InsertAllMemory,
    /// The bytes of a store on disk, closed after [`Kind::InsertAll`].
    FileSize,
}

impl Kind {
    /// Makes a peer ready for its turns.
    pub fn prepare<P: Peer>(self, stage: &Stage, rows: u64) -> Result<Turn<'_>> {
        match self {
            Self::InsertAll => Ok(insert_all::<P>(stage, rows)),
            Self::InsertMore => insert_more::<P>(stage, rows),
            Self::InsertOne => insert_one::<P>(stage, rows),
            Self::Get => get::<P>(stage, rows),
            Self::Scan => scan::<P>(stage, rows),
            Self::OpenGet => open_get::<P>(stage, rows, |open_get, _| open_get),
            Self::OpenWrite => open_write::<P>(stage, rows),
            Self::Close => open_get::<P>(stage, rows, |_, close| close),
            Self::OpenGetMemory => {
                let dir = stage.store::<P>(rows)?;
                Ok(Box::new(move || Ok(vec![Job::OpenGet.in_child::<P>(&dir, rows)?])))
            }
            Self::InsertAllMemory => {
                Ok(in_fresh::<P>(stage, move |dir| Job::Insert.in_child::<P>(dir, rows)))
            }
            Self::FileSize => Ok(in_fresh::<P>(stage, move |dir| {
                P::open(dir)?.insert_all(data::tracks(0..rows).map(P::Row::from))?;
                size_of(dir)
            })),
        }
    }
}

fn insert_all<P: Peer>(stage: &Stage, rows: u64) -> Turn<'_> {
    in_fresh::<P>(stage, move |dir| {
        let rows: Vec<P::Row> = data::tracks(0..rows).map(P::Row::from).collect();
        let mut peer = P::open(dir)?;
        let start = Instant::now();
        peer.insert_all(rows.into_iter())?;
        Ok(nanoseconds(start))
    })
}

fn insert_more<P: Peer>(stage: &Stage, rows: u64) -> Result<Turn<'_>> {
    let mut peer = P::open(&stage.store_to_write::<P>(rows, "more")?)?;
    let mut insert = move || {
        let rows: Vec<P::Row> =
            stage.unused(rows / 10).map(|number| data::track(number).into()).collect();
        let start = Instant::now();
        peer.insert_all(rows.into_iter())?;
        Ok(nanoseconds(start))
    };
    insert()?;
    Ok(Box::new(move || samples(1, &mut insert)))
}

fn insert_one<P: Peer>(stage: &Stage, rows: u64) -> Result<Turn<'_>> {
    // So many commits first that SQLite's log has been checkpointed: from then on it is overwritten
    // in place, as in an app that has run for a while, which takes half as long as growing it.
    const WARM_UP: usize = 2_000;
    let mut peer = P::open(&stage.store_to_write::<P>(rows, "one")?)?;
    let mut insert = move || {
        let row = data::track(stage.unused(1).start).into();
        let start = Instant::now();
        peer.insert(row)?;
        Ok(nanoseconds(start))
    };
    for _ in 0..WARM_UP {
        insert()?;
    }
    Ok(Box::new(move || samples(50, &mut insert)))
}

fn get<P: Peer>(stage: &Stage, rows: u64) -> Result<Turn<'_>> {
    const BATCH: usize = 1_000;
    let peer = P::open(&stage.store::<P>(rows)?)?;
    let mut random = Random::new(stage.unused(1).start);
    let mut batch = move || {
        let keys: Vec<P::Key> = (0..BATCH).map(|_| P::key(data::id(random.below(rows)))).collect();
        let start = Instant::now();
        for key in &keys {
            let row = peer.get(key)?;
            assert!(black_box(row).is_some(), "every key is there");
        }
        Ok(nanoseconds(start) / BATCH as f64)
    };
    // So many that about every row has been asked for.
    samples((rows / 500) as usize, &mut batch)?;
    Ok(Box::new(move || samples(20, &mut batch)))
}

fn scan<P: Peer>(stage: &Stage, rows: u64) -> Result<Turn<'_>> {
    let peer = P::open(&stage.store::<P>(rows)?)?;
    let mut scan = move || {
        let mut seen = 0;
        let start = Instant::now();
        peer.scan(|row| {
            black_box(row);
            seen += 1;
        })?;
        let took = nanoseconds(start);
        assert_eq!(seen, rows, "every row is there, once");
        Ok(took)
    };
    scan()?;
    Ok(Box::new(move || samples(3, &mut scan)))
}

/// Opens, reads one row and closes; `of` picks from the times of the first two and of the last.
fn open_get<P: Peer>(stage: &Stage, rows: u64, of: fn(f64, f64) -> f64) -> Result<Turn<'_>> {
    let dir = stage.store::<P>(rows)?;
    let mut random = Random::new(stage.unused(1).start);
    let mut once = move || {
        let key = P::key(data::id(random.below(rows)));
        let start = Instant::now();
        let peer = P::open(&dir)?;
        let row = peer.get(&key)?;
        let open_get = nanoseconds(start);
        assert!(row.is_some(), "every key is there");
        let start = Instant::now();
        drop(peer);
        Ok(of(open_get, nanoseconds(start)))
    };
    once()?;
    Ok(Box::new(move || samples(20, &mut once)))
}

fn open_write<P: Peer>(stage: &Stage, rows: u64) -> Result<Turn<'_>> {
    let dir = stage.store_to_write::<P>(rows, "one")?;
    let mut once = move || {
        let row = data::track(stage.unused(1).start).into();
        let start = Instant::now();
        let mut peer = P::open(&dir)?;
        peer.insert(row)?;
        Ok(nanoseconds(start))
    };
    once()?;
    Ok(Box::new(move || samples(10, &mut once)))
}

/// At most so many samples, fewer where they take long, but one at least.
pub fn samples(at_most: usize, once: &mut dyn FnMut() -> Result<f64>) -> Result<Vec<f64>> {
    let start = Instant::now();
    let mut samples = Vec::new();
    while samples.len() < at_most && (samples.is_empty() || start.elapsed() < TURN) {
        samples.push(once()?);
    }
    Ok(samples)
}

/// Turns of one sample, each taken in a directory that is removed again.
fn in_fresh<'a, P: Peer>(stage: &'a Stage, take: impl Fn(&Path) -> Result<f64> + 'a) -> Turn<'a> {
    Box::new(move || {
        let dir = stage.fresh::<P>()?;
        let sample = take(&dir)?;
        fs::remove_dir_all(&dir)?;
        Ok(vec![sample])
    })
}

fn nanoseconds(since: Instant) -> f64 {
    since.elapsed().as_nanos() as f64
}

/// The bytes of all files in a directory.
fn size_of(dir: &Path) -> Result<f64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes as f64)
}

//! The peers as values, so that a loop can alternate between them.

use std::path::Path;

use crate::Result;
use crate::child::Job;
use crate::measure::{Kind, Turn};
#[cfg(feature = "heirloom")]
use crate::peers::heirloom::Heirloom;
use crate::peers::native_db::{IndexedRow, NativeDb};
use crate::peers::{self, Peer, automerge::Autosurgeon, redb::Redb, sqlite::Sqlite, yrs::Yrs};
use crate::plan::{Measurement, Size};
use crate::stage::Stage;

/// Makes a peer ready for its turns at a measurement with so many rows.
type Prepare = fn(Kind, &Stage, u64) -> Result<Turn<'_>>;

/// A [`Peer`], its type forgotten.
#[derive(Debug)]
pub struct Contender {
    /// Its name.
    pub name: &'static str,
    /// Fails where it does not give back what was put in.
    pub check: fn(&Stage) -> Result<()>,
    /// Does a child process's work.
    pub job: fn(Job, &Path, u64) -> Result<()>,
    prepare: Prepare,
    prepare_indexed: Option<Prepare>,
    max_rows: u64,
}

/// Everyone, heirloom first: the columns of the table.
pub const ALL: &[Contender] = &[
    #[cfg(feature = "heirloom")]
    Contender::of::<Heirloom>(),
    Contender::of::<Sqlite>().indexed::<Sqlite<true>>(),
    Contender::of::<NativeDb>().indexed::<NativeDb<IndexedRow>>(),
    Contender::of::<Redb>(),
    Contender::of::<Yrs>(),
    Contender::of::<Autosurgeon>(),
];

impl Contender {
    const fn of<P: Peer>() -> Self {
        Self {
            name: P::NAME,
            check: |stage| named::<P, _>(peers::check::<P>(stage.dir())),
            job: |job, dir, rows| named::<P, _>(job.run::<P>(dir, rows)),
            prepare: |kind, stage, rows| named::<P, _>(kind.prepare::<P>(stage, rows)),
            prepare_indexed: None,
            max_rows: P::MAX_ROWS,
        }
    }

    /// The same peer with an index.
    const fn indexed<P: Peer>(mut self) -> Self {
        self.prepare_indexed =
            Some(|kind, stage, rows| named::<P, _>(kind.prepare::<P>(stage, rows)));
        self
    }

    /// Makes it ready for its turns at a measurement, if it takes part in it; says with how many
    /// rows: fewer of the main size where it cannot cope.
    pub fn prepare<'a>(
        &self,
        measurement: &Measurement,
        stage: &'a Stage,
        quick: bool,
    ) -> Result<Option<(u64, Turn<'a>)>> {
        let asked = measurement.size.rows(quick);
        let rows = asked.min(self.max_rows);
        let prepare = if measurement.indexed { self.prepare_indexed } else { Some(self.prepare) };
        match prepare {
            Some(prepare) if rows == asked || measurement.size == Size::Main => {
                Ok(Some((rows, prepare(measurement.kind, stage, rows)?)))
            }
            _ => Ok(None),
        }
    }
}

/// Says whose error it is.
fn named<P: Peer, T>(result: Result<T>) -> Result<T> {
    result.map_err(|error| format!("{}: {error}", P::NAME).into())
}

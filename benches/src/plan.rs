//! The measurements, in the order of the table.

use crate::measure::Kind;

/// A row of the table.
#[derive(Debug)]
pub struct Measurement {
    /// The name that `--only` looks for; the figures in it are those of a full run.
    pub id: &'static str,
    /// The text in the table; `{}` stands for the number of rows.
    pub label: &'static str,
    /// The work that is measured.
    pub kind: Kind,
    /// With how many rows.
    pub size: Size,
    /// The unit of the samples.
    pub unit: Unit,
    /// Whether a sample grows with the rows, so that peers of fewer rows compare by the row.
    pub per_row: bool,
    /// Whether the status is indexed; peers that have no indexes sit it out.
    pub indexed: bool,
    /// How often each peer has its turn.
    pub rounds: usize,
}

/// The number of rows in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// 1k
    Small,
    /// 100k, or what a peer can cope with
    Main,
    /// 1M
    Big,
}

impl Size {
    /// As a number.
    pub fn rows(self, quick: bool) -> u64 {
        let full = match self {
            Self::Small => 1_000,
            Self::Main => 100_000,
            Self::Big => 1_000_000,
        };
        if quick { full / 10 } else { full }
    }
}

/// The unit of a sample.
#[derive(Debug, Clone, Copy)]
pub enum Unit {
    /// Nanoseconds.
    Time,
    /// Bytes.
    Bytes,
}

/// Every row of the main table.
#[rustfmt::skip]
pub const MEASUREMENTS: &[Measurement] = {
    use Size::{Big, Main, Small};
    use Unit::{Bytes, Time};
    const fn row(
        id: &'static str, label: &'static str, kind: Kind, size: Size, unit: Unit, rounds: usize,
    ) -> Measurement {
        let per_row = matches!(
            kind, Kind::InsertAll | Kind::InsertMore | Kind::Scan | Kind::FileSize | Kind::InsertAllMemory
        );
        Measurement { id, label, kind, size, unit, per_row, rounds, indexed: false }
    }
    const fn indexed(row: Measurement) -> Measurement {
        Measurement { indexed: true, ..row }
    }
    &[
        row("insert-100k", "insert {} in one transaction", Kind::InsertAll, Main, Time, 5),
        indexed(row("insert-100k-indexed", "the same with an index", Kind::InsertAll, Main, Time, 5)),
        row("insert-more", "insert a tenth more, at {}", Kind::InsertMore, Main, Time, 5),
        row("insert-one", "insert one, durable, at {}", Kind::InsertOne, Main, Time, 8),
        row("get", "get by key, at {}", Kind::Get, Main, Time, 7),
        row("scan", "scan and decode {}", Kind::Scan, Main, Time, 5),
        row("open-1k", "open and read one row at {}", Kind::OpenGet, Small, Time, 5),
        row("open-100k", "open and read one row at {}", Kind::OpenGet, Main, Time, 5),
        row("open-1m", "open and read one row at {}", Kind::OpenGet, Big, Time, 3),
        row("open-write-100k", "open and write one row at {}", Kind::OpenWrite, Main, Time, 5),
        row("close-100k", "close after reading one row at {}", Kind::Close, Main, Time, 3),
        row("memory-open-1m", "peak memory: open and read one at {}", Kind::OpenGetMemory, Big, Bytes, 1),
        row("memory-insert-100k", "peak memory: insert {}", Kind::InsertAllMemory, Main, Bytes, 1),
        row("file-100k", "file after inserting {}, closed", Kind::FileSize, Main, Bytes, 1),
    ]
};

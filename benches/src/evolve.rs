//! heirloom alone: what it costs to decode rows that lack a field.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::args::Args;
use crate::data::{self, Track};
use crate::measure::samples;
use crate::plan::{Size, Unit};
use crate::results::Figure;
use crate::stage::Stage;
use crate::{Result, report};

/// The code as it was before a field was added.
macro_rules! before {
    ($module:ident: $($field:ident: $type:ty),+) => {
        mod $module {
            use heirloom::{Id, Store, Table};
            use schemars::JsonSchema;
            use serde::{Deserialize, Serialize};

            #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "tracks")]
            struct Row {
                id: Id<Row>,
                $($field: $type,)+
            }

            #[derive(Store)]
            #[store(name = "library", epoch = 0)]
            struct Library {
                tracks: Table<Row>,
            }

            pub(super) fn write(
                file: &std::path::Path,
                tracks: impl Iterator<Item = crate::data::Track>,
            ) -> crate::Result<()> {
                let rows = tracks.map(|track| Row {
                    id: Id::from_uuid(track.id),
                    $($field: track.$field,)+
                });
                Library::open(file)?.tracks.insert_many(rows)?;
                Ok(())
            }
        }
    };
}

before!(complete: title: String, artist: String, album: Option<String>, notes: String,
    status: crate::data::Status, duration: f64, rating: u8, plays: u64, favourite: bool);
before!(without_rating: title: String, artist: String, album: Option<String>, notes: String,
    status: crate::data::Status, duration: f64, plays: u64, favourite: bool);
before!(without_plays: title: String, artist: String, album: Option<String>, notes: String,
    status: crate::data::Status, duration: f64, rating: u8, favourite: bool);

/// The code as it is now.
mod now {
    use heirloom::{Id, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use crate::data::Status;

    #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tracks")]
    pub(super) struct Row {
        id: Id<Row>,
        title: String,
        artist: String,
        album: Option<String>,
        notes: String,
        status: Status,
        duration: f64,
        #[evolve(default = 3)]
        pub(super) rating: u8,
        #[evolve(default = |rating| u64::from(rating) * 10)]
        pub(super) plays: u64,
        favourite: bool,
    }

    #[derive(Store)]
    #[store(name = "library", epoch = 0)]
    pub(super) struct Library {
        pub(super) tracks: Table<Row>,
    }
}

/// A file, by the fields that its rows lack.
struct Case {
    label: &'static str,
    write: fn(&Path, std::ops::Range<u64>) -> Result<()>,
    expected: fn(&Track, &now::Row) -> bool,
}

const CASES: [Case; 3] = [
    Case {
        label: "nothing missing",
        write: |file, numbers| complete::write(file, data::tracks(numbers)),
        expected: |track, row| (track.rating, track.plays) == (row.rating, row.plays),
    },
    Case {
        label: "a field with a constant default missing",
        write: |file, numbers| without_rating::write(file, data::tracks(numbers)),
        expected: |track, row| (3, track.plays) == (row.rating, row.plays),
    },
    Case {
        label: "a field with a computed default missing",
        write: |file, numbers| without_plays::write(file, data::tracks(numbers)),
        expected: |track, row| {
            (track.rating, u64::from(track.rating) * 10) == (row.rating, row.plays)
        },
    },
];

/// Writes a file for each case and reads them in turn.
pub fn run(args: &Args, stage: &Stage) -> Result<Vec<(&'static str, Figure)>> {
    if !args.wants("evolve") || !args.wants_peer("heirloom") {
        return Ok(Vec::new());
    }
    let rows = Size::Main.rows(args.quick);
    let files: Vec<PathBuf> =
        (0..CASES.len()).map(|case| stage.dir().join(format!("evolve-{case}"))).collect();
    for (case, file) in CASES.iter().zip(&files) {
        (case.write)(file, 0..rows)?;
    }
    let mut taken = [const { Vec::new() }; CASES.len()];
    for round in 0..5 {
        for turn in 0..CASES.len() {
            let which = (round + turn) % CASES.len();
            taken[which].extend(read(&CASES[which], &files[which])?);
        }
    }
    let figures = CASES.iter().zip(taken).map(|(case, samples)| {
        let figure = Figure::of(samples, rows, true);
        eprintln!("{:>16} {}  {}", "evolve", report::spread(&figure, Unit::Time), case.label);
        (case.label, figure)
    });
    Ok(figures.collect())
}

fn read(case: &Case, file: &Path) -> Result<Vec<f64>> {
    let library = now::Library::open(file)?;
    for (number, row) in library.tracks.iter()?.enumerate() {
        assert!((case.expected)(&data::track(number as u64), &row?), "the default is filled in");
    }
    samples(3, &mut || {
        let start = Instant::now();
        for row in library.tracks.iter()? {
            black_box(row?);
        }
        Ok(start.elapsed().as_nanos() as f64)
    })
}

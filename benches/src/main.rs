//! heirloom beside SQLite, native_db, redb, yrs and autosurgeon: one run prints Markdown tables.
//!
//! ```text
//! cargo run --release -- [--quick] [--only <measurement>] [--peer <peer>]...
//! ```
//!
//! `--quick` takes a tenth of the rows and fewer rounds, `--only` the measurements whose id
//! contains a text, `--peer` the peers whose name does. Progress goes to stderr, tables to stdout.

mod args;
mod child;
mod contender;
mod data;
#[cfg(feature = "heirloom")]
mod epochs;
#[cfg(feature = "heirloom")]
mod evolve;
#[cfg(feature = "heirloom")]
mod ledger;
mod measure;
#[cfg(feature = "heirloom")]
mod merging;
mod peers;
mod plan;
#[cfg(feature = "heirloom")]
mod query;
mod report;
mod results;
mod stage;
mod targets;

use std::process::ExitCode;

use args::Args;
use contender::Contender;
use plan::Measurement;
use results::{Figure, Results};
use stage::Stage;

/// Any failure ends the run.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
/// The result of a function that may fail.
pub type Result<T> = std::result::Result<T, Error>;

fn main() -> ExitCode {
    let ran = match child::task() {
        Some(task) => task.and_then(|task| task.run()),
        None => Args::parse().and_then(|args| run(&args)),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let before = report::load_average();
    let stage = Stage::new()?;
    let contenders: Vec<_> =
        contender::ALL.iter().filter(|contender| args.wants_peer(contender.name)).collect();
    if contenders.is_empty() {
        return Err(args::unknown("no such peer").into());
    }
    for contender in &contenders {
        (contender.check)(&stage)?;
    }

    let mut results = Results::default();
    for measurement in plan::MEASUREMENTS.iter().filter(|it| args.wants(it.id)) {
        take(measurement, args.quick, &contenders, &stage, &mut results)?;
    }
    #[cfg(feature = "heirloom")]
    let evolved = evolve::run(args, &stage)?;
    #[cfg(feature = "heirloom")]
    let queried = query::run(args, &stage)?;
    #[cfg(feature = "heirloom")]
    let ledger = ledger::run(args, &stage)?;
    #[cfg(feature = "heirloom")]
    let migrated = epochs::run(args, &stage)?;
    #[cfg(feature = "heirloom")]
    let merged = merging::run(args, &stage)?;

    report::heading(args.quick, before);
    report::main_table(args.quick, &contenders, &results);
    #[cfg(feature = "heirloom")]
    report::evolve_table(&evolved);
    #[cfg(feature = "heirloom")]
    report::lines_table("queries and live results", &queried);
    #[cfg(feature = "heirloom")]
    report::lines_table("sums, references and pages", &ledger);
    #[cfg(feature = "heirloom")]
    report::lines_table("epochs", &migrated);
    #[cfg(feature = "heirloom")]
    report::lines_table("edits that meet", &merged);
    report::targets_table(&results);
    Ok(())
}

/// Takes one measurement of all contenders, in alternating turns.
fn take(
    measurement: &Measurement,
    quick: bool,
    contenders: &[&Contender],
    stage: &Stage,
    results: &mut Results,
) -> Result<()> {
    let mut entries = Vec::new();
    for contender in contenders {
        if let Some((rows, turn)) = contender.prepare(measurement, stage, quick)? {
            entries.push((contender.name, rows, turn, Vec::new()));
        }
    }
    let rounds = if quick { measurement.rounds.min(3) } else { measurement.rounds };
    for _ in 0..rounds {
        for (_, _, turn, samples) in &mut entries {
            samples.extend(turn()?);
        }
        // Each round starts with another one, so that none is always the first.
        if !entries.is_empty() {
            entries.rotate_left(1);
        }
    }
    for (name, rows, _, samples) in entries {
        let figure = Figure::of(samples, rows, measurement.per_row);
        let spread = report::spread(&figure, measurement.unit);
        eprintln!("{:>19}  {name:<11}  {spread}", measurement.id);
        results.add(measurement.id, name, figure);
    }
    Ok(())
}

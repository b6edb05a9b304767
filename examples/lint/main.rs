//! Lints a schema history in CI: what has changed between two versions, and whether devices that
//! run either can go on sharing their data.
//!
//! ```text
//! lint schema/app.json                      the newest version against the one before
//! lint schema/app.json --from 1 --to 3      any two versions of one file
//! lint main/app.json branch/app.json        the newest versions of two files
//! lint main/app.json branch/app.json --json
//! ```
//!
//! It exits with 0 where all is well, with 1 where a change is breaking or a recorded version is
//! gone, and with 2 where a file cannot be read.

mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use heirloom::schema::{History, Version};

use report::Report;

#[derive(Parser)]
#[command(about = "Tells what has changed between two versions of a schema, and whether it breaks")]
struct Args {
    /// The history file, or the older of two
    old: PathBuf,
    /// The newer history file
    new: Option<PathBuf>,
    /// The older version [default: the newest of the older file, or the last but one]
    #[arg(long)]
    from: Option<u32>,
    /// The newer version [default: the newest]
    #[arg(long)]
    to: Option<u32>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match lint(&Args::parse()) {
        Ok(report) => {
            println!("{report}");
            if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn lint(args: &Args) -> Result<Report, Box<dyn std::error::Error>> {
    let old = read(&args.old)?;
    let (new, before) = match &args.new {
        Some(path) => (read(path)?, old.versions().len()),
        // The first version of all has none before it to break with.
        None => (old.clone(), old.versions().len().saturating_sub(1).max(1)),
    };
    if old.store() != new.store() {
        return Err(format!(
            "one is the history of `{}`, the other of `{}`",
            old.store(),
            new.store()
        )
        .into());
    }
    let before = u32::try_from(before)?;
    let to = args.to.unwrap_or(u32::try_from(new.versions().len())?);
    let (from, to) = (version(&old, args.from.unwrap_or(before))?, version(&new, to)?);
    Ok(Report::new(from, to, gone(&old, &new), args.json))
}

fn read(path: &Path) -> Result<History, Box<dyn std::error::Error>> {
    let named = |error: &dyn std::error::Error| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
    Ok(History::parse(&text).map_err(|error| named(&error))?)
}

fn version(history: &History, number: u32) -> Result<&Version, String> {
    history.versions().iter().find(|version| version.number() == Some(number)).ok_or_else(|| {
        format!("there is no version {number}; there are {}", history.versions().len())
    })
}

/// The first version of the older file that the newer one lacks: histories only grow.
fn gone<'h>(old: &'h History, new: &History) -> Option<&'h Version> {
    let pairs = old.versions().iter().enumerate();
    let mut gone = pairs.filter(|(index, version)| {
        new.versions().get(*index).map(Version::fingerprint) != Some(version.fingerprint())
    });
    gone.next().map(|(_, version)| version)
}

#[cfg(test)]
mod tests;

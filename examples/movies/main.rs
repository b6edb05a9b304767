//! Untidy JSON becomes typed rows, in three steps: taken as it is, then made sense of, then in a second
//! epoch made what it should have been.
//!
//! ```sh
//! cargo run -p heirloom-examples --example movies                           # a small sample
//! cargo run -p heirloom-examples --example movies -- films.json --file films.redb
//! ```

mod cell;
mod evolved;
mod import;
mod lists;
mod loose;
mod migrate;
mod parse;
mod typed;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;

/// Ships with the example: well-known films, with votes and ratings rounded.
const SAMPLE: &str = include_str!("sample.json");

/// Imports films and makes sense of them
#[derive(Debug, Parser)]
#[command(name = "movies")]
struct Args {
    /// A JSON array of films, such as movies.json of vega-datasets; a small sample if left out
    input: Option<PathBuf>,
    /// Keep the store in this file
    #[arg(long)]
    file: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("movies: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let json = match &args.input {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?,
        None => SAMPLE.to_owned(),
    };
    match &args.file {
        Some(file) => {
            work(&json, file)?;
            println!("\nThe store stays in {}.", file.display());
        }
        None => {
            // Deleted when it goes out of scope.
            let folder = tempfile::tempdir()?;
            work(&json, &folder.path().join("movies.redb"))?;
        }
    }
    Ok(())
}

fn work(json: &str, file: &Path) -> Result<(), Box<dyn Error>> {
    println!("A loose schema takes whatever the input holds.");
    let (count, importing) = timed(|| import::import(json, file))?;
    println!("  {count} films imported in {importing:.0?}, all in one transaction");

    println!(
        "\nA second version only adds `year`, `minutes` and `profit`, computed as rows are read."
    );
    let (with_year, reading) = timed(|| {
        let store = evolved::Movies::open(file)?;
        store.films.filter(evolved::Film::YEAR.is_some()).count()
    })?;
    println!("  {with_year} films have a year, found in {reading:.0?}");

    println!(
        "\nA second epoch changes types: titles are text, dates are dates, and genres get a table"
    );
    println!("of their own. This is what opening the file will do:");
    let (preview, previewing) = timed(|| typed::Movies::preview_migration(file))?;
    migrate::print(&preview);
    let (store, migrating) = timed(|| migrate::open(file))?;

    println!("\nNothing is lost on the way. What could not be converted is kept aside:");
    let quarantine = store.quarantine()?;
    migrate::list(&quarantine);
    println!("A user calls it \"(untitled)\", and that is settled, on all devices.");
    let shelf = store.films.order_by(typed::Film::TITLE).watch()?;
    let before = shelf.recv()?.inserted().len();
    migrate::mend(&store, &quarantine)?;
    if let Some(delta) = shelf.try_recv()? {
        println!("  a live list of {before} films was told of {} more", delta.inserted().len());
    }

    let (films, reading) = timed(|| store.films.iter()?.collect::<heirloom::Result<Vec<_>>>())?;
    lists::print(&store, &films)?;

    println!(
        "\nTimes: import {importing:.0?}, preview {previewing:.0?}, migration {migrating:.0?},"
    );
    println!("reading all {} {reading:.0?}.", films.len());
    Ok(())
}

fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<(T, Duration), E> {
    let start = Instant::now();
    let outcome = work()?;
    Ok((outcome, start.elapsed()))
}

//! A todo list for the command line.
//!
//! ```sh
//! cargo run -p heirloom-examples --example todo -- add water the plants --due tomorrow
//! cargo run -p heirloom-examples --example todo -- list
//! ```

mod change;
mod cli;
mod config;
mod date;
mod list;
mod pick;
mod place;
mod schema;
mod sync;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, List};

/// 0 where all went well, 1 where not, and 2, from clap, where the command line makes no sense.
fn main() -> ExitCode {
    match run(Cli::parse(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has read enough, as in `todo list | head`.
        Err(error) if is_broken_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("todo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let file = place::locate(cli.file)?;
    let command = cli.command.unwrap_or(Command::List(List::default()));
    if let Command::Where = command {
        writeln!(out, "{}", file.display())?;
        return Ok(());
    }
    let app = place::open(&file)?;
    match command {
        Command::Add { text, due } => change::add(&app, &text, due, out),
        Command::List(options) => {
            let config = app.config.get()?;
            list::list(&pick::todos(&app)?, config.order, config.colour, &options, out)?;
            Ok(())
        }
        Command::Done { which, undo } => change::done(&app, &which.which, undo, out),
        Command::Edit(edit) => change::edit(&app, &edit, out),
        Command::Remove(which) => change::remove(&app, &which.which, out),
        Command::ClearDone => change::clear_done(&app, out),
        Command::Config { key, value, reset } => {
            config::config(&app, key, value.as_deref(), reset, out)
        }
        Command::Where => Ok(()),
        Command::Sync { other, create } => sync::sync(&app, &file, &other, create, out),
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;

use crate::date;

/// A todo list in one file, which merges with its copies
#[derive(Debug, Parser)]
#[command(name = "todo")]
pub struct Cli {
    /// Use this file instead of the one in your data directory
    #[arg(long, short, global = true, env = "TODO_FILE", value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// The command; `list` if left out
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a todo
    Add {
        /// The text of the todo; quotes are not needed
        #[arg(required = true)]
        text: Vec<String>,
        /// When: 2026-12-01, today, tomorrow, or a weekday
        #[arg(long, short, value_name = "DATE", value_parser = date::parse)]
        due: Option<Date>,
    },
    /// Show the open todos
    List(List),
    /// Tick todos off
    Done {
        #[command(flatten)]
        which: Which,
        /// Open them again
        #[arg(long)]
        undo: bool,
    },
    /// Change a todo's text or due date
    Edit(Edit),
    /// Delete todos for good
    Remove(Which),
    /// Delete all todos that are done
    ClearDone,
    /// Show the settings, show one, or set one
    Config {
        key: Option<Key>,
        /// The value to set it to
        value: Option<String>,
        /// Go back to the default
        #[arg(long, requires = "key", conflicts_with = "value")]
        reset: bool,
    },
    /// Print where the file is
    Where,
    /// Merge with another todo file, both ways
    Sync {
        /// The other file, for instance on a stick or in a shared folder
        other: PathBuf,
        /// Make the other file if there is none
        #[arg(long)]
        create: bool,
    },
}

#[derive(Debug, Default, Args)]
pub struct List {
    /// Show those that are done, too
    #[arg(long, short)]
    pub all: bool,
    /// Show the end of each id
    #[arg(long)]
    pub ids: bool,
}

#[derive(Debug, Args)]
pub struct Which {
    /// Numbers as `list` shows them, or four or more characters of the beginning or end of an id
    #[arg(required = true, value_name = "NUMBER|ID")]
    pub which: Vec<String>,
}

#[derive(Debug, Args)]
#[command(override_usage = "todo edit [OPTIONS] <NUMBER|ID> [TEXT]...")]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
pub struct Edit {
    /// A number as `list` shows it, or four or more characters of the beginning or end of an id
    #[arg(value_name = "NUMBER|ID")]
    pub which: String,
    /// The new text
    #[arg(group = "change")]
    pub text: Vec<String>,
    /// The new due date
    #[arg(long, short, value_name = "DATE", value_parser = date::parse, group = "change")]
    pub due: Option<Date>,
    /// Remove the due date
    #[arg(long, conflicts_with = "due", group = "change")]
    pub no_due: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Key {
    /// added, due
    Order,
    /// auto, always, never
    Colour,
}

//! `todo config`.

use std::error::Error;
use std::io::Write;

use clap::ValueEnum;
use heirloom::Entry;

use crate::cli::Key;
use crate::schema::{Config, TodoList};

type Outcome = Result<(), Box<dyn Error>>;

pub fn config(
    app: &TodoList,
    key: Option<Key>,
    value: Option<&str>,
    reset: bool,
    out: &mut impl Write,
) -> Outcome {
    let entries = &app.config;
    match key {
        Some(Key::Order) => one(&entries.order, value, reset, out),
        Some(Key::Colour) => one(&entries.colour, value, reset, out),
        None => {
            write!(out, "order   ")?;
            one(&entries.order, None, false, out)?;
            write!(out, "colour  ")?;
            one(&entries.colour, None, false, out)
        }
    }
}

/// Sets or resets an entry if asked to, and shows it.
fn one<T: ValueEnum + 'static>(
    entry: &Entry<Config, T>,
    value: Option<&str>,
    reset: bool,
    out: &mut impl Write,
) -> Outcome {
    if let Some(value) = value {
        entry.set(&parse::<T>(value)?)?;
    }
    if reset {
        entry.reset()?;
    }
    writeln!(out, "{}", name(&entry.get()?))?;
    Ok(())
}

fn parse<T: ValueEnum>(text: &str) -> Result<T, String> {
    T::from_str(text, true).map_err(|_| {
        let names: Vec<String> = T::value_variants().iter().map(name).collect();
        format!("`{text}` is not one of {}", names.join(", "))
    })
}

fn name<T: ValueEnum>(value: &T) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

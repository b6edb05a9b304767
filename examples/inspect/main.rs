//! Shows what is in a file of heirloom, without the structs of the app that wrote it.
//!
//! ```text
//! inspect app.redb                   its versions, tables, groups, indexes and quarantine
//! inspect app.redb --rows notes      the rows of a table, a line each
//! inspect app.redb --export          everything as JSON Lines, for `Store::import`
//! ```
//!
//! It changes nothing in the file. Without a file it looks into one that it makes for the purpose.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Parser;
use heirloom::inspect::{self, Inspector};
use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Parser)]
#[command(about = "Shows what is in a file of heirloom, without the structs of its app")]
struct Args {
    /// The file [default: one that is made for the purpose]
    file: Option<PathBuf>,
    /// Print the rows of this table
    #[arg(long)]
    rows: Option<String>,
    /// Print everything as JSON Lines
    #[arg(long)]
    export: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let folder = tempfile::tempdir()?;
    let path = match &args.file {
        Some(path) => path.clone(),
        None => sample(folder.path())?,
    };
    show(&path, &args, &mut BufWriter::new(io::stdout().lock()))
}

fn show(path: &Path, args: &Args, out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let file = inspect::open(path)?;
    match &args.rows {
        Some(table) => rows(&file, table, out)?,
        None if args.export => {
            file.export(&mut *out)?;
        }
        None => summary(&file, out)?,
    }
    out.flush()?;
    Ok(())
}

fn rows(
    file: &Inspector,
    table: &str,
    out: &mut impl Write,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut written = Ok(());
    file.for_each_row(table, |row| {
        let text = if row.is_damaged() { "damaged" } else { row.json() };
        if written.is_ok() {
            written = writeln!(out, "{}\t{text}", row.key());
        }
        Ok(())
    })?;
    Ok(written?)
}

fn summary(file: &Inspector, out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    writeln!(out, "store `{}`, file format {}", file.store(), file.format())?;
    for version in file.versions()? {
        writeln!(out, "  {version}")?;
    }
    let indexes = file.indexes()?;
    for table in file.tables()? {
        let (mut rows, mut damaged) = (0, 0);
        file.for_each_row(&table, |row| {
            rows += 1;
            damaged += u32::from(row.is_damaged());
            Ok(())
        })?;
        writeln!(out, "table `{table}`: {rows} rows, {damaged} of them damaged")?;
        for index in indexes.iter().filter(|index| index.table() == table) {
            let state = if index.is_complete() { "" } else { ", not complete" };
            let fields = index.fields().join(", ");
            writeln!(out, "  index ({fields}): {} entries{state}", index.entries())?;
        }
    }
    for group in file.groups()? {
        let mut entries = Vec::new();
        file.for_each_entry(&group, |entry| {
            entries.push(format!("{} = {}", entry.key(), entry.json()));
            Ok(())
        })?;
        writeln!(out, "group `{group}`: {}", entries.join(", "))?;
    }
    for kept in file.quarantine()? {
        let of = kept.table().or(kept.group()).unwrap_or_default();
        writeln!(
            out,
            "in quarantine: `{of}` {}: {}",
            kept.key(),
            kept.reason().unwrap_or("displaced")
        )?;
    }
    Ok(())
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "plants")]
struct Plant {
    #[key]
    name: String,
    #[index]
    height: u32,
    #[index(each)]
    colors: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
struct Settings {
    unit: Option<String>,
}

#[derive(Store)]
#[store(name = "garden")]
struct Garden {
    plants: Table<Plant>,
    settings: Kv<Settings>,
}

/// A file to look into.
fn sample(folder: &Path) -> heirloom::Result<PathBuf> {
    let path = folder.join("garden.redb");
    let garden = Garden::open(&path)?;
    let plant = |name: &str, height, colors: &[&str]| Plant {
        name: name.to_owned(),
        height,
        colors: colors.iter().map(|color| (*color).to_owned()).collect(),
    };
    garden
        .plants
        .insert_many([plant("tulip", 40, &["red", "yellow"]), plant("lily", 90, &["white"])])?;
    garden.settings.unit.set(&Some("cm".into()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rows: Option<&str>, export: bool) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = sample(folder.path()).expect("a file");
        let args = Args { file: None, rows: rows.map(str::to_owned), export };
        let mut out = Vec::new();
        show(&path, &args, &mut out).expect("a summary");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn it_shows_what_is_there() {
        let summary = shown(None, false);
        assert!(summary.contains("table `plants`: 2 rows, 0 of them damaged"), "{summary}");
        assert!(summary.contains("  index (colors): 3 entries"), "{summary}");
        assert!(summary.contains("group `settings`: unit = \"cm\""), "{summary}");
        assert!(shown(Some("plants"), false).starts_with("lily\t{\"name\":\"lily\""));
        assert_eq!(shown(None, true).lines().count(), 3);
    }
}

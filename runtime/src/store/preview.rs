//! [`Preview`]: what opening a file would do to it.

use std::fmt;

use crate::epoch::{self, PreviewInvalid, PreviewSample, PreviewTable};

/// A preview of the migration of a file, made by
/// [`Store::preview_migration`](crate::Store::preview_migration).
///
/// `Display` gives a report to show.
#[derive(Debug, Clone)]
pub struct Preview {
    found: epoch::Preview,
    tables: Vec<TablePreview>,
    invalid: Vec<InvalidPreview>,
}

/// The preview of one table.
#[derive(Debug, Clone)]
pub struct TablePreview {
    name: String,
    found: PreviewTable,
    samples: Vec<Sample>,
}

/// A row before and after.
#[derive(Debug, Clone)]
pub struct Sample {
    key: String,
    before: Option<String>,
    after: String,
}

/// A row or entry that would go into quarantine.
#[derive(Debug, Clone)]
pub struct InvalidPreview(PreviewInvalid);

impl Preview {
    pub(super) fn new(found: epoch::Preview) -> Self {
        let tables = found.tables.iter().map(|(name, table)| TablePreview {
            name: (*name).to_owned(),
            samples: table.samples.iter().map(Sample::new).collect(),
            found: table.clone(),
        });
        let tables = tables.collect();
        let invalid = found.invalid.iter().cloned().map(InvalidPreview).collect();
        Self { found, tables, invalid }
    }

    /// Whether opening the file migrates it at all.
    pub fn is_needed(&self) -> bool {
        self.found.from < self.found.to
    }

    /// Returns the epoch of the file.
    pub fn from_epoch(&self) -> u32 {
        self.found.from
    }

    /// Returns the epoch of this code.
    pub fn to_epoch(&self) -> u32 {
        self.found.to
    }

    /// Returns the tables of this epoch, by name.
    pub fn tables(&self) -> &[TablePreview] {
        &self.tables
    }

    /// Iterates over the tables of the file's epoch that have no successor, each with the number of
    /// its rows: only a `migrate` function and [`open_epoch`](crate::Store::open_epoch) still see
    /// these.
    pub fn dropped(&self) -> impl Iterator<Item = (&str, u64)> {
        self.found.dropped.iter().copied()
    }

    /// Returns the rows and entries that would go into quarantine, or make the migration fail, as
    /// [`on_invalid`](crate::Builder::on_invalid) says.
    pub fn invalid(&self) -> &[InvalidPreview] {
        &self.invalid
    }
}

impl TablePreview {
    /// Returns the table's name in this epoch.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of rows now, in the table that it follows from.
    pub fn rows_before(&self) -> u64 {
        self.found.before
    }

    /// Returns the number of rows that it would have.
    pub fn rows_after(&self) -> u64 {
        self.found.after
    }

    /// Returns a few of its rows.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }
}

impl Sample {
    fn new(PreviewSample { key, before, after }: &PreviewSample) -> Self {
        let (key, after) = (key.clone(), after.clone().unwrap_or_default());
        Self { key, before: before.clone(), after }
    }

    /// Returns the text of its key, as it would be.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns its JSON now; `None` for a row that a `migrate` function makes.
    pub fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    /// Returns its JSON as it would be.
    pub fn after(&self) -> &str {
        &self.after
    }
}

impl InvalidPreview {
    fn place(&self) -> &str {
        self.0.place.split_once(':').map_or(self.0.place.as_str(), |(_, name)| name)
    }

    /// Returns the table, for a row.
    pub fn table(&self) -> Option<&str> {
        self.0.place.starts_with("table:").then(|| self.place())
    }

    /// Returns the kv group, for an entry.
    pub fn group(&self) -> Option<&str> {
        self.0.place.starts_with("kv:").then(|| self.place())
    }

    /// Returns the text of the row's key, or the stored name of the entry.
    pub fn key(&self) -> &str {
        &self.0.key
    }

    /// Returns why it cannot be converted.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Returns the JSON that is stored, unchanged.
    pub fn json(&self) -> &str {
        &self.0.json
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_needed() {
            return write!(f, "epoch {}: nothing to migrate", self.found.to);
        }
        write!(f, "epoch {} to epoch {}", self.found.from, self.found.to)?;
        for table in &self.tables {
            write!(f, "\n  table `{}`: ", table.name)?;
            match (table.found.before, table.found.after) {
                (0, 1) => f.write_str("1 new row")?,
                (0, after) => write!(f, "{after} new rows")?,
                (1, after) => write!(f, "1 row becomes {after}")?,
                (before, after) => write!(f, "{before} rows become {after}")?,
            }
            for sample in &table.samples {
                match &sample.before {
                    Some(before) => write!(f, "\n    {before}\n    → {}", sample.after)?,
                    None => write!(f, "\n    new: {}", sample.after)?,
                }
            }
        }
        for (table, rows) in self.dropped() {
            let noun = if rows == 1 { "row" } else { "rows" };
            write!(f, "\n  table `{table}`: {rows} {noun}, from which no table goes on")?;
        }
        for invalid in &self.invalid {
            write!(f, "\n  cannot be converted: {invalid}")?;
        }
        Ok(())
    }
}

impl fmt::Display for InvalidPreview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.group().is_some() { "group" } else { "table" };
        write!(f, "{word} `{}`, key `{}`: {}", self.place(), self.key(), self.reason())
    }
}

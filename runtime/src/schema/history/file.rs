//! [`History`]: the versions of a schema, read from the text of a history file.

use serde_json::Value;

use super::super::{Class, Diff, Reserved, Schema};
use super::layout;
use super::lines::{self, FORMAT, KIND, VersionLines, branches, not_ours, refused};
use super::version::{Version, changes};
use crate::error::{Error, ErrorKind, Result};

/// The history of a schema: every version it has had, read from the history file.
///
/// The file belongs to the code of an app, under version control. `HEIRLOOM=record cargo test`
/// writes it, `#[derive(Store)]` reads it at compile time.
///
/// ```no_run
/// use heirloom::schema::History;
///
/// let history = History::parse(&std::fs::read_to_string("schema/app.json")?)?;
/// let (first, newest) = (&history.versions()[0], history.newest().unwrap());
/// println!("{}", first.schema().diff(newest.schema()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct History {
    store: String,
    versions: Vec<Version>,
    /// Versions recorded once are kept letter by letter.
    text: String,
}

impl History {
    /// Makes a history without versions.
    pub fn new(store: &str) -> Self {
        Self { store: store.to_owned(), versions: Vec::new(), text: layout::empty(store) }
    }

    /// Parses the text of a history file.
    ///
    /// # Errors
    ///
    /// [`InvalidHistory`](ErrorKind::InvalidHistory) if it is empty, cut short, in conflict,
    /// changed by hand, written by a newer heirloom in another format, or not a history at all. The
    /// error says which.
    pub fn parse(text: &str) -> Result<Self> {
        let lines = lines::split(text)?;
        let store = header(&lines.head)?;
        // First of all, since a merge of two branches may also have mixed up their lines.
        for (before, entry) in lines.entries.iter().zip(lines.entries.iter().skip(1)) {
            if entry.text("parent") != before.text("fingerprint") {
                return Err(branches(before, entry));
            }
        }
        let versions = lines.entries.iter().enumerate();
        let versions = versions.map(|(index, entry)| version(entry, index));
        let versions = versions.collect::<Result<Vec<Version>>>()?;
        Ok(Self { store, versions, text: text.to_owned() })
    }

    /// Returns the name of the store.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// Returns all versions, the oldest first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// Returns the version recorded last.
    pub fn newest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// Returns the text of the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Records a version, unless the newest says the same already; `Ok(true)` if it did.
    ///
    /// `date` is the day, as `2026-11-20`.
    ///
    /// # Errors
    ///
    /// [`BreakingChange`](ErrorKind::BreakingChange) if the schema breaks with an earlier version
    /// of its epoch, or belongs to an earlier epoch than the newest.
    pub fn record(&mut self, schema: &Schema, date: &str) -> Result<bool> {
        let fingerprint = schema.fingerprint();
        let newest = self.newest();
        if newest.is_some_and(|newest| newest.fingerprint == fingerprint) {
            return Ok(false);
        }
        self.check(schema)?;
        let mut schema = schema.clone();
        if let Some(newest) = newest.filter(|newest| newest.epoch == schema.epoch) {
            reserve(&newest.schema, &mut schema);
        }
        let number = self.versions.len() + 1;
        let version = Version {
            epoch: schema.epoch,
            number: u32::try_from(number).ok(),
            parent: newest.map(|newest| newest.fingerprint.clone()),
            date: Some(date.to_owned()),
            changes: newest.map(|newest| changes(&newest.schema, &schema)).unwrap_or_default(),
            fingerprint,
            schema,
        };
        self.text = layout::append(&self.text, &version);
        self.versions.push(version);
        Ok(true)
    }

    /// Checks a schema: all versions of its epoch can be read with it, and the other way round.
    ///
    /// # Errors
    ///
    /// [`BreakingChange`](ErrorKind::BreakingChange), naming the changes.
    pub fn check(&self, schema: &Schema) -> Result<()> {
        if let Some(newest) = self.newest().filter(|newest| newest.epoch > schema.epoch) {
            let what = "the schema belongs to an earlier epoch than the newest recorded version";
            return Err(Error::new(ErrorKind::BreakingChange, what)
                .at_store(&self.store)
                .expecting(format!("epoch {} or a later one", newest.epoch))
                .finding(format!("epoch {}", schema.epoch))
                .help("an epoch is never lowered: raise `epoch` in `#[store(…)]`"));
        }
        let Some((version, diff)) = self.breaks_with(schema) else { return Ok(()) };
        let changes: Vec<String> = diff.breaking().map(ToString::to_string).collect();
        let what = format!("the schema breaks with {version}: {}", changes.join("; "));
        Err(Error::new(ErrorKind::BreakingChange, what).at_store(&self.store).help(format!(
            "undo these changes, or start a new epoch with `#[store(epoch = {}, previous = …)]`",
            u64::from(schema.epoch) + 1
        )))
    }

    /// The newest version of its epoch that a schema breaks with, and what has changed since.
    pub(crate) fn breaks_with(&self, schema: &Schema) -> Option<(&Version, Diff)> {
        // A field that an earlier version is known to have removed was not renamed by a later one.
        let mut schema = schema.clone();
        if let Some(newest) = self.newest().filter(|newest| newest.epoch == schema.epoch) {
            schema.reserved.extend(newest.schema.reserved.iter().cloned());
        }
        // Neighbours that are safe do not make a safe chain: devices skip versions.
        let of_epoch = self.versions.iter().rev().filter(|version| version.epoch == schema.epoch);
        let mut diffs = of_epoch.map(|version| (version, version.schema.diff(&schema)));
        diffs.find(|(_, diff)| diff.class() >= Class::Breaking)
    }
}

/// The names of what is gone are not to be used again.
fn reserve(old: &Schema, new: &mut Schema) {
    new.reserved.extend(old.reserved.iter().cloned());
    for (name, table) in &old.tables {
        let Some(now) = new.tables.get(name) else { continue };
        let gone = table.fields.keys().filter(|field| !now.fields.contains_key(*field));
        new.reserved.extend(gone.map(|field| Reserved {
            table: Some(name.clone()),
            group: None,
            field: field.clone(),
        }));
    }
    for (name, group) in &old.groups {
        let Some(now) = new.groups.get(name) else { continue };
        let gone = group.fields.keys().filter(|field| !now.fields.contains_key(*field));
        new.reserved.extend(gone.map(|field| Reserved {
            table: None,
            group: Some(name.clone()),
            field: field.clone(),
        }));
    }
}

/// The name of the store, from the lines before the versions.
fn header(lines: &[&str]) -> Result<String> {
    let json = format!("{}}}", lines.join("\n").trim_end().trim_end_matches(','));
    let header: Value = serde_json::from_str(&json).map_err(|error| not_ours().because(error))?;
    if header["heirloom"] != KIND {
        return Err(not_ours());
    }
    let format = header["format"].as_u64();
    if format.is_none_or(|format| format > FORMAT.into()) {
        return Err(refused("the history file was written by a newer heirloom")
            .expecting(format!("format {FORMAT}"))
            .finding(format!("format {}", header["format"]))
            .help("update heirloom"));
    }
    header["store"].as_str().map(str::to_owned).ok_or_else(not_ours)
}

fn version(entry: &VersionLines<'_>, index: usize) -> Result<Version> {
    let number = entry.text("version");
    let edited = |what: &str| {
        refused(&format!("version {number} of the history {what}")).help(
            "versions are never edited: restore the file from version control, and record what \
             changed as a new version: `HEIRLOOM=record cargo test`",
        )
    };
    if !entry.is_intact() {
        return Err(edited("was edited by hand"));
    }
    let version: Version = serde_json::from_str(&entry.json())
        .map_err(|error| edited("cannot be read").because(error))?;
    if version.number.map(|number| number as usize) != Some(index + 1) {
        return Err(edited("is out of order").expecting(format!("version {}", index + 1)));
    }
    Ok(version)
}

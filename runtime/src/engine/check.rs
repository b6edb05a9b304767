//! Whether document and read model say the same.

use std::fmt;
use std::sync::Arc;

use super::loaded::read_document;
use super::open::Engine;
use crate::disk::{DATA_DOCUMENT, HEAD_DOCUMENT, View};
use crate::doc::{Document, Root};
use crate::error::Result;

/// What [`check`](crate::Store::check) found.
///
/// ```
/// # use heirloom::{Store, Table};
/// # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
/// # struct Note { #[key] name: String }
/// # #[derive(Store)]
/// # struct App { notes: Table<Note> }
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("app.redb");
/// App::open(&path)?.notes.insert(&Note { name: "milk".into() })?;
///
/// let report = App::check(&path)?;
/// assert!(report.is_ok(), "{report}");
/// assert_eq!(report.rows(), 1);
/// # Ok::<(), heirloom::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct CheckReport {
    rows: u64,
    entries: u64,
    problems: Vec<String>,
}

impl CheckReport {
    /// Whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty()
    }

    /// How many rows the declared tables hold in the read model.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How many entries of the declared kv groups are set.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// What is wrong, one sentence each.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows and {} entries, ", self.rows, self.entries)?;
        if self.problems.is_empty() {
            return f.write_str("no problems");
        }
        write!(f, "{} problems: {}", self.problems.len(), self.problems.join("; "))
    }
}

impl Engine {
    /// Loads the document from the file and compares it with the read model.
    pub(crate) fn check(&self) -> Result<CheckReport> {
        let view = self.view();
        // No write will be made under this id.
        let head = read_document(&view, self.def.name, HEAD_DOCUMENT, 0)?;
        let loaded = read_document(&view, self.def.name, DATA_DOCUMENT, 0)?;
        let mut report = CheckReport { problems: head.log.damage, ..CheckReport::default() };
        report.problems.extend(loaded.log.damage);
        report.problems.extend(compare_head(&head.document, &view)?);
        for slot in 0..self.def.tables.len() {
            report.rows += view.len(slot)?;
        }
        for group in self.def.groups {
            report.entries += view.entries(DATA_DOCUMENT, group.name)?.len() as u64;
        }
        report.problems.extend(self.compare(&loaded.document, &view)?);
        Ok(report)
    }

    /// Where the declared tables and groups of the two differ.
    pub(super) fn compare(&self, document: &Document, view: &Arc<View>) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        for slot in 0..self.def.tables.len() {
            self.compare_table(document, view, slot, &mut problems)?;
        }
        for group in self.def.groups {
            compare_group(document, view, DATA_DOCUMENT, group.name, &mut problems)?;
        }
        Ok(problems)
    }

    fn compare_table(
        &self,
        document: &Document,
        view: &Arc<View>,
        slot: usize,
        problems: &mut Vec<String>,
    ) -> Result<()> {
        let table = &self.def.tables[slot];
        let mut in_document = 0;
        document.for_each(&Root::Table(table.name.to_owned()).name(), |key, entry| {
            in_document += 1;
            let same = match (table.read_key)(key) {
                Some(bytes) => view
                    .row(slot, &bytes)?
                    .is_some_and(|row| row.id() == entry.id && row.content() == entry.content),
                None => view.stray(slot, key)? == Some(entry.id),
            };
            if !same {
                problems.push(format!(
                    "table `{}`: the row `{key}` differs between document and read model",
                    table.name
                ));
            }
            Ok(())
        })?;
        self.compare_indexes(view, slot, problems)?;
        let in_view = view.len(slot)?;
        if in_view != in_document {
            problems.push(format!(
                "table `{}`: the document holds {in_document} rows, the read model {in_view}",
                table.name
            ));
        }
        Ok(())
    }
}

/// Where the head document and what is read of it differ.
pub(super) fn compare_head(document: &Document, view: &View) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for root in document.maps() {
        if let Some(Root::Group(group)) = Root::parse(&root) {
            compare_group(document, view, HEAD_DOCUMENT, &group, &mut problems)?;
        }
    }
    Ok(problems)
}

fn compare_group(
    document: &Document,
    view: &View,
    name: &str,
    group: &str,
    problems: &mut Vec<String>,
) -> Result<()> {
    let root = Root::Group(group.to_owned()).name();
    let entries = view.entries(name, group)?;
    let mut in_document = 0;
    document.for_each(&root, |_, _| {
        in_document += 1;
        Ok::<(), crate::Error>(())
    })?;
    for (name, id, content) in &entries {
        let same = document
            .entry(&root, name)
            .is_some_and(|entry| entry.id == *id && entry.content == *content);
        if !same {
            problems.push(format!(
                "group `{group}`: the entry `{name}` differs between document and read model"
            ));
        }
    }
    if entries.len() != in_document {
        problems.push(format!(
            "group `{group}`: the document holds {in_document} entries, the read model {}",
            entries.len()
        ));
    }
    Ok(())
}

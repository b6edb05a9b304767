//! Whether the parts of a file say the same.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::document::{Document, ReadFailure};
use super::documents::DocName;
use super::exchange::documents_in;
use super::late_edits::{LateEdits, entry};
use super::open::{Engine, view_names};
use crate::disk::{StoredDocument, View};
use crate::doc::items::{Place, ReadItems};
use crate::doc::{Root, deletions_hash};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{EntryRef, ItemId};

/// The report of [`Store::check`](crate::Store::check). `Display` gives it to show.
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

    /// Returns the number of rows of the declared tables.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the number of entries of the declared kv groups that are set.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Returns what is wrong, one sentence each.
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
    /// Reads the whole file, and holds its parts against each other.
    pub(crate) fn check(&self) -> Result<CheckReport> {
        let current = {
            let mut writer = self.lock_writer()?;
            self.upgrade(&mut writer)?;
            writer.current
        };
        let def = self.def.at_epoch(current.epoch).ok_or_else(|| {
            Error::new(
                ErrorKind::NewerEpoch,
                "the file is of an epoch that this code does not know",
            )
            .expecting(format!("epoch {} or one of its chain", self.def.epoch))
            .finding(format!("epoch {}", current.epoch))
            .help("check it with the code of its epoch")
        })?;
        let view = Arc::new(self.disk.view_as(Arc::new(view_names(&def, current)))?);
        let mut report = CheckReport::default();
        report.problems.extend(self.disk.damage_of_own_tables()?.map(str::to_owned));
        for (name, fact) in documents_in(&view)? {
            if fact.is_none_or(|fact| !fact.is_pruned) {
                let document = StoredDocument::new(view.clone(), &name);
                let found = check_document(&document)?;
                let placed = |problem| format!("document `{name}`: {problem}");
                report.problems.extend(found.into_iter().map(placed));
            }
        }
        for table_idx in def.table_idxs() {
            report.rows += view.len(table_idx)?;
        }
        for group in def.groups {
            report.entries += view.entries(view.document_name(), group.name)?.len() as u64;
        }
        self.check_late_edits(current, &view, &mut report.problems)?;
        if def.epoch == self.def.epoch {
            for table_idx in def.table_idxs() {
                self.compare_indexes(&view, table_idx, &mut report.problems)?;
            }
        }
        Ok(report)
    }

    /// Finds the keys under which readers do not see what they are to see of late edits.
    fn check_late_edits(
        &self,
        current: DocName,
        view: &Arc<View>,
        problems: &mut Vec<String>,
    ) -> Result<()> {
        let failure = ReadFailure::default();
        let document = Document::new(view.clone(), &current.to_string(), &failure);
        let Ok(late_edits) = LateEdits::of(&document) else { return Ok(()) };
        let claim = self.lock_writer()?.claim().cloned();
        let mut keys: BTreeSet<EntryRef> = document.stored().late()?.into_iter().collect();
        keys.extend(late_edits.iter().map(|(key, _)| key.at));
        for at in keys {
            if !matches!(Root::parse(&at.root), Some(Root::Table(_) | Root::Group(_))) {
                continue;
            }
            let copies = self.copies(current, claim.as_ref());
            let expected = entry(&document, &late_edits, copies, &at)?;
            let found = document.stored().visible(&at.root, &at.key)?;
            if expected != found {
                problems.push(format!(
                    "`{}` of `{}`: readers do not see the late edit that they are to see, or see one \
                     that they are not",
                    at.key, at.root
                ));
            }
        }
        match failure.take() {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                problems.push(error.to_string());
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// At most so many problems of one document are listed.
const MAX_PROBLEMS: usize = 1_000;

/// Finds differences between the items of a document and its keys, and damage of both.
fn check_document(document: &StoredDocument) -> Result<Vec<String>> {
    let mut problems = document.damage()?;
    if !problems.is_empty() {
        // A reference to the damaged parts would only say so once more.
        problems.truncate(MAX_PROBLEMS);
        return Ok(problems);
    }
    let mut live = 0_u64;
    for (client, clocks) in document.clients()? {
        document.runs_from(ItemId { client, clock: 0 }, &mut |run| {
            let id = ItemId { client, clock: run.start };
            if run.place == Place::Nested || document.is_dead(id)? {
                return Ok(());
            }
            live += 1;
            let first = match run.place {
                Place::After { first, .. } => document.run(first)?.place,
                place => place,
            };
            let Place::First { root, key } = first else {
                problems.push(format!("an item of client {client} belongs to no key"));
                return Ok(());
            };
            let entry = document.entry(&root, &key)?;
            if entry.is_none_or(|entry| entry.id != id) && problems.len() < MAX_PROBLEMS {
                problems.push(format!("`{key}` of `{root}`: its newest item is missing"));
            }
            Ok(())
        })?;
        if clocks == 0 {
            problems.push(format!("client {client} has written nothing"));
        }
    }
    let mut held = 0_u64;
    for root in document.roots()? {
        document.for_each::<Error>(&root, |_, _| {
            held += 1;
            Ok(())
        })?;
    }
    if held != live {
        problems.push(format!("its keys hold {held} entries, and its items {live}"));
    }
    let deletions = deletions_hash(&document.deletions()?);
    if deletions != document.state()?.deletions {
        problems.push("its removed items and their hash differ".to_owned());
    }
    Ok(problems)
}

//! Whether document and read model say the same.

use std::fmt;
use std::sync::Arc;

use super::claim::Claim;
use super::late_edits::{LateEdits, entry, for_each};
use super::loaded::read_document;
use super::open::{Engine, view_names};
use crate::disk::{Entries, HEAD_DOCUMENT, View};
use crate::doc::{BOOKKEEPING, Document, Entry, Root};
use crate::error::{Error, ErrorKind, Result};
use crate::row::EntryRef;
use crate::schema::descriptor::{StoreDef, TableIdx};

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
    /// Loads the document from the file and compares it with the read model.
    pub(crate) fn check(&self) -> Result<CheckReport> {
        let current = self.lock_writer()?.current;
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
        // No write will be made under this id.
        let head = read_document(&view, self.def.name, HEAD_DOCUMENT, 0)?;
        let loaded = read_document(&view, self.def.name, view.document_name(), 0)?;
        let claim = self.lock_writer()?.claim().cloned();
        let mut report = CheckReport { problems: head.log.damage, ..CheckReport::default() };
        report.problems.extend(loaded.log.damage);
        report.problems.extend(compare_head(&head.document, &view)?);
        for table_idx in def.table_idxs() {
            report.rows += view.len(table_idx)?;
        }
        for group in def.groups {
            report.entries += view.entries(view.document_name(), group.name)?.len() as u64;
        }
        report.problems.extend(self.compare(&def, &loaded.document, claim.as_ref(), &view)?);
        if def.epoch == self.def.epoch {
            for table_idx in def.table_idxs() {
                self.compare_indexes(&view, table_idx, &mut report.problems)?;
            }
        }
        Ok(report)
    }

    /// Where the declared tables and groups of the two differ.
    pub(super) fn compare(
        &self,
        def: &StoreDef,
        document: &Document,
        claim: Option<&Claim>,
        view: &Arc<View>,
    ) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        let expected = Expected { document, late_edits: &LateEdits::of(document), claim };
        for table_idx in def.table_idxs() {
            self.compare_table(def, &expected, view, table_idx, &mut problems)?;
        }
        for group in def.groups {
            let entries = view.entries(view.document_name(), group.name)?;
            let root = Root::Group(group.name.to_owned());
            let what = format!("group `{}`", group.name);
            expected.compare(&root, &entries, &what, &mut problems)?;
        }
        for root in BOOKKEEPING {
            let entries = view.bookkeeping(view.document_name(), &root.name())?;
            expected.compare(&root, &entries, &root.name(), &mut problems)?;
        }
        Ok(problems)
    }

    fn compare_table(
        &self,
        def: &StoreDef,
        expected: &Expected<'_>,
        view: &Arc<View>,
        table_idx: TableIdx,
        problems: &mut Vec<String>,
    ) -> Result<()> {
        let table = &def.tables[table_idx];
        let mut in_document = 0;
        let root = Root::Table(table.name.to_owned()).name();
        expected.for_each(&root, |key, entry| {
            in_document += 1;
            let same = match (table.read_key)(key) {
                Some(bytes) => view
                    .row(table_idx, &bytes)?
                    .is_some_and(|row| row.id() == entry.id && row.content() == entry.content),
                None => view.stray(table_idx, key)? == Some(entry.id),
            };
            if !same {
                problems.push(format!(
                    "table `{}`: the row `{key}` differs between document and read model",
                    table.name
                ));
            }
            Ok(())
        })?;
        let in_view = view.len(table_idx)?;
        if in_view != in_document {
            problems.push(format!(
                "table `{}`: the document holds {in_document} rows, the read model {in_view}",
                table.name
            ));
        }
        Ok(())
    }
}

/// What a document says, for comparing.
struct Expected<'d> {
    document: &'d Document,
    late_edits: &'d LateEdits,
    claim: Option<&'d Claim>,
}

impl Expected<'_> {
    fn for_each(&self, root: &str, visit: impl FnMut(&str, Entry) -> Result<()>) -> Result<()> {
        for_each(self.document, self.late_edits, self.claim, root, visit)
    }

    /// Where entries differ from what the document has under a root.
    fn compare(
        &self,
        root: &Root,
        entries: &Entries,
        what: &str,
        problems: &mut Vec<String>,
    ) -> Result<()> {
        let root = root.name();
        let mut in_document = 0;
        self.for_each(&root, |_, _| {
            in_document += 1;
            Ok(())
        })?;
        let mut at = EntryRef::new(root.as_str(), "");
        for (name, id, content) in entries {
            name.clone_into(&mut at.key);
            let same = entry(self.document, self.late_edits, self.claim, &at)
                .is_some_and(|entry| entry.id == *id && entry.content == *content);
            if !same {
                problems.push(format!(
                    "{what}: the entry `{name}` differs between document and read model"
                ));
            }
        }
        if entries.len() != in_document {
            problems.push(format!(
                "{what}: the document holds {in_document} entries, the read model {}",
                entries.len()
            ));
        }
        Ok(())
    }
}

/// Where the head document and what is read of it differ.
pub(super) fn compare_head(document: &Document, view: &View) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let expected = Expected { document, late_edits: &LateEdits::default(), claim: None };
    for root in document.maps() {
        if let Some(Root::Group(group)) = Root::parse(&root) {
            let entries = view.entries(HEAD_DOCUMENT, &group)?;
            let what = format!("group `{group}`");
            expected.compare(&Root::Group(group), &entries, &what, &mut problems)?;
        }
    }
    Ok(problems)
}

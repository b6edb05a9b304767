//! Work beside the app's own: flushing, rekeying, copying.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::documents::DocName;
use super::exchange::documents_in;
use super::meta_keys;
use super::open::Engine;
use super::progress::{Progress, REPORT_EVERY_ROWS};
use super::upgrade::Coverage;
use super::write_batch::RowOp;
use super::writer::Writer;
use crate::disk::{Disk, Location, StorageOptions, StoredDocument, View};
use crate::doc::Root;
use crate::doc::items::ReadItems;
use crate::error::{Error, ErrorKind, Result};
use crate::evolve::Invalid;
use crate::row::{EntryRef, KeyForm};
use crate::schema::descriptor::{StoreDef, TableIdx};

/// The bytes that the items of a document may take at least before it is rebuilt, unless set.
const LEAST_HISTORY_LIMIT: u64 = 64 << 20;

/// How many bytes the items of a document may take if nothing is set: up to twice the least, another number for each
/// file, so that one device rebuilds and the others take over what it made before they come to theirs.
pub(super) fn usual_history_limit(whereabouts: u64) -> u64 {
    LEAST_HISTORY_LIMIT + whereabouts % LEAST_HISTORY_LIMIT
}

/// How much of a document is history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HistorySize {
    pub(crate) live_rows: u64,
    /// The bytes that the items take in the file.
    pub(crate) bytes: u64,
    pub(crate) items: u64,
}

impl Engine {
    /// Whether there is work for the background.
    pub(crate) fn needs_maintenance(&self) -> bool {
        [&self.unflushed, &self.unbuilt, &self.is_outgrown]
            .into_iter()
            .any(|flag| flag.load(Ordering::Acquire))
    }

    /// How much of the current document is history.
    pub(crate) fn history_size(&self) -> Result<HistorySize> {
        self.in_view(|view| {
            let mut live_rows = 0;
            for table_idx in self.def.table_idxs() {
                live_rows += view.len(table_idx)?;
            }
            for group in self.def.groups {
                live_rows += view.entries(view.document_name(), group.name)?.len() as u64;
            }
            let document = StoredDocument::new(view.clone(), view.document_name());
            let bytes = document.state()?.bytes;
            let items = document.clients()?.iter().map(|(_, clock)| u64::from(*clock)).sum();
            Ok(HistorySize { live_rows, bytes, items })
        })
    }

    /// Makes commits durable that did not wait for the disk.
    pub(crate) fn flush(&self) -> Result<()> {
        if self.unflushed.load(Ordering::Acquire) {
            self.flush_held(&mut *self.lock_for_upkeep()?)?;
        }
        Ok(())
    }

    /// [`flush`](Self::flush), while no other commit can come in between. What cannot be made durable is
    /// undone.
    pub(crate) fn flush_or_undo(&self, writer: &mut Writer) -> Result<()> {
        self.flush_held(writer).inspect_err(|_| {
            self.disk.undo_unflushed();
            self.unflushed.store(false, Ordering::Release);
            self.frontiers.lock().unwrap_or_else(PoisonError::into_inner).clear();
            self.reread(writer);
        })
    }

    /// [`flush`](Self::flush), while no other commit can come in between.
    pub(super) fn flush_held(&self, writer: &mut Writer) -> Result<()> {
        if !self.unflushed.load(Ordering::Acquire) {
            return Ok(());
        }
        match self.disk.flush() {
            Ok(()) => {
                self.unflushed.store(false, Ordering::Release);
                Ok(())
            }
            Err(error) => {
                self.reread(writer);
                Err(error)
            }
        }
    }

    /// The declared tables whose rows are kept otherwise than the code reads them: under texts, since no
    /// code had declared them, or as keys of another kind.
    pub(crate) fn to_rekey(
        &self,
        def: &StoreDef,
        document: &StoredDocument,
    ) -> Result<Vec<TableIdx>> {
        if document.view().is_of_older_format() {
            return Ok(Coverage::of(document.view())?.to_rebuild(def));
        }
        let mut to_rekey = Vec::new();
        for (table_idx, table) in def.tables_by_idx() {
            let root = Root::Table(table.name.to_owned()).name();
            let form = document.form_of(&root)?;
            if form.is_some_and(|form| form != Some(KeyForm::of(table))) {
                to_rekey.push(table_idx);
            }
        }
        Ok(to_rekey)
    }

    /// Has the rows of declared tables in a document be kept as the code reads them.
    pub(crate) fn rekey(&self, writer: &mut Writer, name: DocName) -> Result<()> {
        let document = StoredDocument::new(self.view(), &name.to_string());
        let table_idxs = self.to_rekey(&self.def, &document)?;
        if table_idxs.is_empty() {
            return Ok(());
        }
        let tables = table_idxs.iter().map(|table_idx| self.def.tables[*table_idx].name);
        let tables = tables.collect::<Vec<_>>().join("`, `");
        self.refuse_to_prepare(format!(
            "the keys of `{tables}` are not stored as this code reads them"
        ))?;
        if document.view().is_of_older_format() {
            return self.upgrade(writer);
        }
        if name == writer.current {
            let view = self.view();
            self.cover_indexes(writer, &view)?;
            self.reset_indexes(writer, &table_idxs);
        }
        self.store(writer, |_, commit| {
            table_idxs.iter().try_for_each(|table_idx| {
                let table = &self.def.tables[*table_idx];
                let mut done = 0;
                let mut report = || {
                    done += 1;
                    if done % REPORT_EVERY_ROWS == 0 {
                        let table = table.name.to_owned();
                        self.settings.report(Progress::Rebuild { table, done });
                    }
                };
                commit.rekey(&document, table.name, &KeyForm::of(table), &mut report)?;
                if done > 0 {
                    let table = table.name.to_owned();
                    self.settings.report(Progress::Rebuild { table, done });
                }
                Ok(())
            })
        })
    }

    /// Copies what is committed now to a new file, which gets a device id of its own. Refused while
    /// something is known to be damaged.
    pub(crate) fn backup(&self, path: &Path) -> Result<()> {
        let at_file = |error: Error| self.placed(error).at_file(path);
        if path.try_exists().unwrap_or(true) {
            return Err(at_file(
                Error::new(ErrorKind::AlreadyExists, "a backup never overwrites")
                    .help("choose another name, or remove the file that is there"),
            ));
        }
        let view = self.view();
        if let Some(at) = self.damage.first_left(&view).map_err(|error| self.placed(error))? {
            return Err(self.placed(damaged(&at)));
        }
        self.refuse_damage(&view).map_err(|error| self.placed(error))?;
        let location = Location::File(path.to_owned());
        let (copy, _) = Disk::open(&location, StorageOptions::default()).map_err(at_file)?;
        copy.commit(true, |commit| {
            commit.copy_from(&view)?;
            // The copy is another device, even if it is moved to the place of the original. The id stays, so
            // that the edits under it are its own.
            commit.set_meta(meta_keys::WHEREABOUTS, &[]).map(Some)
        })
        .and_then(|_| copy.publish())
        .map_err(at_file)
    }
}

impl Engine {
    /// Refuses a file of which a row or a record is damaged. One of an earlier format does not say.
    fn refuse_damage(&self, view: &Arc<View>) -> Result<()> {
        if view.is_of_older_format() {
            return Ok(());
        }
        for (name, fact) in documents_in(view)? {
            if fact.is_none_or(|fact| !fact.is_pruned)
                && let Some(problem) = StoredDocument::new(view.clone(), &name).damage()?.first()
            {
                let error = Error::new(ErrorKind::Corrupt, NOT_COPIED);
                return Err(error.finding(problem.as_str()).help(MEND_FIRST));
            }
        }
        Ok(())
    }
}

const NOT_COPIED: &str = "the store is damaged, and so would be its backup";
const MEND_FIRST: &str = "nothing was copied; exchange changes with a device that has what is damaged, or put, \
     repair, discard or remove it; `check` lists it. Else copy the file while the store is closed";

fn damaged(at: &EntryRef) -> Error {
    let error = Error::new(ErrorKind::Corrupt, NOT_COPIED);
    let error = match Root::parse(&at.root) {
        Some(Root::Table(table)) => error.at_table(&table).at_key(at.key.as_str()),
        Some(Root::Group(group)) => error.at_group(&group).at_field(at.key.as_str()),
        _ => error,
    };
    error.help(MEND_FIRST)
}

impl Engine {
    /// Writes missing defaults into the rows of all tables; gives the number of rows changed.
    pub(crate) fn backfill_defaults(&self) -> Result<usize> {
        self.transaction(|view, batch| {
            let mut changed = 0;
            for (table_idx, table) in self.def.tables_by_idx() {
                let total = view.len(table_idx)? - view.strays(table_idx)?.len() as u64;
                let mut done = 0;
                let mut rows = view.rows(table_idx)?;
                while let Some(filled) = rows.next_with(|key, stored| {
                    let json =
                        std::str::from_utf8(stored.json()).ok().filter(|_| !stored.is_foreign());
                    let filled = json.and_then(|json| (table.fill)(json).transpose());
                    filled.map(|json| (key.to_vec(), json))
                }) {
                    done += 1;
                    if done % REPORT_EVERY_ROWS == 0 || done == total {
                        let table = table.name.to_owned();
                        self.settings.report(Progress::Backfill { table, done, total });
                    }
                    if let Some((bytes, json)) = filled? {
                        let key = (table.key_text)(&bytes).ok_or_else(|| {
                            Error::new(ErrorKind::Corrupt, "a row is stored without a key")
                        })?;
                        let json = json.map_err(|failure| {
                            let error =
                                Invalid::of_failure(failure).into_refusal().at_table(table.name);
                            error.at_key(key.as_str())
                        })?;
                        let op = RowOp::new(key, Some(json.into()), true, true, Vec::new());
                        batch.set_row(table_idx, bytes.into(), op);
                        changed += 1;
                    }
                }
            }
            Ok(changed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_other_limits_of_their_history_within_bounds() {
        let files = (0..1_000_u64).map(|file| file.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut limits: Vec<u64> = files.map(usual_history_limit).collect();
        assert!(limits.iter().all(|limit| (64 << 20..128 << 20).contains(limit)));
        limits.sort_unstable();
        limits.dedup();
        assert!(limits.len() > 990, "{} limits", limits.len());
    }
}

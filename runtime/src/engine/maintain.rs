//! What is done beside the app's own work: renewing snapshots, flushing, rebuilding, copying.

use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::atomic::Ordering;

use twox_hash::XxHash3_64;

use super::check::compare_head;
use super::claim::Claim;
use super::late_edits::for_each;
use super::loaded::Loaded;
use super::meta_keys;
use super::open::Engine;
use super::progress::{Progress, REPORT_EVERY_ROWS};
use super::write_batch::RowOp;
use super::writer::Writer;
use crate::disk::{Commit, Disk, HEAD_DOCUMENT, Location, Record, RecordKind, StorageOptions};
use crate::doc::{Document, Root};
use crate::error::{Error, ErrorKind, Result};
use crate::evolve::Invalid;
use crate::row::Content;
use crate::schema::descriptor::TableIdx;

impl Engine {
    /// Whether there is work for the background.
    pub(crate) fn needs_maintenance(&self) -> bool {
        let outgrown = [&self.outgrown, &self.head_outgrown, &self.others_outgrown];
        let mut flags = outgrown.into_iter().chain([&self.unflushed, &self.unbuilt]);
        flags.any(|flag| flag.load(Ordering::Acquire))
    }

    /// Makes commits durable that did not wait for the disk.
    pub(crate) fn flush(&self) -> Result<()> {
        if self.unflushed.load(Ordering::Acquire) {
            self.flush_held(&mut *self.lock_for_upkeep()?)?;
        }
        Ok(())
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
                self.follow_disk(writer);
                Err(error)
            }
        }
    }

    /// After a commit that failed: the file was opened again, and what had not reached it is gone
    /// from document and readers, too.
    fn follow_disk(&self, writer: &mut Writer) {
        writer.forget_loaded();
        writer.is_recorded = false;
        // Where even reading fails, readers keep what they have.
        let _ = self.refresh_view();
        self.reread_indexes(writer);
    }

    /// Replaces the snapshots and the logs they have outgrown by new snapshots.
    pub(crate) fn renew_snapshots(&self) -> Result<()> {
        if self.head_outgrown.swap(false, Ordering::AcqRel) {
            self.renew_snapshot(HEAD_DOCUMENT)?;
        }
        if self.outgrown.swap(false, Ordering::AcqRel) {
            let current = self.view().document_name().to_owned();
            self.renew_snapshot(&current)?;
        }
        if self.others_outgrown.swap(false, Ordering::AcqRel) {
            let writer = self.lock_for_upkeep()?;
            let outgrown = writer.others.iter().filter(|(_, other)| other.log.is_outgrown());
            let outgrown: Vec<String> = outgrown.map(|(name, _)| name.to_string()).collect();
            drop(writer);
            for name in outgrown {
                self.renew_snapshot(&name)?;
            }
        }
        Ok(())
    }

    /// Replaces the snapshot of a document and the log it has outgrown by one new snapshot.
    ///
    /// Writers wait only while the document is encoded and while the result is stored.
    fn renew_snapshot(&self, name: &str) -> Result<()> {
        if self.closing.load(Ordering::Acquire) {
            return Ok(());
        }
        let (update, version, view, covered, covered_bytes, claim, entries) = {
            let mut writer = self.lock_for_upkeep()?;
            let (claim, is_other) = (writer.claim().cloned(), writer.is_other(name));
            let Some(Loaded { document, log, .. }) = writer.document(name) else { return Ok(()) };
            if is_other && document.has_pending() {
                // What waits would have to be written behind the snapshot, as something new of it.
                return Ok(());
            }
            log.is_renewed = true;
            let (view, update, version) = (self.view(), document.encode(), document.version());
            let entries = is_other.then(|| entries_of(document));
            (update, version, view, log.last, log.log_bytes, claim, entries)
        };
        let record = Record::encode(&update, RecordKind::Local);
        drop(update);

        // Log records go only once what replaces them was decoded again and found to say the same.
        let copy = decode_again(self.def.name, &record)?;
        let problems = match name {
            HEAD_DOCUMENT => compare_head(&copy, &view)?,
            // Readers see nothing of it.
            _ if entries.is_some() => Vec::new(),
            _ => self.compare(&self.def, &copy, claim.as_ref(), &view)?,
        };
        let has_other_entries = entries.is_some_and(|entries| entries != entries_of(&copy));
        if copy.version() != version || has_other_entries || !problems.is_empty() {
            let what = "a new snapshot does not read back the same";
            if let Some(Loaded { log, .. }) = self.lock_for_upkeep()?.document(name) {
                // It would not do so the next time either.
                log.damage.push(what.to_owned());
            }
            return Err(Error::new(ErrorKind::Corrupt, what)
                .help("the log was kept; run `check` on the file"));
        }
        drop((copy, view));
        if self.closing.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut writer = self.lock_for_upkeep()?;
        if writer.is_other(name) != entries.is_some() {
            return Ok(());
        }
        let Some(Loaded { document, log, .. }) = writer.document(name) else { return Ok(()) };
        if !std::mem::take(&mut log.is_renewed) {
            // It was loaded again since; it may have been given up, and begun anew.
            return Ok(());
        }
        // What waits is no part of the snapshot, and is written behind it once more.
        let waiting = document.waiting().iter().filter(|_| entries.is_none());
        let waiting: Vec<_> =
            waiting.map(|update| Record::encode(update, RecordKind::Waiting)).collect();
        let stored = self.disk.commit(self.settings.durable, |commit| {
            commit.renew_snapshot(name, covered, &record)?;
            let sequences = log.last + 1..;
            sequences
                .zip(&waiting)
                .try_for_each(|(sequence, record)| commit.append_log(name, sequence, record))
        });
        if let Err(error) = stored {
            self.follow_disk(&mut writer);
            return Err(error);
        }
        log.snapshot_bytes = record.len() as u64;
        log.log_bytes -= covered_bytes;
        // Of the few records since, none counts as large.
        log.largest = 0;
        for record in &waiting {
            log.grow(log.last + 1, record.len() as u64);
        }
        self.refresh_view()
    }

    /// Reads tables out of the document into the read model.
    pub(super) fn rebuild(&self, table_idxs: &[TableIdx]) -> Result<()> {
        let mut writer = self.lock_writer()?;
        self.load(&mut writer)?;
        let Some(loaded) = writer.loaded.take() else { return Ok(()) };
        let claim = writer.claim().cloned();
        writer.unrecorded.coverage |= writer.coverage.cover(&self.def);
        let view = self.view();
        self.cover_indexes(&mut writer, &view)?;
        self.reset_indexes(&mut writer, table_idxs);
        let read_model = |commit: &Commit| {
            let mut table_idxs = table_idxs.iter();
            table_idxs.try_for_each(|table_idx| {
                self.rebuild_table(commit, &loaded, claim.as_ref(), *table_idx)
            })
        };
        self.store(&mut writer, None, read_model, || Ok(Vec::new()))?;
        writer.loaded = Some(loaded);
        Ok(())
    }

    fn rebuild_table(
        &self,
        commit: &Commit,
        loaded: &Loaded,
        claim: Option<&Claim>,
        table_idx: TableIdx,
    ) -> Result<()> {
        let name = self.current_name();
        commit.clear_rows(&name, self.def.tables[table_idx].name)?;
        self.fill_table(commit, &name, loaded, claim, table_idx)
    }

    /// Reads a table out of a document.
    pub(crate) fn fill_table(
        &self,
        commit: &Commit,
        name: &str,
        loaded: &Loaded,
        claim: Option<&Claim>,
        table_idx: TableIdx,
    ) -> Result<()> {
        let table = &self.def.tables[table_idx];
        let mut rows = commit.rows(name, table.name)?;
        let mut done = 0;
        let root = Root::Table(table.name.to_owned()).name();
        for_each(&loaded.document, &loaded.late_edits, claim, &root, |key, entry| {
            done += 1;
            if done % REPORT_EVERY_ROWS == 0 {
                self.settings.report(Progress::Rebuild { table: table.name.to_owned(), done });
            }
            match (table.read_key)(key) {
                Some(bytes) => rows.put(&bytes, entry.id, &entry.content),
                None => rows.set_stray(key, Some((entry.id, &entry.content))),
            }
        })?;
        if done > 0 {
            self.settings.report(Progress::Rebuild { table: table.name.to_owned(), done });
        }
        Ok(())
    }

    /// Copies what is committed now to a new file, which gets a device id of its own.
    pub(crate) fn backup(&self, path: &Path) -> Result<()> {
        let at_file = |error: Error| self.placed(error).at_file(path);
        if path.try_exists().unwrap_or(true) {
            return Err(at_file(
                Error::new(ErrorKind::AlreadyExists, "a backup never overwrites")
                    .help("choose another name, or remove the file that is there"),
            ));
        }
        let location = Location::File(path.to_owned());
        let (copy, _) = Disk::open(&location, StorageOptions::default()).map_err(at_file)?;
        let view = self.view();
        copy.commit(true, |commit| {
            commit.copy_from(&view)?;
            // Whoever opens the copy is another device, wherever it comes to lie.
            commit.set_meta(meta_keys::DEVICE, &[])?;
            commit.set_meta(meta_keys::WHEREABOUTS, &[])
        })
        .and_then(|()| copy.publish())
        .map_err(at_file)
    }
}

/// A checksum of all that stands in a document, in whatever order.
fn entries_of(document: &Document) -> u64 {
    let mut sum = 0_u64;
    for root in document.maps() {
        let read = document.for_each(&root, |key, entry| {
            let mut hasher = XxHash3_64::new();
            (&*root, key, entry.id.client, entry.id.clock).hash(&mut hasher);
            match &entry.content {
                Content::Text(text) => (true, &**text).hash(&mut hasher),
                Content::Foreign(raw) => (false, raw.as_str()).hash(&mut hasher),
            }
            sum = sum.wrapping_add(hasher.finish());
            Ok::<(), std::convert::Infallible>(())
        });
        let Ok(()) = read;
    }
    sum
}

fn decode_again(store: &str, record: &[u8]) -> Result<Document> {
    let mut copy = Document::new(store, 1);
    let read = Record::decode(record).map_err(|why| Error::new(ErrorKind::Corrupt, why))?;
    copy.replay(&read.update).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "a new snapshot does not load").because(error)
    })?;
    Ok(copy)
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
                        let op = RowOp { key, json: Some(json), existed: true };
                        batch.set_row(table_idx, bytes, op);
                        changed += 1;
                    }
                }
            }
            Ok(changed)
        })
    }
}

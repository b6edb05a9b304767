//! One commit of the file: a document, what readers see of it, and the facts together.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::documents::DocName;
use super::meta_keys;
use super::open::Engine;
use super::writer::{Unrecorded, Writer};
use crate::disk::{Commit, FORMAT};
use crate::error::{Error, ErrorKind, Result};
use crate::row::KeyForm;

impl Engine {
    /// One commit of what `work` writes, of what is to be added to the head document, and of the facts
    /// that changed. After an error the file is as before.
    pub(crate) fn store<T>(
        &self,
        writer: &mut Writer,
        work: impl FnOnce(&mut Writer, &Commit) -> Result<T>,
    ) -> Result<T> {
        let stored = self.store_if(writer, |writer, commit| work(writer, commit).map(Some))?;
        stored.ok_or_else(|| Error::new(ErrorKind::Storage, "a commit was not made"))
    }

    /// [`store`](Self::store), unless `work` finds that there is nothing to write.
    pub(crate) fn store_if<T>(
        &self,
        writer: &mut Writer,
        work: impl FnOnce(&mut Writer, &Commit) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        // A change of the current document does not wait.
        let durable =
            self.settings.durable && !writer.is_flushed_later || writer.shows_next.is_some();
        let stored = self.disk.commit(durable, |commit| {
            // Before `work`, which may write to an index that is to be begun anew.
            self.record_indexes(writer, commit)?;
            let done = work(writer, commit)?;
            if done.is_some() {
                self.write_head_changes(writer, commit)?;
                if self.is_own_block_damaged(writer) {
                    return Err(clocks_unknown());
                }
                // Conclusions from look-ups that failed are not written.
                writer.failure.take()?;
                writer.forget_decided(commit)?;
                self.record_facts(writer, commit)?;
            }
            Ok(done)
        });
        let shows_next = writer.shows_next.take();
        let head_changes = std::mem::take(&mut writer.head_changes);
        match &stored {
            Ok(Some(_)) => {}
            Ok(None) => {
                writer.head_changes = head_changes;
                return Ok(None);
            }
            Err(_) => {
                self.reread(writer);
                return stored;
            }
        }
        if let Some(names) = shows_next {
            self.disk.show(names);
        }
        if durable {
            self.hub.keep_held();
        }
        self.damage.is_recorded();
        writer.unrecorded = Unrecorded::default();
        writer.indexes.is_unrecorded = false;
        writer.indexes.to_clear.clear();
        self.unbuilt.store(writer.indexes.facts.are_building(), Ordering::Release);
        if !durable {
            self.unflushed.store(true, Ordering::Release);
        }
        self.refresh_view()?;
        writer.follow(&self.view());
        if let (Some(limit), Some(loaded)) = (self.settings.history_limit, &writer.loaded)
            && loaded.document.stored().state().is_ok_and(|state| state.bytes > limit)
        {
            self.is_outgrown.store(true, Ordering::Release);
        }
        // Once now and once at the end, since it costs a little and a missing mark no data.
        if !writer.is_marked
            && let Some(loaded) = &writer.loaded
        {
            let commits = loaded.document.commits();
            self.mark(writer, commits);
        }
        stored
    }

    /// How the rows of the declared tables are kept in a document.
    pub(crate) fn declared(&self, document: DocName) -> Arc<[(String, KeyForm)]> {
        if document.epoch == self.def.epoch { self.key_forms.clone() } else { Arc::from([]) }
    }

    fn record_facts(&self, writer: &Writer, commit: &Commit) -> Result<()> {
        if writer.unrecorded.identity {
            commit.set_meta(meta_keys::FORMAT, &FORMAT.to_le_bytes())?;
            commit.set_meta(meta_keys::STORE, self.def.name.as_bytes())?;
            commit.set_meta(meta_keys::DOCUMENT, writer.current.to_string().as_bytes())?;
        }
        if writer.unrecorded.documents {
            commit.set_meta(meta_keys::DOCUMENTS, &to_json(&writer.documents)?)?;
        }
        if let (true, Some(device)) = (writer.unrecorded.device, writer.device) {
            commit.set_meta(meta_keys::DEVICE, &device.to_le_bytes())?;
            commit.set_meta(meta_keys::WHEREABOUTS, &self.disk.whereabouts().0.to_le_bytes())?;
            commit.set_meta(meta_keys::EARLIER_DEVICES, &to_json(&writer.earlier_devices)?)?;
        }
        self.damage.record(commit)?;
        if let (true, Some(compared)) = (writer.unrecorded.compared, &writer.compared) {
            commit.set_meta(meta_keys::COMPARED, &to_json(compared)?)?;
        }
        Ok(())
    }
}

/// Only now was it found out; the next write is made under another id.
fn clocks_unknown() -> Error {
    Error::new(
        ErrorKind::Corrupt,
        "the file is damaged: the newest items of this device cannot be read",
    )
    .help("nothing was changed; try again, which writes under a new device id")
}

pub(crate) fn to_json<T: serde::Serialize>(fact: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(fact)
        .map_err(|error| Error::new(ErrorKind::Storage, "a fact does not serialize").because(error))
}

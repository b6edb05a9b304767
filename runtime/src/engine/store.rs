//! One commit of the file: log record, read model and facts together.

use std::sync::atomic::Ordering;

use super::loaded::LogState;
use super::meta_keys;
use super::open::Engine;
use super::writer::{Unrecorded, Writer};
use crate::disk::{Commit, FORMAT};
use crate::error::{Error, ErrorKind, Result};

impl Engine {
    /// One commit of the facts that changed, what `read_model` writes, and the log records that
    /// `records` gives, in this order. After an error the file is as before.
    pub(crate) fn store(
        &self,
        writer: &mut Writer,
        log: Option<&mut LogState>,
        read_model: impl FnOnce(&Commit) -> Result<()>,
        records: impl FnOnce() -> Result<Vec<Vec<u8>>>,
    ) -> Result<()> {
        self.store_with(writer, log, |_, commit| read_model(commit), records)
    }

    /// [`store`](Self::store), where what is written to the head document follows from the rest.
    pub(crate) fn store_with(
        &self,
        writer: &mut Writer,
        log: Option<&mut LogState>,
        read_model: impl FnOnce(&mut Writer, &Commit) -> Result<()>,
        records: impl FnOnce() -> Result<Vec<Vec<u8>>>,
    ) -> Result<()> {
        let next = log.as_ref().map_or(1, |log| log.last + 1);
        let current = writer.current.to_string();
        let stored = self.disk.commit(self.settings.durable, |commit| {
            self.record_facts(writer, commit)?;
            read_model(writer, commit)?;
            if let (Some(changes), Some(head)) = (&writer.head_changes, &writer.head) {
                changes.write(commit, head.log.last)?;
            }
            let mut grown = Vec::new();
            for (sequence, record) in (next..).zip(records()?) {
                commit.append_log(&current, sequence, &record)?;
                grown.push((sequence, record.len() as u64));
            }
            Ok(grown)
        });
        let shows_next = writer.shows_next.take();
        let grown = match stored {
            Ok(grown) => {
                if let Some(names) = shows_next {
                    self.disk.show(names);
                }
                grown
            }
            Err(error) => {
                if writer.head_changes.take().is_some() {
                    writer.head = None;
                }
                // The file may have been opened again, and then readers need it, too. Where even
                // that fails, they keep what they have.
                let _ = self.refresh_view();
                self.reread_indexes(writer);
                return Err(error);
            }
        };
        writer.unrecorded = Unrecorded::default();
        if let (Some(changes), Some(head)) = (writer.head_changes.take(), &mut writer.head) {
            changes.count(&mut head.log);
            self.head_outgrown.store(head.log.is_outgrown(), Ordering::Release);
        }
        writer.indexes.is_unrecorded = false;
        writer.indexes.to_clear.clear();
        self.unbuilt.store(writer.indexes.facts.are_building(), Ordering::Release);
        if !self.settings.durable {
            self.unflushed.store(true, Ordering::Release);
        }
        if let (Some(log), Some((last, _))) = (log, grown.last()) {
            for (sequence, bytes) in &grown {
                log.grow(*sequence, *bytes);
            }
            // Once now and once at the end, since it costs a little and a missing mark no data.
            if !writer.is_marked {
                self.mark(writer, *last);
            }
            self.outgrown.store(log.is_outgrown(), Ordering::Release);
        }
        self.refresh_view()
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
            if let Some(damage) = writer.damage {
                commit.set_meta(meta_keys::DAMAGE, &damage.to_le_bytes())?;
            }
        }
        if let (true, Some(compared)) = (writer.unrecorded.compared, &writer.compared) {
            commit.set_meta(meta_keys::COMPARED, &to_json(compared)?)?;
        }
        if writer.unrecorded.coverage {
            commit.set_meta(meta_keys::COVERAGE, &to_json(&writer.coverage)?)?;
        }
        self.record_indexes(writer, commit)
    }
}

pub(crate) fn to_json<T: serde::Serialize>(fact: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(fact)
        .map_err(|error| Error::new(ErrorKind::Storage, "a fact does not serialize").because(error))
}

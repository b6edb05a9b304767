//! Data documents beside the current one: those of earlier and later epochs, and those of other
//! devices' migrations. They are kept and passed on, and what is late in them is carried over.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::documents::DocName;
use super::exchange::merge_guarded;
use super::loaded::Loaded;
use super::open::Engine;
use super::write::not_loaded;
use super::writer::Writer;
use crate::disk::{Record, RecordKind};
use crate::doc::{ChangedKeys, Removed};
use crate::error::Result;

/// What a merge did to a document that is not current.
#[derive(Debug, Default)]
pub(crate) struct OtherMerged {
    /// How much of the document was here before, by client.
    pub(crate) before: BTreeMap<u64, u32>,
    pub(crate) changed: ChangedKeys,
    pub(crate) removed: Vec<Removed>,
    pub(crate) pending: bool,
    /// Whether there was anything new in it, so that the log has it as one more record.
    pub(crate) is_recorded: bool,
}

impl Engine {
    /// Takes in an update of a document that is not the current one.
    pub(crate) fn merge_other(
        &self,
        writer: &mut Writer,
        name: DocName,
        update: &[u8],
    ) -> Result<OtherMerged> {
        self.load(writer)?;
        self.load_other(writer, name)?;
        // Taken out, so that after an error, or a panic, it is loaded again.
        let Some(mut loaded) = writer.others.remove(&name) else { return Err(not_loaded()) };
        let before = loaded.document.clocks();
        let mut merged = merge_guarded(&mut loaded.document, update)?;
        let pending = loaded.document.has_pending();
        let is_recorded = merged.record.is_some();
        if merged.is_of_own_id {
            // Another copy has written under our id, so this one is a restored backup.
            writer.device = Some(self.new_device());
            writer.unrecorded.device = true;
        }
        if let Some(record) = &merged.record {
            let kind = if merged.waits { RecordKind::Waiting } else { RecordKind::Remote };
            let record = Record::encode(record, kind);
            self.store_other(writer, name, &mut loaded, &record)?;
        }
        if merged.is_of_own_id {
            writer.forget_loaded();
        } else {
            loaded.update_late_edits(&mut merged.changed);
            writer.others.insert(name, loaded);
        }
        let (changed, removed) = (merged.changed, merged.removed);
        Ok(OtherMerged { before, changed, removed, pending, is_recorded })
    }

    /// Finds out what is not known yet of documents beside the current one.
    pub(crate) fn complete_facts(&self, writer: &mut Writer) -> Result<()> {
        let partial: Vec<DocName> = writer
            .documents
            .present()
            .filter(|(_, fact)| fact.is_partial)
            .map(|(name, _)| name)
            .collect();
        for name in partial {
            self.load_other(writer, name)?;
            let Some(loaded) = writer.others.get(&name) else { continue };
            let version = loaded.document.version();
            if let Some(fact) = writer.documents.0.get_mut(&name) {
                fact.set_version(version);
                writer.unrecorded.documents = true;
            }
        }
        Ok(())
    }

    fn store_other(
        &self,
        writer: &mut Writer,
        name: DocName,
        loaded: &mut Loaded,
        record: &[u8],
    ) -> Result<()> {
        let before = writer.documents.clone();
        let text = name.to_string();
        let sequence = loaded.log.last + 1;
        let fact = writer.documents.0.entry(name).or_default();
        fact.last = sequence;
        fact.set_version(loaded.document.version());
        fact.waits = loaded.document.has_pending();
        fact.is_pruned = false;
        writer.unrecorded.documents = true;
        let read_model = |commit: &crate::disk::Commit| commit.append_log(&text, sequence, record);
        if let Err(error) = self.store(writer, None, read_model, || Ok(Vec::new())) {
            writer.documents = before;
            return Err(error);
        }
        loaded.log.grow(sequence, record.len() as u64);
        if loaded.log.is_outgrown() {
            self.others_outgrown.store(true, Ordering::Release);
        }
        Ok(())
    }
}

//! Data documents beside the current one: those of earlier and later epochs, and those of other
//! devices' migrations. They are kept and passed on, and what is late in them is carried over.

use std::ops::Range;

use super::document::Loaded;
use super::documents::DocName;
use super::lost_edits::{LostKey, LostValue};
use super::open::Engine;
use super::write::not_loaded;
use super::writer::Writer;
use crate::doc::items::ReadItems;
use crate::doc::{ChangedKeys, Writes, merge};
use crate::error::Result;

/// The effects of a merge on a document that is not current.
#[derive(Debug, Default)]
pub(crate) struct OtherMerged {
    pub(crate) changed: ChangedKeys,
    /// The items that are dead now.
    pub(crate) dead: Vec<(u64, Range<u32>)>,
    /// The edits that were lost in it, and are on the list.
    pub(crate) lost: Vec<(LostKey, LostValue)>,
    pub(crate) pending: bool,
    /// Whether there was anything new in it, so that the document has had one more commit.
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
        // Taken out, so that after an error, or a panic, it is read again.
        let Some(mut loaded) = writer.others.remove(&name) else { return Err(not_loaded()) };
        let known = writer.documents.clone();
        let merged = self.merge_into(writer, name, &mut loaded, update).inspect_err(|_| {
            writer.documents = known;
        })?;
        loaded.document.follow(self.view());
        let pending = loaded.document.has_pending();
        writer.others.insert(name, loaded);
        Ok(merged.unwrap_or_else(|| OtherMerged { pending, ..OtherMerged::default() }))
    }

    fn merge_into(
        &self,
        writer: &mut Writer,
        name: DocName,
        loaded: &mut Loaded,
        update: &[u8],
    ) -> Result<Option<OtherMerged>> {
        let base = loaded.document.stored();
        self.store_if(writer, |writer, commit| {
            let mut document = commit.document(&base, [].into())?;
            document.begin_merge(self.damage.of(&name.to_string()));
            let mut merged = merge(&mut document, writer.own_ids(), update)?;
            if !merged.is_new {
                return Ok(None);
            }
            if merged.is_of_own_id {
                // Another copy has written under our id, so this one is a restored backup.
                writer.renew_device(self.new_device());
            }
            let own = writer.own_ids();
            let mut edits = merged.met.conclude(&mut document, own, Writes::Nothing)?;
            // Other devices have the newer code, and list theirs.
            let is_newer = name.epoch > self.def.epoch;
            edits.lost.retain(|lost| !is_newer || own.contains(lost.id.client));
            let lost = self.record_lost(commit, name, &edits.lost, &edits.found)?;
            let copies = self.copies(name, writer.claims.get(&name));
            loaded.update_late_edits(&mut merged.changed, &document, copies)?;
            let fact = writer.documents.0.entry(name).or_default();
            fact.last = document.commits();
            fact.set_version(document.version()?);
            fact.waits = document.has_waiting()?;
            fact.is_pruned = false;
            let pending = fact.waits;
            writer.unrecorded.documents = true;
            let dead = document.removed_items().to_vec();
            document.finish()?;
            let changed = merged.changed;
            Ok(Some(OtherMerged { changed, dead, lost, pending, is_recorded: true }))
        })
    }
}

//! The documents that are written to: nothing of them is read ahead but the late edits that they carry.

use super::document::{Document, Loaded};
use super::documents::DocName;
use super::open::Engine;
use super::writer::Writer;
use crate::disk::{Mark, View};
use crate::error::Result;

impl Engine {
    /// Makes the current document ready to be written to, under a device id that is ours alone.
    pub(crate) fn load(&self, writer: &mut Writer) -> Result<()> {
        if writer.loaded.is_some() && writer.device.is_some() && !self.is_own_block_damaged(writer)
        {
            return Ok(());
        }
        self.upgrade(writer)?;
        let name = writer.current.to_string();
        let document = Document::new(self.view(), &name, &writer.failure);
        // A copy that was put in the place of the file lacks writes of this device: under the old id
        // their numbers would be given out again. It may lack that another device has written here, too: one
        // that was made after a first such copy.
        let commits = document.commits();
        writer.failure.take()?;
        let is_rolled_back = |device: u64| {
            self.disk.mark().is_some_and(|mark| mark.device != device || mark.sequence > commits)
        };
        if let Some(device) = writer.device {
            // Finds out whether the blocks that are to be written on are damaged.
            document.stored().look_at_last_blocks(device)?;
        }
        // The same with what a damaged block held.
        if writer.device.is_none_or(is_rolled_back) || self.is_own_block_damaged(writer) {
            writer.renew_device(self.new_device());
        }
        writer.loaded = Some(Loaded::new(document)?);
        writer.is_marked = false;
        Ok(())
    }

    /// Whether it is not known which clocks this device has given out.
    pub(super) fn is_own_block_damaged(&self, writer: &Writer) -> bool {
        let blocks = self.with_view(View::damaged_blocks);
        blocks.iter().any(|(_, client, _)| writer.device == Some(*client))
    }

    /// Makes a data document that is not the current one ready to be read.
    pub(crate) fn load_other(&self, writer: &mut Writer, name: DocName) -> Result<()> {
        if !writer.others.contains_key(&name) {
            self.upgrade(writer)?;
            let document = Document::new(self.view(), &name.to_string(), &writer.failure);
            writer.others.insert(name, Loaded::new(document)?);
        }
        Ok(())
    }

    /// Records how far this device got.
    pub(crate) fn mark(&self, writer: &mut Writer, sequence: u64) {
        if let Some(device) = writer.device {
            self.disk.set_mark(Mark { device, sequence });
            writer.is_marked = true;
        }
    }
}

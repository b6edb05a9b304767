//! The document, loaded when something is first written or merged.

use super::loaded::{new_device, read_document};
use super::open::Engine;
use super::progress::Progress;
use super::writer::Writer;
use crate::disk::Mark;
use crate::error::Result;

impl Engine {
    /// Loads the document, if it is not loaded yet, under a device id that is ours alone.
    pub(super) fn load(&self, writer: &mut Writer) -> Result<()> {
        if writer.loaded.is_some() && writer.device.is_some() {
            return Ok(());
        }
        let device = *writer.device.get_or_insert_with(|| {
            writer.unrecorded.device = true;
            new_device()
        });
        let mut loaded = read_document(&self.view(), self.def.name, device)?;
        let damage = loaded.log.damage_hash();
        if damage.is_some() {
            for what in &loaded.log.damage {
                self.settings.report(Progress::Problem { what: what.clone() });
            }
        }
        // What is lost, to damage or to a restored copy, may hold writes of this device: under the
        // old id their numbers would be given out again.
        let is_rolled_back = self
            .disk
            .mark()
            .is_some_and(|mark| mark.device == device && mark.sequence > loaded.log.last);
        if is_rolled_back || damage.is_some() && damage != writer.damage {
            let device = new_device();
            writer.device = Some(device);
            writer.damage = damage;
            writer.unrecorded.device = true;
            loaded = read_document(&self.view(), self.def.name, device)?;
        }
        writer.loaded = Some(loaded);
        writer.is_marked = false;
        Ok(())
    }

    /// Notes how far this device got.
    pub(super) fn mark(&self, writer: &mut Writer, sequence: u64) {
        if let Some(device) = writer.device {
            self.disk.set_mark(Mark { device, sequence });
            writer.is_marked = true;
        }
    }

    /// Loads the document ahead of the first write.
    pub(crate) fn preload(&self) -> Result<()> {
        let mut writer = self.lock_writer()?;
        self.load(&mut writer).map_err(|error| self.placed(error))
    }
}

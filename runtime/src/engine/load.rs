//! The documents, loaded when something is first written or merged.

use super::documents::DocName;
use super::loaded::{Loaded, damage_hash, read_document};
use super::open::Engine;
use super::progress::Progress;
use super::writer::Writer;
use crate::disk::{HEAD_DOCUMENT, Mark};
use crate::error::{ErrorKind, Result};

impl Engine {
    /// Loads what is not loaded yet of the documents, under a device id that is ours alone.
    pub(crate) fn load(&self, writer: &mut Writer) -> Result<()> {
        if writer.head_changes.take().is_some() {
            // What the document in memory is ahead of was not stored.
            writer.head = None;
        }
        if writer.loaded.is_some() && writer.head.is_some() && writer.device.is_some() {
            return Ok(());
        }
        let device = match writer.device {
            Some(device) => device,
            None => {
                writer.forget_loaded();
                writer.unrecorded.device = true;
                *writer.device.insert(self.new_device())
            }
        };
        let mut head = self.take_or_read(writer.head.take(), HEAD_DOCUMENT, device)?;
        let current = writer.current.to_string();
        let mut data = self.take_or_read(writer.loaded.take(), &current, device)?;
        let damage = damage_hash(data.log.damage.iter().chain(&head.log.damage));
        // What is lost, to damage or to a restored copy, may hold writes of this device: under the
        // old id their numbers would be given out again.
        let is_rolled_back = self
            .disk
            .mark()
            .is_some_and(|mark| mark.device == device && mark.sequence > data.log.last);
        if is_rolled_back || damage.is_some() && damage != writer.damage {
            let device = self.new_device();
            writer.device = Some(device);
            writer.damage = damage;
            writer.unrecorded.device = true;
            head = read_document(&self.view(), self.def.name, HEAD_DOCUMENT, device)?;
            data = read_document(&self.view(), self.def.name, &current, device)?;
            writer.others.clear();
        }
        (writer.loaded, writer.head) = (Some(data), Some(head));
        writer.is_marked = false;
        Ok(())
    }

    /// Loads a data document that is not the current one, once the current one is loaded.
    pub(crate) fn load_other(&self, writer: &mut Writer, name: DocName) -> Result<()> {
        if writer.others.contains_key(&name) {
            return Ok(());
        }
        let device = writer.device.unwrap_or_default();
        let loaded = self.take_or_read(None, &name.to_string(), device)?;
        writer.others.insert(name, loaded);
        Ok(())
    }

    /// Loads the head document alone, under a device id that is ours alone: for who reads the rest of
    /// the file.
    pub(crate) fn load_head(&self, writer: &mut Writer) -> Result<()> {
        let device = writer.device.filter(|_| writer.head.is_some() && !writer.has_head_changes());
        if device.is_some() {
            return Ok(());
        }
        let last = self.view().last_sequence(&writer.current.to_string())?;
        let rolled_back = |device: u64| {
            self.disk.mark().is_some_and(|mark| mark.device == device && mark.sequence > last)
        };
        if writer.device.is_none_or(rolled_back) {
            writer.forget_loaded();
            writer.device = Some(self.new_device());
            writer.unrecorded.device = true;
        }
        let device = writer.device.unwrap_or_default();
        writer.forget_head_changes();
        let head = self.take_or_read(writer.head.take(), HEAD_DOCUMENT, device)?;
        if !head.log.damage.is_empty() {
            // What damage means to the device is found out where all is loaded.
            writer.head = Some(head);
            return self.load(writer);
        }
        writer.head = Some(head);
        Ok(())
    }

    fn take_or_read(&self, loaded: Option<Loaded>, name: &str, device: u64) -> Result<Loaded> {
        if let Some(loaded) = loaded {
            return Ok(loaded);
        }
        let loaded = match read_document(&self.view(), self.def.name, name, device) {
            // What readers have is of a file that an error has closed, and that opens again here.
            Err(error) if error.kind() == ErrorKind::Storage => {
                self.refresh_view()?;
                read_document(&self.view(), self.def.name, name, device)?
            }
            read => read?,
        };
        for what in &loaded.log.damage {
            self.settings.report(Progress::Problem { what: what.clone() });
        }
        Ok(loaded)
    }

    /// Records how far this device got.
    pub(crate) fn mark(&self, writer: &mut Writer, sequence: u64) {
        if let Some(device) = writer.device {
            self.disk.set_mark(Mark { device, sequence });
            writer.is_marked = true;
        }
    }

    /// Loads the documents ahead of the first write.
    pub(crate) fn preload(&self) -> Result<()> {
        let mut writer = self.lock_writer()?;
        self.load(&mut writer).map_err(|error| self.placed(error))
    }
}

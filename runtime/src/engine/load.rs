//! The document, loaded when something is first written or merged.

use std::panic::{AssertUnwindSafe, catch_unwind};

use twox_hash::XxHash3_64;
use uuid::Uuid;

use super::open::{Engine, Writer};
use super::progress::Progress;
use crate::disk::{DATA_DOCUMENT, Stored, View};
use crate::doc::Document;
use crate::error::{Error, ErrorKind, Result};

/// The document in memory, and what is known of its log.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) document: Document,
    pub(super) log: LogState,
}

/// How the stored document stands.
#[derive(Debug, Default)]
pub(super) struct LogState {
    /// The sequence number of the last record.
    pub(super) last: u64,
    pub(super) log_bytes: u64,
    /// The largest record of the log.
    pub(super) largest: u64,
    pub(super) snapshot_bytes: u64,
    /// What could not be read.
    pub(super) damage: Vec<String>,
}

impl LogState {
    fn note(&mut self, stored: &Stored) {
        if stored.is_snapshot {
            self.last = self.last.max(stored.sequence);
            self.snapshot_bytes = stored.stored_bytes;
        } else {
            self.grow(stored.sequence, stored.stored_bytes);
        }
    }

    fn damaged(&mut self, stored: &Stored, why: &str) {
        let part = if stored.is_snapshot { "the snapshot up to" } else { "record" };
        let sequence = stored.sequence;
        self.damage.push(format!("{part} {sequence} of document `{DATA_DOCUMENT}`: {why}"));
    }

    /// A fingerprint of the damage; `None` where there is none.
    fn damage_hash(&self) -> Option<u64> {
        let text = self.damage.join("\n");
        (!text.is_empty()).then(|| XxHash3_64::oneshot(text.as_bytes()))
    }
}

/// A client id no other device has: random, and below 2^53, which is what Yjs can represent.
pub(super) fn new_device() -> u64 {
    let (_, low) = Uuid::new_v4().as_u64_pair();
    low & ((1 << 53) - 1)
}

/// Reads the document out of the file.
pub(super) fn read_document(view: &View, store: &str, device: u64) -> Result<Loaded> {
    let mut document = Document::new(&format!("{store}/{DATA_DOCUMENT}"), device);
    let mut log = LogState::default();
    let replayed = catch_unwind(AssertUnwindSafe(|| {
        view.document(DATA_DOCUMENT, |stored| {
            log.note(&stored);
            let problem = match &stored.update {
                Ok(update) => document.replay(update).err().map(|error| error.to_string()),
                Err(why) => Some((*why).to_owned()),
            };
            if let Some(why) = problem {
                log.damaged(&stored, &why);
            }
            Ok::<(), Error>(())
        })
    }));
    match replayed {
        Ok(read) => {
            read??;
            Ok(Loaded { document, log })
        }
        Err(_) => Err(Error::new(ErrorKind::Corrupt, "the stored document cannot be loaded")
            .help("restore a backup; rows can still be read")),
    }
}

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
        if damage.is_some() && damage != writer.damage {
            // What is lost may hold writes of this device: under the old id their numbers would
            // be given out again.
            let device = new_device();
            writer.device = Some(device);
            writer.damage = damage;
            writer.unrecorded.device = true;
            loaded = read_document(&self.view(), self.def.name, device)?;
        }
        writer.loaded = Some(loaded);
        Ok(())
    }

    /// Loads the document ahead of the first write.
    pub(crate) fn preload(&self) -> Result<()> {
        let mut writer = self.lock_writer()?;
        self.load(&mut writer).map_err(|error| self.placed(error))
    }
}

//! Marks: which parts were decided on in a document.

use crate::disk::StagedDocument;
use crate::doc::Root;
use crate::doc::items::ReadItems;
use crate::engine::document::Document;
use crate::engine::documents::DocName;
use crate::engine::part::Part;
use crate::error::Result;

/// A document that says which parts were decided on in it.
pub(crate) trait Marks {
    /// Whether there is an entry under a key of `seen`.
    fn has_mark(&self, key: &str) -> Result<bool>;

    fn epoch(&self) -> u32;

    /// Whether a part was decided on, alone or with all that it comes of.
    fn is_marked(&self, part: &Part) -> Result<bool> {
        for part in part.containers(self.epoch()) {
            if self.has_mark(&part.to_text())? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The key of `seen` that says that a document was taken in: what its claim decided counts here, also when
/// it is given up.
pub(crate) fn taken_in_key(document: DocName) -> String {
    document.to_string()
}

/// The document that a key of `seen` says was taken in.
pub(crate) fn parse_taken_in(key: &str) -> Option<DocName> {
    DocName::parse(key).filter(|name| name.claim.is_some())
}

impl Marks for Document {
    fn has_mark(&self, key: &str) -> Result<bool> {
        Ok(self.entry_in(&Root::Seen.name(), key))
    }

    fn epoch(&self) -> u32 {
        epoch_of(self.stored().name())
    }
}

impl Marks for StagedDocument<'_> {
    fn has_mark(&self, key: &str) -> Result<bool> {
        Ok(self.value(&Root::Seen.name(), key)?.is_some())
    }

    fn epoch(&self) -> u32 {
        epoch_of(self.name())
    }
}

fn epoch_of(document: &str) -> u32 {
    DocName::parse(document).map_or(0, |name| name.epoch)
}

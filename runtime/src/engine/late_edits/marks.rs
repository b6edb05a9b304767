//! Marks: which parts were decided on in a document.

use std::sync::Arc;

use crate::disk::StagedDocument;
use crate::doc::Root;
use crate::doc::items::{ReadItems, Value};
use crate::engine::document::Document;
use crate::engine::documents::DocName;
use crate::engine::open::Engine;
use crate::engine::part::{Part, Parts};
use crate::error::{ErrorKind, Result};
use crate::row::{EntryRef, met};

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

/// The fields of a late edit, by paths of cells, in the place of which edits stand that did not know of what
/// it stands for. Times that heirloom fills in are no edits.
pub(crate) fn fields_met(
    document: &Document,
    engine: &Engine,
    at: &EntryRef,
    late: &str,
    parts: &Parts,
) -> Result<Vec<String>> {
    let cells = document.cells(&at.root, &at.key);
    if cells.is_empty() {
        return Ok(Vec::new());
    }
    let Some(base) = base_text(&*document.stored(), at)? else { return Ok(Vec::new()) };
    let cells = cells.iter().map(|cell| (cell.path.as_str(), &*cell.json));
    let mut unseen = Vec::new();
    for path in met(&base, late, cells).filter(|path| !engine.is_stamp(&at.root, path)) {
        for part in parts {
            if !document.has_mark(&part.clone().of_field(path).to_text())? {
                unseen.push(path.to_owned());
                break;
            }
        }
    }
    Ok(unseen)
}

/// The text of a row without its cells; `None` if there is none that can be read.
pub(crate) fn base_text(document: &impl ReadItems, at: &EntryRef) -> Result<Option<Arc<str>>> {
    match document.value(&at.root, &at.key) {
        Ok(Some((_, Value::Text(base)))) => Ok(Some(base)),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == ErrorKind::Corrupt => Ok(None),
        Err(error) => Err(error),
    }
}

fn epoch_of(document: &str) -> u32 {
    DocName::parse(document).map_or(0, |name| name.epoch)
}

//! Additions of a commit to the head document.

use crate::disk::{Commit, HEAD_DOCUMENT, StoredDocument};
use crate::doc::{EntryOp, EntryWrite, Root, write};
use crate::engine::open::Engine;
use crate::engine::writer::Writer;
use crate::error::Result;
use crate::row::Content;

/// A new entry of the head document.
#[derive(Debug)]
pub(in crate::engine) struct HeadChange {
    pub(super) group: &'static str,
    pub(super) name: String,
    pub(super) json: String,
}

/// An entry of the head document as it is now; without content it is gone.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) group: String,
    pub(super) name: String,
    pub(super) content: Option<Content>,
}

impl Engine {
    /// Writes what is to be added to the head document; part of every commit.
    pub(in crate::engine) fn write_head_changes(
        &self,
        writer: &mut Writer,
        commit: &Commit,
    ) -> Result<()> {
        if writer.head_changes.is_empty() {
            return Ok(());
        }
        let base = StoredDocument::new(self.view(), HEAD_DOCUMENT);
        let mut document = commit.document(&base, [].into())?;
        let roots =
            writer.head_changes.iter().map(|change| Root::Group(change.group.to_owned()).name());
        let roots: Vec<String> = roots.collect();
        let ops = writer.head_changes.iter().zip(&roots).map(|(change, root)| EntryOp {
            root,
            key: &change.name,
            write: EntryWrite::Put(&change.json),
        });
        write(&mut document, writer.device.unwrap_or_default(), ops)?;
        document.finish().map(drop)
    }
}

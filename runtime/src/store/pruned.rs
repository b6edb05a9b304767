//! [`Pruned`]: what was given up of earlier epochs.

use std::fmt;

use crate::epoch::PrunedDocument;

/// The result of [`prune_epochs`](crate::Store::prune_epochs): the documents that are gone, and
/// those that were kept.
///
/// `Display` gives a line for each.
#[derive(Debug, Clone, Default)]
pub struct Pruned(Vec<PrunedEpoch>);

/// One document of an earlier epoch, of an earlier generation, or of a migration that another
/// device's has replaced.
#[derive(Debug, Clone)]
pub struct PrunedEpoch(PrunedDocument);

impl Pruned {
    pub(super) fn new(documents: Vec<PrunedDocument>) -> Self {
        Self(documents.into_iter().map(PrunedEpoch).collect())
    }

    /// Iterates over the documents that are gone from this copy. They cannot be read any more; rows
    /// in tables that the new epoch has dropped were in them only.
    pub fn gone(&self) -> impl Iterator<Item = &PrunedEpoch> {
        self.0.iter().filter(|document| document.kept_because().is_none())
    }

    /// Iterates over the documents that were kept, since a part of them is nowhere else yet.
    pub fn kept(&self) -> impl Iterator<Item = &PrunedEpoch> {
        self.0.iter().filter(|document| document.kept_because().is_some())
    }
}

impl PrunedEpoch {
    /// Returns its epoch.
    pub fn epoch(&self) -> u32 {
        self.0.name.epoch
    }

    /// Returns its generation.
    pub fn generation(&self) -> u32 {
        self.0.name.generation
    }

    /// Returns the number of rows it held.
    pub fn rows(&self) -> u64 {
        self.0.rows
    }

    /// Returns the number of bytes it took in the file.
    pub fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// Returns why it was kept; `None` if it is gone.
    pub fn kept_because(&self) -> Option<&str> {
        self.0.kept
    }
}

impl fmt::Display for PrunedEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(PrunedDocument { name, rows, bytes, kept }) = self;
        write!(f, "document `{name}` of epoch {}: {rows} rows, {bytes} bytes, ", name.epoch)?;
        match kept {
            Some(why) => write!(f, "kept: {why}"),
            None => f.write_str("gone from this copy"),
        }
    }
}

impl fmt::Display for Pruned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for document in &self.0 {
            write!(f, "{separator}{document}")?;
            separator = "\n";
        }
        if self.0.is_empty() { f.write_str("there is nothing to give up") } else { Ok(()) }
    }
}

//! [`Standing`]: the values under a key, and the one of them that shows.

use super::StoredEdit;
use crate::engine::documents::DocName;
use crate::engine::part::Parts;

/// The values under a key of a document, by what the document says alone.
#[derive(Debug)]
pub(crate) struct Standing<'l> {
    pub(crate) shown: Showing<'l>,
    /// The other values that are not decided on, the highest first.
    pub(crate) waiting: Vec<Candidate<'l>>,
}

/// The value that readers see.
#[derive(Debug)]
pub(crate) enum Showing<'l> {
    /// The document's own entry, if there is one.
    Main,
    Late(Candidate<'l>),
    /// Nothing, though there is a copy: all that it stands for is over.
    Nothing,
}

/// A value that is not decided on.
#[derive(Debug)]
pub(crate) struct Candidate<'l> {
    pub(crate) from: DocName,
    pub(crate) parts: Parts,
    /// Those of the parts that are not over.
    pub(crate) open: Parts,
    /// `None` if it is the document's own copy.
    pub(crate) stored: Option<&'l StoredEdit>,
}

impl Candidate<'_> {
    pub(super) fn can_show(&self) -> bool {
        self.stored.is_none_or(|stored| stored.edit.value.is_some())
    }

    fn is_whole(&self) -> bool {
        let parts = self.parts.iter().filter(|part| !part.is_ground());
        self.open.len() == parts.count()
    }

    pub(super) fn rank(&self) -> (bool, DocName, bool, bool, &Parts) {
        let is_of_edits = !self.parts.iter().all(|part| part.is_made() && !part.is_ground());
        // A row that functions made of unknown rows ranks below all edits.
        let from = if is_of_edits { self.from } else { DocName::unclaimed(0) };
        (self.can_show(), from, is_of_edits, self.is_whole(), &self.parts)
    }

    /// Whether another value stands for no more than this one.
    pub(super) fn hides(&self, other: &Self) -> bool {
        self.parts != other.parts
            && (self.can_show() || !other.can_show())
            && other.open.is_subset(&self.open)
            && (other.open != self.open
                || (other.is_whole(), other.from, &other.parts)
                    < (self.is_whole(), self.from, &self.parts))
    }
}

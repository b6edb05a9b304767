//! The parts that the copies of a migration stand for.

use crate::doc::items::ReadItems;
use crate::doc::key_of;
use crate::engine::claim::Claim;
use crate::engine::documents::DocName;
use crate::engine::open::Engine;
use crate::engine::part::{Part, PartOf, Parts, Split};
use crate::error::Result;
use crate::row::{EntryRef, ItemId};

/// The parts that the copies of a document stand for.
#[derive(Clone, Copy)]
pub(crate) struct Copies<'e> {
    pub(crate) engine: &'e Engine,
    pub(crate) name: DocName,
    pub(crate) claim: Option<&'e Claim>,
}

impl Copies<'_> {
    /// Returns the parts that a copy stands for; `None` if the item is an edit of the document.
    pub(crate) fn parts_of(&self, id: ItemId) -> Result<Option<Parts>> {
        if !self.claim.is_some_and(|claim| claim.is_copy(id)) {
            return Ok(None);
        }
        let Some(parts) = self.engine.frontier(self.name)?.parts_of(id.clock) else {
            return Ok(Some(unknown_copy(self.name, id)));
        };
        let with_run = |part: Part| match part.origin {
            PartOf::Made(_) if part.split.is_empty() => {
                let by = self.run_of(part.origin)?;
                Ok(Part { split: vec![Split::Run { by }], ..part })
            }
            _ => Ok(part),
        };
        parts.into_iter().map(with_run).collect::<Result<_>>().map(Some)
    }

    /// The migration of which a document has a copy of what a function made: the first on the way here.
    fn run_of(&self, made: PartOf) -> Result<DocName> {
        let mut run = self.name;
        while let Some(source) = self.engine.frontier(run)?.source().filter(|it| *it < run)
            && !self.engine.frontier(source)?.copies_of(made).is_empty()
        {
            run = source;
        }
        Ok(run)
    }

    /// The entries of the copies that stand for something of an origin.
    pub(crate) fn entries_of(
        &self,
        document: &impl ReadItems,
        origin: PartOf,
    ) -> Result<Vec<EntryRef>> {
        let Some(claim) = self.claim else { return Ok(Vec::new()) };
        let mut entries = Vec::new();
        for clock in self.engine.frontier(self.name)?.copies_of(origin) {
            let id = ItemId { client: claim.client, clock };
            if clock < document.clock(id.client)?
                && let Some((root, key)) = key_of(document, &document.run(id)?)?
            {
                entries.push(EntryRef::new(&*root, &*key));
            }
        }
        Ok(entries)
    }
}

/// The parts of a copy that nothing tells, as in files of format 1: something below all edits.
pub(crate) fn unknown_copy(document: DocName, id: ItemId) -> Parts {
    let root = PartOf::Edit(document, id).to_string();
    Parts::from([Part::whole(PartOf::made(&root, "", ""))])
}

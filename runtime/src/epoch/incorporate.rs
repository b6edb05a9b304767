//! Carrying what is late into a document that is about to be migrated.

use std::collections::BTreeMap;

use super::forward::{Carrying, DocRef, in_turn};
use super::plan::Plan;
use crate::engine::{Claim, DocName, Engine, Loaded, Writer};
use crate::error::Result;
use crate::row::ItemId;
use crate::schema::descriptor::StoreDef;

/// The documents that a migration knows all of, with how far it knows them.
pub(super) type Incorporated = BTreeMap<DocName, BTreeMap<u64, u32>>;

/// Whether these items of a document are among what a migration knows of it.
pub(super) fn knows(complete: &Incorporated, name: DocName, items: &[ItemId]) -> bool {
    complete.get(&name).is_some_and(|known| {
        items.iter().all(|id| known.get(&id.client).is_some_and(|end| id.clock < *end))
    })
}

/// Carries into a document, which is about to be migrated, what is late in others: so that
/// what the migration covers can be said. The document is never stored like that.
pub(super) fn incorporate(
    engine: &Engine,
    writer: &mut Writer,
    from: DocName,
    loaded: &mut Loaded,
    claim: Option<&Claim>,
    def: &StoreDef,
) -> Result<Incorporated> {
    let mut complete = Incorporated::new();
    if from.claim.is_none() {
        return Ok(complete);
    }
    let oldest = super::plan::oldest(def);
    let mut sources: Vec<DocName> = writer.documents.present().map(|(name, _)| name).collect();
    sources.extend(writer.others.keys().copied().filter(|name| *name == writer.current));
    sources.retain(|source| *source < from && source.epoch >= oldest);
    sources.sort_unstable();
    sources.dedup();
    for source in &sources {
        engine.load_other(writer, *source)?;
    }
    for (scope, source) in in_turn(&sources) {
        let source = *source;
        let Some(plan) = Plan::new(def, source.epoch) else { continue };
        let Some(other) = writer.others.get(&source) else { continue };
        let carrying = Carrying::new(
            DocRef { name: from, loaded, claim },
            DocRef { name: source, loaded: other, claim: writer.claims.get(&source) },
            &plan,
            &writer.claims,
            &writer.others,
        );
        if !carrying.is_complete() {
            continue;
        }
        let clocks = other.document.clocks();
        let ops = carrying.carry(&scope)?;
        loaded.plan(writer.device.unwrap_or_default(), &ops);
        complete.insert(source, clocks);
    }
    Ok(complete)
}

//! Carrying into a document that is about to be migrated what is late in others.

use std::collections::BTreeMap;

use super::forward::{Scope, carry};
use super::plan::oldest;
use crate::engine::{DocName, Engine, Loaded, Writer};
use crate::error::Result;
use crate::schema::descriptor::StoreDef;

/// Carries into a document, which is not stored like that, what is late in the others. Returns how far
/// those are known.
pub(super) fn incorporate(
    engine: &Engine,
    writer: &mut Writer,
    into: DocName,
    loaded: &mut Loaded,
    def: StoreDef,
) -> Result<BTreeMap<DocName, BTreeMap<u64, u32>>> {
    let mut sources: Vec<DocName> = writer.documents.present().map(|(name, _)| name).collect();
    sources.extend(writer.others.keys().copied().filter(|name| *name == writer.current));
    sources.retain(|source| *source < into && source.epoch >= oldest(&def));
    for source in &sources {
        engine.load_other(writer, *source)?;
    }
    let scopes = sources.iter().map(|name| (*name, Scope::All)).collect();
    let others = &writer.others;
    let ops = carry(engine, def, &writer.claims, (into, loaded), others, &scopes, &[])?;
    let clocks = sources
        .iter()
        .filter_map(|name| Some((*name, others.get(name)?.document.clocks())))
        .collect();
    let copies = engine.copies(into, writer.claims.get(&into));
    loaded.plan(writer.device.unwrap_or_default(), &ops, copies)?;
    Ok(clocks)
}

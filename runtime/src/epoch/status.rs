//! How a store stands between epochs.

use std::collections::BTreeMap;

use crate::engine::{Claim, DocFact, DocName, Engine, documents_in, read_claims};
use crate::error::Result;

/// How a store stands between epochs.
#[derive(Debug, Clone, Default)]
pub(crate) struct EpochStatus {
    pub(crate) generation: u32,
    /// The newest epoch after that of the code.
    pub(crate) newer: Option<u32>,
    /// Documents with edits that are not carried yet.
    pub(crate) pending: usize,
    /// Documents that were named and have not arrived.
    pub(crate) missing: Vec<String>,
}

/// As of the last commit, so that no reader waits for a writer.
pub(crate) fn epoch_status(engine: &Engine) -> Result<EpochStatus> {
    let view = engine.view();
    let claims = read_claims(&view)?;
    let documents: Vec<(DocName, Option<DocFact>)> = documents_in(&view)?
        .into_iter()
        .filter_map(|(name, fact)| Some((DocName::parse(&name)?, fact)))
        .collect();
    let current = documents.iter().find(|(_, fact)| fact.is_none()).map(|(name, _)| *name);
    let current = current.unwrap_or(DocName::unclaimed(engine.def.epoch));
    let facts: BTreeMap<DocName, DocFact> =
        documents.into_iter().filter_map(|(name, fact)| Some((name, fact?))).collect();
    let present = || facts.iter().filter(|(_, fact)| !fact.is_pruned);
    let is_behind = |fact: &DocFact| fact.carried < fact.last || fact.waits;
    let pending = present().filter(|(name, fact)| **name < current && is_behind(fact)).count();
    let is_here = |(name, claim): &(&DocName, &Claim)| {
        **name == current
            || claim.baseline == 0
            || facts
                .get(*name)
                .is_some_and(|fact| fact.is_pruned || claim.is_held_by(&fact.version()))
    };
    let missing = claims.iter().filter(|claim| *claim.0 > current && !is_here(claim));
    let missing = missing.map(|(name, _)| name.to_string()).collect();
    let epochs = claims.keys().chain(present().map(|(name, _)| name)).map(|name| name.epoch);
    let newer = epochs.filter(|epoch| *epoch > engine.def.epoch).max();
    Ok(EpochStatus { generation: current.generation, newer, pending, missing })
}

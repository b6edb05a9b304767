//! How a store stands between epochs.

use crate::engine::{Claim, DocName, Engine};
use crate::error::{ErrorKind, Result};

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

pub(crate) fn epoch_status(engine: &Engine) -> Result<EpochStatus> {
    let writer = match engine.lock_writer() {
        Ok(writer) => writer,
        // Inside a transaction nothing of this changes; who asks there is told of the document.
        Err(error) if error.kind() == ErrorKind::NestedTransaction => {
            let name = DocName::parse(engine.view().document_name());
            let generation = name.map_or(0, |name| name.generation);
            return Ok(EpochStatus { generation, ..EpochStatus::default() });
        }
        Err(error) => return Err(error),
    };
    let current = writer.current;
    let behind = writer
        .documents
        .present()
        .filter(|(name, fact)| *name < current && (fact.carried < fact.last || fact.waits));
    let pending = behind.count();
    let is_here = |(name, claim): &(&DocName, &Claim)| {
        **name == current
            || claim.baseline == 0
            || writer
                .documents
                .0
                .get(*name)
                .is_some_and(|fact| fact.is_pruned || claim.is_held_by(&fact.version()))
    };
    let missing = writer.claims.iter().filter(|claim| *claim.0 > current && !is_here(claim));
    let missing = missing.map(|(name, _)| name.to_string()).collect();
    let named = writer.claims.keys().copied();
    let held = writer.documents.present().map(|(name, _)| name);
    let epochs = named.chain(held).map(|name| name.epoch);
    let newer = epochs.filter(|epoch| *epoch > engine.def.epoch).max();
    Ok(EpochStatus { generation: current.generation, newer, pending, missing })
}

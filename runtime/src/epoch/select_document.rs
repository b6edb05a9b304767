//! Selecting the document that this device uses, and carrying late edits of others into it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::forward::{Scope, carry, is_decided};
use super::notify::{changed_since, notify};
use super::plan::{choose, oldest};
use super::run::{no_chain, run};
use super::switch_document::switch_document;
use crate::doc::DocVersion;
use crate::engine::{
    DocFact, DocName, Document, Engine, LateEditKey, Loaded, MergeOutcome, Origin, OtherMerged,
    Writer, not_loaded,
};
use crate::error::{Error, ErrorKind, Result};

/// The facts about the changes of a merge.
#[derive(Debug, Default)]
pub(crate) struct MergeChanges {
    /// Of documents that are not the current one.
    pub(crate) merged: BTreeMap<DocName, Vec<OtherMerged>>,
    /// Late edits in the current one, of entries that have changed.
    pub(crate) late_edits: Vec<LateEditKey>,
    /// The current one before all merges.
    pub(crate) before: Option<(DocName, Document)>,
}

/// Brings an open store to the document that its code is to use, which may mean to migrate, and
/// carries over what is late in others.
pub(crate) fn select_document(
    engine: &Engine,
    writer: &mut Writer,
    changes: &MergeChanges,
) -> Result<MergeOutcome> {
    let epoch = engine.def.epoch;
    let mut outcome = MergeOutcome::default();
    let is_alone = writer.documents.0.is_empty() && writer.claims.is_empty();
    if is_alone && writer.current.epoch == epoch && !writer.is_claim_new {
        return Ok(outcome);
    }
    report_lost(engine, writer, changes)?;
    let best = best(engine, writer)?;
    let before = engine.view();
    let mut is_fresh = false;
    match best {
        None => return Err(newer_epoch(engine, writer.current.epoch)),
        Some(best) if best.epoch < epoch => {
            run_and_tell(engine, writer, best, 0)?;
            is_fresh = true;
        }
        Some(best)
            if best.claim.is_none()
                && let Some(earlier) = earlier_with_rows(engine, writer)? =>
        {
            // Rows of an earlier epoch are never carried into a document that others begin in, too:
            // they would do the same, and overwrite each other's later edits.
            move_aside(engine, writer, best)?;
            run_and_tell(engine, writer, earlier, 0)?;
            is_fresh = true;
        }
        Some(best) if best != writer.current || writer.is_claim_new => {
            switch_document(engine, writer, best)?;
            outcome.changed = changed_since(engine, &before)?;
            return Ok(outcome);
        }
        Some(_) => {}
    }
    let nothing = MergeChanges::default();
    outcome.add(carry_all(engine, writer, if is_fresh { &nothing } else { changes })?);
    if is_fresh {
        // An entry that the migration did not take along and that was carried into it again has not changed.
        outcome.changed = changed_since(engine, &before)?;
    }
    Ok(outcome)
}

/// Notifies observers of edits that other documents have lost. If the current one had decided on an edit
/// before that, nothing is lost with it.
fn report_lost(engine: &Engine, writer: &mut Writer, changes: &MergeChanges) -> Result<()> {
    let lost = changes.merged.values().flatten().flat_map(|merged| &merged.lost);
    let mut lost: Vec<_> = lost.cloned().collect();
    if lost.is_empty() {
        return Ok(());
    }
    let mut decided = Vec::new();
    // What was listed before was not decided on: that it is over here says that it lost.
    for (key, _) in lost.iter().filter(|(_, value)| !value.was_listed) {
        if let Some((name, document)) = &changes.before
            && is_decided(engine, &writer.claims, (*name, document), key.document, key.id)?
        {
            decided.push(key.clone());
        }
    }
    if !decided.is_empty() {
        lost.retain(|(key, _)| !decided.contains(key));
        engine.forget_lost(writer, &decided)?;
    }
    engine.tell_lost(lost)
}

/// Migrates, and tells observers of rows that come by it.
fn run_and_tell(
    engine: &Engine,
    writer: &mut Writer,
    from: DocName,
    generation: u32,
) -> Result<()> {
    let before = engine.view();
    run(engine, writer, from, generation)?;
    notify(engine, &before)
}

/// Refuses to read a file whose current document is of another epoch, when it cannot be migrated.
pub(crate) fn refuse_other_epoch(engine: &Engine, writer: &Writer) -> Result<()> {
    let (found, epoch) = (writer.current.epoch, engine.def.epoch);
    let refused = |kind, what, help| {
        let error = Error::new(kind, what).at_store(engine.def.name);
        Err(error.expecting(format!("epoch {epoch}")).finding(format!("epoch {found}")).help(help))
    };
    match found.cmp(&epoch) {
        Ordering::Equal => Ok(()),
        Ordering::Less => refused(
            ErrorKind::ReadOnly,
            "the store is of an earlier epoch, and opening it read-only does not migrate it",
            "nothing was changed; open it once without `read_only`, or read it with the code of its \
             epoch",
        ),
        Ordering::Greater => refused(
            ErrorKind::NewerEpoch,
            "newer code has raised the epoch of the store",
            "update the app; nothing was changed",
        ),
    }
}

/// Rebuilds the current document without its history, in the next generation of its epoch.
pub(crate) fn rebuild(engine: &Engine) -> Result<()> {
    let mut writer = engine.lock_writer()?;
    engine.load(&mut writer)?;
    carry_all(engine, &mut writer, &MergeChanges::default())?;
    let current = writer.current;
    let generation = current.generation.checked_add(1).ok_or_else(|| {
        Error::new(ErrorKind::Migration, "the store was rebuilt too often to be rebuilt again")
    })?;
    run(engine, &mut writer, current, generation)?;
    carry_all(engine, &mut writer, &MergeChanges::default())?;
    Ok(())
}

/// The document to use, among those that are here.
pub(super) fn best(engine: &Engine, writer: &Writer) -> Result<Option<DocName>> {
    let nothing = DocVersion::default();
    let versions: Vec<(DocName, DocVersion)> =
        writer.documents.present().map(|(name, fact)| (name, fact.version())).collect();
    // A migration that wrote nothing has no changes that could arrive.
    let empty = writer
        .claims
        .iter()
        .filter(|(name, claim)| claim.baseline == 0 && !writer.documents.0.contains_key(name));
    let empty = empty.map(|(name, _)| (*name, &nothing));
    let others = versions.iter().map(|(name, version)| (*name, version));
    let current = writer.current;
    let best = choose(engine.def.epoch, &writer.claims, others.chain(empty));
    // The current one was chosen before, and is whole.
    let usable = Some(current).filter(|current| current.epoch <= engine.def.epoch);
    let best = match (best, usable) {
        (Some(best), Some(current)) => {
            let nothing = DocVersion::default();
            let whole = |name: DocName| {
                let clocks = writer.claims.get(&name).map(|claim| (claim.client, claim.baseline));
                DocVersion { clocks: clocks.into_iter().collect(), ..nothing.clone() }
            };
            let two = [(best, whole(best)), (current, whole(current))];
            let two = two.iter().map(|(name, version)| (*name, version));
            choose(engine.def.epoch, &writer.claims, two).or(Some(current))
        }
        (best, current) => best.or(current),
    };
    if let Some(best) = best
        && best.epoch < oldest(&engine.def)
    {
        return Err(no_chain(engine, best.epoch));
    }
    Ok(best)
}

/// A document of an earlier epoch that holds something.
fn earlier_with_rows(engine: &Engine, writer: &mut Writer) -> Result<Option<DocName>> {
    let oldest = oldest(&engine.def);
    let is_earlier = |name: DocName| (oldest..engine.def.epoch).contains(&name.epoch);
    let others = writer.documents.present().filter(|(name, fact)| {
        is_earlier(*name)
            && !fact.clocks.is_empty()
            && writer.claims.get(name).is_none_or(|claim| claim.is_held_by(&fact.version()))
            && (name.claim.is_none() || writer.claims.contains_key(name))
    });
    let highest = others.map(|(name, _)| name).max();
    if !is_earlier(writer.current) {
        return Ok(highest);
    }
    engine.load(writer)?;
    let holds = |loaded: &Loaded| !loaded.document.clocks().is_empty();
    let current = writer.loaded.as_ref().is_some_and(holds).then_some(writer.current);
    Ok(highest.max(current))
}

/// Records the current document among the others, so that another can become current.
fn move_aside(engine: &Engine, writer: &mut Writer, name: DocName) -> Result<()> {
    engine.load(writer)?;
    if writer.current == name
        && let Some(loaded) = &writer.loaded
    {
        let fact = DocFact::of(loaded);
        writer.documents.0.insert(name, fact);
    }
    Ok(())
}

pub(super) fn newer_epoch(engine: &Engine, found: u32) -> Error {
    Error::new(
        ErrorKind::NewerEpoch,
        format!(
            "newer code has raised the store to epoch {found}, and this copy has no document of an earlier epoch"
        ),
    )
    .at_store(engine.def.name)
    .expecting(format!("epoch {} or earlier", engine.def.epoch))
    .finding(format!("epoch {found}"))
    .help("update the app; nothing was changed")
}

/// Carries what is late in other documents into the current one.
fn carry_all(engine: &Engine, writer: &mut Writer, changes: &MergeChanges) -> Result<MergeOutcome> {
    let mut outcome = MergeOutcome::default();
    let current = writer.current;
    // A document that no migration made has none below it that would be carried into it.
    if current.claim.is_none() {
        return Ok(outcome);
    }
    let oldest = oldest(&engine.def);
    let is_behind = |(name, fact): &(DocName, &DocFact)| {
        *name < current && name.epoch >= oldest && fact.carried < fact.last
    };
    let sources: Vec<DocName> =
        writer.documents.present().filter(is_behind).map(|(name, _)| name).collect();
    if sources.is_empty() && changes.late_edits.is_empty() {
        return Ok(outcome);
    }
    // All of them must show what their authors knew of each other.
    engine.load(writer)?;
    let lower: Vec<DocName> = writer
        .documents
        .present()
        .map(|(name, _)| name)
        .filter(|name| *name < current && name.epoch >= oldest)
        .collect();
    for name in lower {
        engine.load_other(writer, name)?;
    }
    let scopes = sources.iter().map(|name| (*name, scope_of(writer, *name, changes))).collect();
    let Some(into) = &writer.loaded else { return Err(not_loaded()) };
    let into = (current, into);
    let arrived = changes.late_edits.as_slice();
    let ops = carry(engine, engine.def, &writer.claims, into, &writer.others, &scopes, arrived)?;
    for source in sources {
        let fact = writer.documents.0.entry(source).or_default();
        fact.carried = fact.last;
        writer.unrecorded.documents = true;
    }
    // With the facts, in one commit.
    if !ops.is_empty() {
        outcome.add(engine.write_roots(writer, &ops, Origin::Remote)?);
    } else if writer.unrecorded.documents {
        engine.store(writer, |_, _| Ok(()))?;
    }
    Ok(outcome)
}

/// Returns the part of a document that is to be looked at.
fn scope_of<'n>(writer: &Writer, name: DocName, changes: &'n MergeChanges) -> Scope<'n> {
    let Some(merged) = changes.merged.get(&name) else { return Scope::All };
    // Each record of the log is one merge: what they have changed is all there is to look at.
    let recorded = merged.iter().filter(|merged| merged.is_recorded).count() as u64;
    let is_known = writer
        .documents
        .0
        .get(&name)
        .is_some_and(|fact| fact.carried > 0 && fact.last - fact.carried <= recorded);
    if is_known { Scope::Changed(merged) } else { Scope::All }
}

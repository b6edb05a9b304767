//! Summaries and changes of an open store.

use std::collections::BTreeSet;

use super::{Applied, Changes, Summary};
use crate::disk::HEAD_DOCUMENT;
use crate::doc::check_update;
use crate::engine::{DocName, Engine, Loaded, MergeOutcome, Writer};
use crate::epoch::{MergeChanges, select_document};
use crate::error::{Error, ErrorKind, Result};

pub(crate) fn summary(engine: &Engine) -> Result<Summary> {
    Ok(Summary { store: engine.def.name.to_owned(), held: engine.held()? })
}

pub(crate) fn changes_since(engine: &Engine, theirs: &Summary) -> Result<Changes> {
    let store = engine.def.name;
    if !theirs.store.is_empty() {
        same_store(store, &theirs.store, "the summary")?;
    }
    let documents = engine.changes_since(&theirs.held)?;
    Ok(Changes { store: store.to_owned(), documents })
}

pub(crate) fn apply(engine: &Engine, changes: &Changes) -> Result<Applied> {
    same_store(engine.def.name, &changes.store, "the changes")?;
    engine.refuse_if_read_only()?;
    let mut head: Vec<&[u8]> = Vec::new();
    let mut data: Vec<(DocName, &[u8])> = Vec::new();
    for (document, update) in &changes.documents {
        match DocName::parse(document) {
            _ if document == HEAD_DOCUMENT => head.push(update),
            Some(name) => data.push((name, update)),
            None => return Err(unknown_document(engine, document)),
        }
    }
    let applied = engine.lock_writer().and_then(|mut writer| {
        let applied = apply_together(engine, &mut writer, &head, &data);
        applied.map_err(|error| engine.placed(error))
    });
    engine.hub.deliver();
    Ok(Applied::new(applied?))
}

/// A change that is not durable yet is in memory. So changes of more bytes wait for the disk document by document.
const MAX_BYTES_TOGETHER: usize = 8 << 20;

/// Has all commits of one `apply` wait for the disk once, at the end. What the disk refuses is undone as a
/// whole.
fn apply_together(
    engine: &Engine,
    writer: &mut Writer,
    head: &[&[u8]],
    data: &[(DocName, &[u8])],
) -> Result<MergeOutcome> {
    let updates = head.iter().chain(data.iter().map(|(_, update)| update));
    let bytes = updates.map(|update| update.len()).sum::<usize>();
    if !engine.settings.durable || bytes > MAX_BYTES_TOGETHER {
        return apply_locked(engine, writer, head, data);
    }
    engine.flush_or_undo(writer)?;
    writer.is_flushed_later = true;
    engine.hub.hold();
    let applied = apply_locked(engine, writer, head, data);
    writer.is_flushed_later = false;
    // Also after an error: the documents before it are taken in.
    match engine.flush_or_undo(writer) {
        Ok(()) => engine.hub.release(),
        Err(error) => {
            engine.hub.forget();
            return Err(error);
        }
    }
    applied
}

fn apply_locked(
    engine: &Engine,
    writer: &mut Writer,
    head: &[&[u8]],
    data: &[(DocName, &[u8])],
) -> Result<MergeOutcome> {
    engine.load(writer)?;
    let newest = data.iter().map(|(name, _)| name.epoch).max().unwrap_or_default();
    if newest > engine.def.epoch && (engine.settings.refuse_newer_schema || is_fresh(writer)) {
        return Err(newer_epoch(engine, newest));
    }
    refuse_too_many(engine, writer, data)?;
    // Those of the head document are taken in together, so that they are refused together. The
    // rest must be whole before.
    for (_, update) in data {
        check_update(update)?;
    }
    let before = writer.loaded.as_ref().map(|it| (writer.current, it.document.clone()));
    let mut outcome = MergeOutcome::default();
    if !head.is_empty() {
        outcome.pending |= engine.merge_head(writer, head)?;
    }
    let mut changes = MergeChanges::default();
    if data.iter().any(|(name, _)| *name != writer.current) {
        changes.before = before;
    }
    for (name, update) in data {
        if *name == writer.current {
            let merged = engine.merge(writer, update)?;
            outcome.add(merged);
        } else {
            let merged = engine.merge_other(writer, *name, update)?;
            outcome.pending |= merged.pending;
            changes.merged.entry(*name).or_default().push(merged);
        }
    }
    changes.late_edits = std::mem::take(&mut outcome.late_edits);
    outcome.add(select_document(engine, writer, &changes)?);
    Ok(outcome)
}

/// So many data documents a file may hold, of all epochs and of all devices that have migrated.
const MAX_DOCUMENTS: usize = 4_096;

/// Refuses more documents than any store needs: a peer could make up names without end.
fn refuse_too_many(engine: &Engine, writer: &Writer, data: &[(DocName, &[u8])]) -> Result<()> {
    let known = &writer.documents.0;
    let is_new = |name: &DocName| *name != writer.current && !known.contains_key(name);
    let new: BTreeSet<DocName> = data.iter().map(|(name, _)| *name).filter(is_new).collect();
    if new.is_empty() || known.len().saturating_add(new.len()) <= MAX_DOCUMENTS {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidUpdate,
        "the changes hold more documents than a store may have",
    )
    .at_store(engine.def.name)
    .expecting(format!("at most {MAX_DOCUMENTS} documents"))
    .finding(format!("{} here, and {} new ones", known.len(), new.len()))
    .help("nothing was changed; no store needs so many: do not take changes of that device"))
}

/// Whether a copy has nothing yet that an old epoch would be needed for.
fn is_fresh(writer: &Writer) -> bool {
    let is_empty = |loaded: &Loaded| loaded.document.clocks().is_empty();
    writer.loaded.as_ref().is_some_and(is_empty) && writer.documents.0.is_empty()
}

fn newer_epoch(engine: &Engine, epoch: u32) -> Error {
    Error::new(ErrorKind::NewerEpoch, "the changes come from newer code, of a later epoch")
        .expecting(format!("epoch {} or earlier", engine.def.epoch))
        .finding(format!("epoch {epoch}"))
        .help("update the app; nothing was changed")
}

fn unknown_document(engine: &Engine, document: &str) -> Error {
    Error::new(ErrorKind::NewerEpoch, "the changes hold a document of newer code")
        .at_store(engine.def.name)
        .expecting("the names of documents, such as `head` and `0`")
        .finding(format!("`{}`", document.chars().take(100).collect::<String>()))
        .help("update the app; nothing was changed")
}

fn same_store(ours: &str, theirs: &str, what: &str) -> Result<()> {
    if ours == theirs {
        return Ok(());
    }
    Err(Error::new(ErrorKind::WrongStore, format!("{what} came from another store"))
        .at_store(ours)
        .expecting(format!("{what} of `{ours}`"))
        .finding(format!("{what} of `{theirs}`"))
        .help("nothing was changed; exchange changes between copies of one store"))
}

//! Making another document, which is here, the current one.

use std::sync::Arc;

use super::forward::{Scope, carry};
use super::notify::notify;
use super::plan::oldest;
use super::run::WriterBackup;
use crate::disk::StagedDocument;
use crate::doc::{ChangedKeys, EntryOp, EntryWrite, write};
use crate::engine::{
    Copies, DocFact, DocName, Engine, LateEdits, Loaded, Writer, not_loaded, show, view_names,
};
use crate::error::Result;
use crate::row::EntryRef;

/// Makes another document, which is here, the current one.
pub(super) fn switch_document(engine: &Engine, writer: &mut Writer, name: DocName) -> Result<()> {
    let is_same = name == writer.current;
    if !is_same {
        // No reader has it yet, so that this may be a commit of its own.
        engine.rekey(writer, name)?;
        engine.load_other(writer, name)?;
    }
    engine.load(writer)?;
    let shown = engine.view();
    // It becomes the one that others are carried into, before any reader sees it.
    let old = writer.loaded.take();
    let new = if is_same { None } else { writer.others.remove(&name) };
    let (Some(old), mut new) = (old, new) else { return Err(not_loaded()) };
    let before = WriterBackup::of(writer);
    let mut old_fact = DocFact::of(&old);
    let mut target = match new.take() {
        Some(new) => {
            writer.others.insert(before.current, old);
            new
        }
        None => old,
    };
    writer.current = name;
    let mut sources: Vec<DocName> = writer.documents.present().map(|(name, _)| name).collect();
    if !is_same {
        sources.push(before.current);
    }
    sources.retain(|source| *source < name && source.epoch >= oldest(&engine.def));
    sources.sort_unstable();
    for source in &sources {
        if let Err(error) = engine.load_other(writer, *source) {
            before.restore(writer);
            return Err(error);
        }
    }
    let carried = carry_into(engine, writer, name, &mut target, &sources);
    if let Err(error) = carried {
        before.restore(writer);
        return Err(error);
    }
    writer.documents.0.remove(&name);
    if !is_same {
        old_fact.carried = old_fact.last;
        writer.documents.0.insert(before.current, old_fact);
    }
    for (source, fact) in &mut writer.documents.0 {
        fact.carried = if sources.contains(source) { fact.last } else { 0 };
    }
    writer.indexes = engine.indexes_to_build(name);
    writer.unrecorded.identity = true;
    writer.unrecorded.documents = true;
    writer.shows_next = Some(Arc::new(view_names(&engine.def, name)));
    let base = target.document.stored();
    let stored = engine.store(writer, |writer, commit| {
        commit.clear_indexes(&before.current.to_string())?;
        let mut document = commit.document(&base, engine.declared(name))?;
        let ops = target.document.planned().map(|(at, value)| EntryOp {
            root: &at.root,
            key: &at.key,
            write: EntryWrite::of(value),
        });
        write(&mut document, writer.device.unwrap_or_default(), ops)?;
        show_all(&target, engine.copies(name, writer.claims.get(&name)), &mut document)?;
        document.finish().map(drop)
    });
    if let Err(error) = stored {
        before.restore(writer);
        return Err(error);
    }
    writer.loaded = None;
    engine.load(writer)?;
    if let Some(loaded) = &writer.loaded {
        let commits = loaded.document.commits();
        engine.mark(writer, commits);
    }
    writer.is_claim_new = false;
    notify(engine, &shown)
}

/// Has readers see what they are to see of a document that others were carried into.
fn show_all(target: &Loaded, copies: Copies<'_>, document: &mut StagedDocument<'_>) -> Result<()> {
    let mut changed = ChangedKeys::new();
    let late = target.late_edits.entries().cloned();
    let planned = target.document.planned().map(|(at, _)| at.clone());
    for EntryRef { root, key } in late.chain(planned).chain(document.late()?) {
        changed.entry(root.into()).or_default().insert(key.into());
    }
    // Ids of what was planned may be others now.
    let late_edits = LateEdits::of_staged(document)?;
    show(&late_edits, document, copies, &changed).map(drop)
}

/// Carries all that is late in other documents into one that is to become the current one.
fn carry_into(
    engine: &Engine,
    writer: &Writer,
    name: DocName,
    target: &mut Loaded,
    sources: &[DocName],
) -> Result<()> {
    let scopes = sources.iter().map(|source| (*source, Scope::All)).collect();
    let (claims, others) = (&writer.claims, &writer.others);
    let ops = carry(engine, engine.def, claims, (name, target), others, &scopes, &[])?;
    let copies = engine.copies(name, claims.get(&name));
    target.plan(writer.device.unwrap_or_default(), &ops, copies)
}

//! Making another document, which is here, the current one.

use std::sync::Arc;

use super::forward::{Carrying, DocRef, in_turn};
use super::notify::notify;
use super::plan::{Plan, oldest};
use super::run::WriterBackup;
use crate::disk::Commit;
use crate::doc::{ChangedKeys, Root};
use crate::engine::{
    Claim, Coverage, DocFact, DocName, Engine, Loaded, Writer, late_edits, not_loaded, view_names,
};
use crate::error::Result;

/// Makes another document, which is here, the current one.
pub(super) fn switch_document(engine: &Engine, writer: &mut Writer, name: DocName) -> Result<()> {
    engine.load(writer)?;
    let is_same = name == writer.current;
    if !is_same {
        engine.load_other(writer, name)?;
    }
    let shown = engine.view();
    // It becomes the one that others are carried into, before any reader sees it.
    let old = writer.loaded.take();
    let new = if is_same { None } else { writer.others.remove(&name) };
    let (Some(old), mut new) = (old, new) else { return Err(not_loaded()) };
    let before = WriterBackup::of(writer);
    let mut old_fact = DocFact::of(&old);
    let mut records = Vec::new();
    let mut target = match new.take() {
        Some(new) => {
            writer.others.insert(before.current, old);
            new
        }
        None => old,
    };
    writer.current = name;
    let claim = writer.claims.get(&name).cloned();
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
    let mut incomplete = Vec::new();
    for (scope, source) in in_turn(&sources) {
        let Some(plan) = Plan::new(&engine.def, source.epoch) else { continue };
        let carried = writer.others.get(source).map(|from| {
            let carrying = Carrying::new(
                DocRef { name, loaded: &target, claim: claim.as_ref() },
                DocRef { name: *source, loaded: from, claim: writer.claims.get(source) },
                &plan,
                &writer.claims,
                &writer.others,
            );
            if !carrying.is_complete() {
                incomplete.push(*source);
            }
            carrying.carry(&scope)
        });
        let written = match carried {
            Some(Ok(ops)) => target.write(&ops, &mut ChangedKeys::new()),
            Some(Err(error)) => Err(error),
            None => continue,
        };
        match written {
            Ok(record) => records.extend(record),
            Err(error) => {
                before.restore(writer);
                return Err(error);
            }
        }
    }
    let last = target.log.last;
    writer.documents.0.remove(&name);
    if !is_same {
        old_fact.carried = old_fact.last;
        writer.documents.0.insert(before.current, old_fact);
    }
    for (source, fact) in &mut writer.documents.0 {
        fact.is_incomplete = incomplete.contains(source);
        fact.carried = if sources.contains(source) { fact.last } else { 0 };
    }
    writer.coverage = Coverage::default();
    writer.coverage.cover(&engine.def);
    for root in target.document.maps() {
        if let Some(Root::Table(table)) = Root::parse(&root)
            && !engine.def.tables.iter().any(|def| def.name == table)
        {
            writer.coverage.miss(&table);
        }
    }
    writer.indexes = engine.indexes_to_build(name);
    writer.unrecorded.identity = true;
    writer.unrecorded.documents = true;
    writer.unrecorded.coverage = true;
    writer.shows_next = Some(Arc::new(view_names(&engine.def, name)));
    let stored = engine.store(
        writer,
        None,
        |commit| {
            commit.clear_read_model(&before.current.to_string())?;
            commit.clear_read_model(&name.to_string())?;
            for (sequence, record) in (last + 1..).zip(&records) {
                commit.append_log(&name.to_string(), sequence, record)?;
            }
            read_out(engine, commit, &name.to_string(), &target, claim.as_ref())
        },
        || Ok(Vec::new()),
    );
    if let Err(error) = stored {
        before.restore(writer);
        return Err(error);
    }
    for record in &records {
        target.log.grow(target.log.last + 1, record.len() as u64);
    }
    engine.mark(writer, target.log.last);
    writer.loaded = Some(target);
    writer.is_claim_new = false;
    notify(engine, &shown)
}

/// Writes the read model of a document.
fn read_out(
    engine: &Engine,
    commit: &Commit,
    name: &str,
    loaded: &Loaded,
    claim: Option<&Claim>,
) -> Result<()> {
    for table_idx in engine.def.table_idxs() {
        engine.fill_table(commit, name, loaded, claim, table_idx)?;
    }
    for root in loaded.document.maps() {
        let Some(parsed) = Root::parse(&root) else { continue };
        let mut entries = match &parsed {
            Root::Group(group) => commit.entries(name, group)?,
            Root::Table(_) => continue,
            other => commit.bookkeeping(name, &other.name())?,
        };
        late_edits::for_each(&loaded.document, &loaded.late_edits, claim, &root, |key, entry| {
            entries.put(key, entry.id, &entry.content)
        })?;
    }
    // Groups of which there are late edits only.
    for (key, _) in loaded.late_edits.iter() {
        if let Some(Root::Group(group)) = Root::parse(&key.at.root)
            && let Some(entry) =
                late_edits::entry(&loaded.document, &loaded.late_edits, claim, &key.at)
        {
            commit.entries(name, &group)?.put(&key.at.key, entry.id, &entry.content)?;
        }
    }
    Ok(())
}

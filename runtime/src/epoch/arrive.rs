//! Coming to the document that this device is to use, and carrying into it what is late elsewhere.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::forward::{CarryOp, Carrying, Place, Scope};
use super::plan::{Plan, choose, oldest};
use super::run::{Before, no_chain, run};
use crate::disk::{Commit, Record, RecordKind, View};
use crate::doc::{BOOKKEEPING, DocVersion, Op, Root};
use crate::engine::{
    Change, ChangeKind, Coverage, DocFact, DocName, Engine, Loaded, MergeOutcome, Origin,
    OtherMerged, SlotKey, Topic, Writer, not_loaded, slots, view_names,
};
use crate::error::{Error, ErrorKind, Result};
use crate::row::Content;

/// What is known of what a merge has changed.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Of documents that are not the current one.
    pub(crate) merged: BTreeMap<DocName, Vec<OtherMerged>>,
    /// Late edits in the current one.
    pub(crate) slots: Vec<SlotKey>,
}

/// Brings an open store to the document that its code is to use, which may mean to migrate, and
/// carries over what is late in others.
pub(crate) fn arrive(engine: &Engine, writer: &mut Writer, news: &News) -> Result<MergeOutcome> {
    let epoch = engine.def.epoch;
    let mut outcome = MergeOutcome::default();
    let is_alone = writer.documents.0.is_empty() && writer.claims.is_empty();
    if is_alone && writer.current.epoch == epoch && !writer.is_claim_new {
        return Ok(outcome);
    }
    let best = best(engine, writer)?;
    let before = engine.view();
    let mut is_fresh = false;
    match best {
        None => return Err(newer_epoch(engine, writer.current.epoch)),
        Some(best) if best.epoch < epoch => {
            run_and_tell(engine, writer, best, 0)?;
            is_fresh = true;
        }
        Some(best) if best.claim.is_none() && earlier_with_rows(engine, writer).is_some() => {
            // Rows of an earlier epoch are never carried into a document that others begin in, too:
            // they would do the same, and overwrite each other's later edits.
            if let Some(earlier) = earlier_with_rows(engine, writer) {
                move_aside(engine, writer, best)?;
                run_and_tell(engine, writer, earlier, 0)?;
                is_fresh = true;
            }
        }
        Some(best) if best != writer.current || writer.is_claim_new => {
            adopt(engine, writer, best)?;
            outcome.changed = changed_since(engine, &before)?;
            return Ok(outcome);
        }
        Some(_) => {}
    }
    let nothing = News::default();
    outcome.add(carry_all(engine, writer, if is_fresh { &nothing } else { news })?);
    if is_fresh {
        // What the migration did not take along and was carried into it again has not changed.
        outcome.changed = changed_since(engine, &before)?;
    }
    Ok(outcome)
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
    tell(engine, &before)
}

/// Rebuilds the current document without its history, in the next generation of its epoch.
pub(crate) fn rebuild(engine: &Engine) -> Result<()> {
    let mut writer = engine.lock_writer()?;
    engine.load(&mut writer)?;
    carry_all(engine, &mut writer, &News::default())?;
    let current = writer.current;
    let generation = current.generation.checked_add(1).ok_or_else(|| {
        Error::new(ErrorKind::Migration, "the store was rebuilt too often to be rebuilt again")
    })?;
    run(engine, &mut writer, current, generation)?;
    carry_all(engine, &mut writer, &News::default())?;
    Ok(())
}

/// The document to use, among those that are here.
pub(super) fn best(engine: &Engine, writer: &Writer) -> Result<Option<DocName>> {
    let nothing = DocVersion::default();
    let versions: Vec<(DocName, DocVersion)> =
        writer.documents.present().map(|(name, fact)| (name, fact.version())).collect();
    // A migration that wrote nothing has no changes that could arrive.
    let empty = writer.claims.iter().filter(|(name, claim)| {
        claim.baseline == 0 && !writer.documents.0.contains_key(&name.to_string())
    });
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
fn earlier_with_rows(engine: &Engine, writer: &Writer) -> Option<DocName> {
    let oldest = oldest(&engine.def);
    let earlier = writer.documents.present().filter(|(name, fact)| {
        (oldest..engine.def.epoch).contains(&name.epoch)
            && !fact.clocks.is_empty()
            && writer.claims.get(name).is_none_or(|claim| claim.is_held_by(&fact.version()))
            && (name.claim.is_none() || writer.claims.contains_key(name))
    });
    earlier.map(|(name, _)| name).max()
}

/// Notes the current document among the others, so that another can become current.
fn move_aside(engine: &Engine, writer: &mut Writer, name: DocName) -> Result<()> {
    engine.load(writer)?;
    if writer.current == name
        && let Some(loaded) = &writer.loaded
    {
        let fact = DocFact::of(loaded);
        writer.documents.0.insert(name.to_string(), fact);
    }
    Ok(())
}

pub(super) fn newer_epoch(engine: &Engine, found: u32) -> Error {
    Error::new(
        ErrorKind::NewerEpoch,
        format!(
            "newer code has taken the store to epoch {found}, and nothing of an earlier one is here"
        ),
    )
    .at_store(engine.def.name)
    .expecting(format!("epoch {} or earlier", engine.def.epoch))
    .finding(format!("epoch {found}"))
    .help("update the app; nothing was changed")
}

/// Makes another document, which is here, the current one.
fn adopt(engine: &Engine, writer: &mut Writer, name: DocName) -> Result<()> {
    engine.load(writer)?;
    let is_same = name == writer.current;
    if !is_same {
        engine.load_other(writer, name)?;
    }
    let shown = engine.view();
    // It becomes the one that others are carried into, before anybody reads it.
    let old = writer.loaded.take();
    let new = if is_same { None } else { writer.others.remove(&name) };
    let (Some(old), mut new) = (old, new) else { return Err(not_loaded()) };
    let before = Before::of(writer);
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
    for source in &sources {
        let Some(plan) = Plan::new(&engine.def, source.epoch) else { continue };
        let carried = writer.others.get(source).map(|from| {
            let carrying = Carrying::new(
                Place { name, loaded: &target, claim: claim.as_ref() },
                Place { name: *source, loaded: from, claim: writer.claims.get(source) },
                &plan,
                &writer.claims,
                &writer.others,
            );
            if !carrying.is_complete() {
                incomplete.push(*source);
            }
            carrying.carry(&Scope::All)
        });
        match carried {
            Some(Ok(ops)) if !ops.is_empty() => records.push(write_ops(&mut target, &ops)),
            Some(Err(error)) => {
                before.restore(writer);
                return Err(error);
            }
            _ => {}
        }
    }
    let last = target.log.last;
    writer.documents.0.remove(&name.to_string());
    if !is_same {
        old_fact.carried = old_fact.last;
        writer.documents.0.insert(before.current.to_string(), old_fact);
    }
    for (text, fact) in &mut writer.documents.0 {
        let is_carried = DocName::parse(text).is_some_and(|source| sources.contains(&source));
        fact.is_incomplete =
            DocName::parse(text).is_some_and(|source| incomplete.contains(&source));
        fact.carried = if is_carried { fact.last } else { 0 };
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
    engine.disk.show(Arc::new(view_names(&engine.def, name)));
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
        || Ok(None),
    );
    if let Err(error) = stored {
        before.restore(writer);
        engine.disk.show(shown.shared_names());
        let _ = engine.refresh_view();
        return Err(error);
    }
    for record in &records {
        target.log.grow(target.log.last + 1, record.len() as u64);
    }
    engine.mark(writer, target.log.last);
    writer.loaded = Some(target);
    writer.is_claim_new = false;
    tell(engine, &shown)
}

/// Writes the read model of a document.
fn read_out(
    engine: &Engine,
    commit: &Commit,
    name: &str,
    loaded: &Loaded,
    claim: Option<&crate::engine::Claim>,
) -> Result<()> {
    for slot in 0..engine.def.tables.len() {
        engine.fill_table(commit, name, loaded, claim, slot)?;
    }
    for root in loaded.document.maps() {
        let Some(parsed) = Root::parse(&root) else { continue };
        let mut entries = match &parsed {
            Root::Group(group) => commit.entries(name, group)?,
            Root::Table(_) => continue,
            other => commit.bookkeeping(name, &other.name())?,
        };
        slots::for_each(&loaded.document, &loaded.slots, claim, &root, |key, entry| {
            entries.put(key, entry.id, &entry.content)
        })?;
    }
    // Groups of which there are late edits only.
    for (slot, _) in loaded.slots.iter() {
        if let Some(Root::Group(group)) = Root::parse(&slot.root)
            && let Some(entry) =
                slots::entry(&loaded.document, &loaded.slots, claim, &slot.root, &slot.key)
        {
            commit.entries(name, &group)?.put(&slot.key, entry.id, &entry.content)?;
        }
    }
    let _ = BOOKKEEPING;
    Ok(())
}

/// Writes what is carried into a document in memory; gives the log record.
pub(super) fn write_ops(target: &mut Loaded, ops: &[CarryOp]) -> Vec<u8> {
    let mut roots: Vec<Root> = Vec::new();
    let mut written = Vec::new();
    for (root, key, value) in ops {
        let index = roots.iter().position(|known| known == root).unwrap_or_else(|| {
            roots.push(root.clone());
            roots.len() - 1
        });
        written.push(Op { root: index, key, value: value.as_deref() });
    }
    let update = target.document.write(&roots, &written);
    for (root, key, _) in ops {
        if matches!(root, Root::Forwarded | Root::Settled) {
            let entry = target.document.entry(&root.name(), key);
            target.slots.note(root, key, entry.as_ref());
        }
    }
    Record::encode(&update, RecordKind::Local)
}

/// Carries what is late in other documents into the current one.
fn carry_all(engine: &Engine, writer: &mut Writer, news: &News) -> Result<MergeOutcome> {
    let mut outcome = MergeOutcome::default();
    let current = writer.current;
    // Nothing ranks below a document that is nobody's migration and would be carried into it.
    if current.claim.is_none() {
        return Ok(outcome);
    }
    let oldest = oldest(&engine.def);
    let mut sources: Vec<(DocName, bool)> = Vec::new();
    for (name, fact) in writer.documents.present() {
        if name < current && name.epoch >= oldest {
            let has_slots = news.slots.iter().any(|slot| slot.source == name);
            if fact.carried < fact.last || has_slots {
                sources.push((name, fact.carried < fact.last));
            }
        }
    }
    sources.sort_unstable();
    if sources.is_empty() {
        return Ok(outcome);
    }
    // What their authors knew of each other is to be seen in all of them.
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
    for (source, is_behind) in sources {
        engine.load(writer)?;
        engine.load_other(writer, source)?;
        // Claims that are known say more of what their authors knew.
        let scopes = scopes(writer, source, is_behind, news);
        let Some(plan) = Plan::new(&engine.def, source.epoch) else { continue };
        let mut is_complete = true;
        for scope in scopes {
            let Some(into) = &writer.loaded else { return Err(not_loaded()) };
            let Some(from) = writer.others.get(&source) else { return Err(not_loaded()) };
            let carrying = Carrying::new(
                Place { name: current, loaded: into, claim: writer.claim() },
                Place { name: source, loaded: from, claim: writer.claims.get(&source) },
                &plan,
                &writer.claims,
                &writer.others,
            );
            is_complete &= carrying.is_complete();
            let ops = carrying.carry(&scope)?;
            if !ops.is_empty() {
                outcome.add(engine.write_roots(writer, &ops, Origin::Remote)?);
            }
        }
        let fact = writer.documents.0.entry(source.to_string()).or_default();
        // What is left is looked for again with the next changes.
        if fact.carried != fact.last || fact.is_incomplete == is_complete {
            (fact.carried, fact.is_incomplete) = (fact.last, !is_complete);
            writer.unrecorded.documents = true;
        }
    }
    if writer.unrecorded.documents {
        engine.store(writer, None, |_| Ok(()), || Ok(None))?;
    }
    Ok(outcome)
}

fn scopes<'n>(writer: &Writer, source: DocName, is_behind: bool, news: &'n News) -> Vec<Scope<'n>> {
    let mut scopes = Vec::new();
    let merged = news.merged.get(&source);
    let fact = writer.documents.0.get(&source.to_string());
    // Each record of the log is one merge: what they have changed is all there is to look at.
    let is_known = merged.is_some_and(|merged| {
        fact.is_some_and(|fact| {
            fact.carried > 0
                && !fact.is_incomplete
                && fact.last - fact.carried <= merged.len() as u64
        })
    });
    match merged {
        Some(merged) if is_behind && is_known => {
            scopes.extend(merged.iter().map(|m| Scope::Changed(&m.changed, &m.removed)));
        }
        _ if is_behind => scopes.push(Scope::All),
        _ => {}
    }
    if news.slots.iter().any(|slot| slot.source == source) {
        scopes.push(Scope::Slots(&news.slots));
    }
    scopes
}

/// Whether readers have seen anything of a view: not before a file of an earlier epoch is open.
fn was_seen(engine: &Engine, view: &View) -> bool {
    DocName::parse(view.document_name()).is_some_and(|name| name.epoch == engine.def.epoch)
}

/// Tells observers how what they see has changed since `before`.
fn tell(engine: &Engine, before: &Arc<View>) -> Result<()> {
    if !was_seen(engine, before) {
        return Ok(());
    }
    let after = engine.view();
    let mut noted = BTreeMap::new();
    for slot in 0..engine.def.tables.len() {
        let topic = Topic::Table(slot);
        if engine.hub.listens(topic) {
            noted.insert(topic, changed_rows(engine, before, &after, slot)?);
        }
    }
    for (slot, group) in engine.def.groups.iter().enumerate() {
        let topic = Topic::Group(slot);
        if engine.hub.listens(topic) {
            noted.insert(topic, changed_entries(before, &after, group.name)?);
        }
    }
    noted.retain(|_, changes| !changes.is_empty());
    engine.hub.push(Origin::Remote, noted, || after);
    Ok(())
}

/// How what readers see has changed since `before`, as a merge says it.
#[expect(clippy::type_complexity, reason = "named nowhere else")]
fn changed_since(
    engine: &Engine,
    before: &Arc<View>,
) -> Result<Vec<(Root, Vec<(String, ChangeKind)>)>> {
    let mut changed: Vec<(Root, Vec<Change>)> = Vec::new();
    if !was_seen(engine, before) {
        return Ok(Vec::new());
    }
    let after = engine.view();
    for (slot, table) in engine.def.tables.iter().enumerate() {
        let changes = changed_rows(engine, before, &after, slot)?;
        changed.push((Root::Table(table.name.to_owned()), changes));
    }
    let mut groups = before.groups_of(before.document_name())?;
    groups.extend(after.groups_of(after.document_name())?);
    for group in groups.into_iter().collect::<BTreeSet<_>>() {
        let changes = changed_entries(before, &after, &group)?;
        changed.push((Root::Group(group), changes));
    }
    changed.retain(|(_, changes)| !changes.is_empty());
    let keys = |changes: Vec<Change>| changes.into_iter().map(|it| (it.key, it.kind)).collect();
    Ok(changed.into_iter().map(|(root, changes)| (root, keys(changes))).collect())
}

fn changed_entries(before: &View, after: &View, group: &str) -> Result<Vec<Change>> {
    let entries = |view: &View| -> Result<_> {
        let entries = view.entries(view.document_name(), group)?.into_iter();
        Ok(entries.map(|(name, _, content)| (name, json_of(content))).collect())
    };
    Ok(changed_texts(entries(before)?, entries(after)?))
}

/// The rows of a table that two views show differently. Both come in the order of their keys, so
/// that no more is in memory than what has changed.
fn changed_rows(
    engine: &Engine,
    before: &Arc<View>,
    after: &Arc<View>,
    slot: usize,
) -> Result<Vec<Change>> {
    let key_text = engine.def.tables[slot].key_text;
    let mut changes = Vec::new();
    let mut rows = [before.rows(slot)?, after.rows(slot)?];
    let mut next = |side: usize| {
        let row = rows[side].next_with(|key, row| (key.to_vec(), row.json().to_vec()));
        row.transpose()
    };
    let (mut was, mut is) = (next(0)?, next(1)?);
    loop {
        let order = match (&was, &is) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((was, _)), Some((is, _))) => was.cmp(is),
        };
        let row = if order.is_gt() { &is } else { &was };
        if (order.is_ne() || was != is)
            && let Some((key, _)) = row
        {
            let kind = ChangeKind::of(order.is_le(), order.is_ge());
            changes.push(Change { key: key_text(key).unwrap_or_default(), kind, json: None });
        }
        if order.is_le() {
            was = next(0)?;
        }
        if order.is_ge() {
            is = next(1)?;
        }
    }
    let strays = |view: &Arc<View>| Ok::<_, Error>(view.strays(slot)?.into_iter().collect());
    changes.extend(changed_texts(strays(before)?, strays(after)?));
    Ok(changes)
}

fn changed_texts(
    mut before: BTreeMap<String, String>,
    after: BTreeMap<String, String>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for (key, is) in after {
        let was = before.remove(&key);
        if was.as_ref() != Some(&is) {
            changes.push(Change { key, kind: ChangeKind::of(was.is_some(), true), json: Some(is) });
        }
    }
    let gone = before.into_keys();
    changes.extend(gone.map(|key| Change { key, kind: ChangeKind::Removed, json: None }));
    changes
}

fn json_of(content: Content) -> String {
    match content {
        Content::Text(json) => json.to_string(),
        Content::Foreign(json) => json,
    }
}

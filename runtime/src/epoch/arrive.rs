//! Coming to the document that this device is to use, and carrying into it what is late elsewhere.

use std::collections::BTreeMap;
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
    let mut is_fresh = false;
    match best {
        None => return Err(newer_epoch(engine, writer.current.epoch)),
        Some(best) if best.epoch < epoch => {
            outcome.add(run_and_tell(engine, writer, best, 0)?);
            is_fresh = true;
        }
        Some(best)
            if best.claim.is_none()
                && let Some(earlier) = earlier_with_rows(engine, writer)? =>
        {
            // Rows of an earlier epoch are never carried into a document that others begin in, too:
            // they would do the same, and overwrite each other's later edits.
            move_aside(engine, writer, best)?;
            outcome.add(run_and_tell(engine, writer, earlier, 0)?);
            is_fresh = true;
        }
        Some(best) if best != writer.current || writer.is_claim_new => {
            outcome.add(adopt(engine, writer, best)?);
            return Ok(outcome);
        }
        Some(_) => {}
    }
    let nothing = News::default();
    outcome.add(carry_all(engine, writer, if is_fresh { &nothing } else { news })?);
    Ok(outcome)
}

/// Migrates, and tells observers of rows that come by it.
fn run_and_tell(
    engine: &Engine,
    writer: &mut Writer,
    from: DocName,
    generation: u32,
) -> Result<MergeOutcome> {
    let told = told_before(engine, &engine.view())?;
    run(engine, writer, from, generation)?;
    let changed = tell(engine, &told, &engine.view())?;
    Ok(MergeOutcome { changed, ..MergeOutcome::default() })
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
fn adopt(engine: &Engine, writer: &mut Writer, name: DocName) -> Result<MergeOutcome> {
    engine.load(writer)?;
    let is_same = name == writer.current;
    if !is_same {
        engine.load_other(writer, name)?;
    }
    let told = told_before(engine, &engine.view())?;
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
        || Ok(None),
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
    let changed = tell(engine, &told, &engine.view())?;
    Ok(MergeOutcome { changed, ..MergeOutcome::default() })
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

/// What readers see of the tables and groups that somebody observes.
type Told = BTreeMap<Topic, BTreeMap<String, String>>;

fn told_before(engine: &Engine, view: &Arc<View>) -> Result<Told> {
    let mut told = Told::new();
    if view.document_name().is_empty() {
        return Ok(told);
    }
    for slot in 0..engine.def.tables.len() {
        if engine.hub.listens(Topic::Table(slot)) {
            told.insert(Topic::Table(slot), rows_of(engine, view, slot)?);
        }
    }
    for (slot, group) in engine.def.groups.iter().enumerate() {
        if engine.hub.listens(Topic::Group(slot)) {
            let entries = view.entries(view.document_name(), group.name)?;
            let entries = entries.into_iter().map(|(name, _, content)| (name, json_of(&content)));
            told.insert(Topic::Group(slot), entries.collect());
        }
    }
    Ok(told)
}

fn rows_of(engine: &Engine, view: &Arc<View>, slot: usize) -> Result<BTreeMap<String, String>> {
    let table = &engine.def.tables[slot];
    let mut found = BTreeMap::new();
    let mut rows = view.rows(slot)?;
    while let Some(row) = rows.next_with(|key, row| {
        let key = (table.key_text)(key).unwrap_or_default();
        (key, String::from_utf8_lossy(row.json()).into_owned())
    }) {
        found.extend([row?]);
    }
    found.extend(view.strays(slot)?);
    Ok(found)
}

fn json_of(content: &Content) -> String {
    match content {
        Content::Text(json) => json.to_string(),
        Content::Foreign(json) => json.clone(),
    }
}

/// Tells observers how what they see has changed.
#[expect(clippy::type_complexity, reason = "named nowhere else")]
fn tell(
    engine: &Engine,
    before: &Told,
    view: &Arc<View>,
) -> Result<Vec<(Root, Vec<(String, ChangeKind)>)>> {
    let after = told_before(engine, view)?;
    let mut noted = BTreeMap::new();
    let mut changed = Vec::new();
    for (topic, after) in &after {
        let nothing = BTreeMap::new();
        let before = before.get(topic).unwrap_or(&nothing);
        let mut changes = Vec::new();
        for key in before.keys().chain(after.keys().filter(|key| !before.contains_key(*key))) {
            let (was, is) = (before.get(key), after.get(key));
            if was != is {
                let kind = ChangeKind::of(was.is_some(), is.is_some());
                changes.push(Change { key: key.clone(), kind, json: is.cloned() });
            }
        }
        if changes.is_empty() {
            continue;
        }
        let root = match topic {
            Topic::Table(slot) => Root::Table(engine.def.tables[*slot].name.to_owned()),
            Topic::Group(slot) => Root::Group(engine.def.groups[*slot].name.to_owned()),
            Topic::Schema => continue,
        };
        let keys = changes.iter().map(|change| (change.key.clone(), change.kind));
        changed.push((root, keys.collect()));
        noted.insert(*topic, changes);
    }
    engine.hub.push(Origin::Remote, noted, || engine.view());
    Ok(changed)
}

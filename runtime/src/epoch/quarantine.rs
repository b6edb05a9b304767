//! The quarantine: edits that could not be carried, and deciding on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::convert::{NewRow, Rejected, Sink, convert_row, prepare, text_of};
use super::plan::Plan;
use super::sink::describe;
use super::source::{RowsOf, Source, SourceRow};
use crate::disk::View;
use crate::doc::Root;
use crate::engine::{
    CopySource, Engine, LateEdit, LateEditKey, Loaded, Origin, Resolution, RootOp, StoppedAt,
    Writer, checksum, not_loaded,
};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, EntryRef, ItemId};
use crate::schema::descriptor::{GroupIdx, StoreDef, TableIdx};
use crate::schema::step::Entries;

/// Something in quarantine.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// The root map that holds it.
    kind: KeptIn,
    pub(crate) key: LateEditKey,
    pub(crate) edit: LateEdit,
    /// What stands in its place.
    pub(crate) ours: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeptIn {
    /// `forwarded`: a late edit.
    Forwarded,
    /// `quarantine`: what a migration could not convert, or a late edit has displaced.
    Quarantine,
}

/// Everything in quarantine, in the order of tables and keys.
pub(crate) fn list(engine: &Engine) -> Result<Vec<Kept>> {
    let view = engine.view();
    let document = view.document_name().to_owned();
    let mut kept = Vec::new();
    let resolutions = view.bookkeeping(&document, &Root::Settled.name())?;
    for (text, id, content) in view.bookkeeping(&document, &Root::Forwarded.name())? {
        let (Some(key), Some(edit)) = (LateEditKey::parse(&text), LateEdit::read(&content)) else {
            continue;
        };
        let is_resolved = resolutions.iter().any(|(name, _, content)| {
            *name == text && Resolution::read(content).is_some_and(|s| s.items == edit.items)
        });
        if is_resolved {
            continue;
        }
        let standing = standing(engine, &view, &key.at)?;
        let is_showing = standing.as_ref().is_some_and(|(at, _)| *at == id);
        let ours = standing.map(|(_, json)| json);
        if is_showing || (edit.value.is_some() && edit.value == ours) {
            continue;
        }
        kept.push(Kept { kind: KeptIn::Forwarded, key, edit, ours });
    }
    for (text, _, content) in view.bookkeeping(&document, &Root::Quarantine.name())? {
        if let (Some(key), Some(edit)) = (LateEditKey::parse(&text), LateEdit::read(&content)) {
            let ours = standing(engine, &view, &key.at)?.map(|(_, json)| json);
            kept.push(Kept { kind: KeptIn::Quarantine, key, edit, ours });
        }
    }
    kept.sort_by_cached_key(|Kept { key, .. }| (key.at.clone(), key.source, key.nth));
    Ok(kept)
}

/// What readers see under a root and key.
fn standing(engine: &Engine, view: &Arc<View>, at: &EntryRef) -> Result<Option<(ItemId, String)>> {
    match Root::parse(&at.root) {
        Some(Root::Table(name)) => {
            let Some(table_idx) = engine.def.table_idx(&name) else { return Ok(None) };
            let Some(bytes) = (engine.def.tables[table_idx].read_key)(&at.key) else {
                return Ok(None);
            };
            let row = view.row(table_idx, &bytes)?;
            Ok(row.map(|row| (row.id(), String::from_utf8_lossy(row.json()).into_owned())))
        }
        Some(Root::Group(name)) => {
            let entries = view.entries(view.document_name(), &name)?;
            let entry = entries.into_iter().find(|(entry, _, _)| *entry == at.key);
            Ok(entry.map(|(_, id, content)| (id, text_of(content))))
        }
        _ => Ok(None),
    }
}

/// Puts what is in quarantine in the place of what stands there.
pub(crate) fn accept(engine: &Engine, kept: &Kept) -> Result<()> {
    let accepted = match &kept.edit.value {
        Some(value) => vec![Accepted {
            root: Root::parse(&kept.key.at.root).ok_or_else(|| gone(kept))?,
            key: kept.key.at.key.clone(),
            json: value.clone(),
            is_made: false,
        }],
        None => converted(engine, kept)?,
    };
    finish(engine, kept, accepted)
}

/// Lets go of what is in quarantine.
pub(crate) fn dismiss(engine: &Engine, kept: &Kept) -> Result<()> {
    finish(engine, kept, Vec::new())
}

fn finish(engine: &Engine, kept: &Kept, accepted: Vec<Accepted>) -> Result<()> {
    engine.refuse_if_read_only()?;
    let mut writer = engine.lock_writer()?;
    let text = kept.key.to_text();
    engine.load(&mut writer)?;
    let root = match kept.kind {
        KeptIn::Forwarded => Root::Forwarded,
        KeptIn::Quarantine => Root::Quarantine,
    };
    let Some(loaded) = &writer.loaded else { return Err(not_loaded()) };
    let is_there = loaded.document.entry(&root.name(), &text);
    if is_there.and_then(|entry| LateEdit::read(&entry.content)).as_ref() != Some(&kept.edit) {
        return Err(gone(kept));
    }
    let is_written = |row: &Accepted| !row.is_made || is_free(&writer, loaded, row);
    let rows = accepted.into_iter().filter(is_written);
    let mut ops = Vec::new();
    for row in rows {
        let at = EntryRef::new(row.root.name(), row.key.as_str());
        let (document, late_edits) = (&loaded.document, &loaded.late_edits);
        let seen = late_edits.seen(document, writer.claim(), writer.current, &at, false);
        ops.extend(seen.into_iter().map(|(key, json)| RootOp::put(Root::Settled, key, json)));
        ops.push(RootOp::put(row.root, row.key, row.json));
    }
    match kept.kind {
        KeptIn::Forwarded => {
            let resolution = Resolution::of(kept.edit.items.clone());
            let json = serde_json::to_string(&resolution).map_err(|error| {
                Error::new(ErrorKind::Storage, "a resolution does not serialize").because(error)
            })?;
            ops.push(RootOp::put(Root::Settled, text, json));
        }
        KeptIn::Quarantine => ops.push(RootOp::remove(Root::Quarantine, text)),
    }
    let outcome = engine.write_roots(&mut writer, &ops, Origin::Local);
    drop(writer);
    engine.hub.deliver();
    outcome.map(drop)
}

/// A row or entry that is to stand because something is accepted.
struct Accepted {
    root: Root,
    key: String,
    json: String,
    /// Whether a `migrate` function makes it beside that.
    is_made: bool,
}

/// Whether what a `migrate` function makes may be written: as for a late edit, where nothing stands
/// but what one has made, and no device has removed the same.
fn is_free(writer: &Writer, loaded: &Loaded, row: &Accepted) -> bool {
    let at = EntryRef::new(row.root.name(), row.key.as_str());
    let main = loaded.document.entry(&at.root, &at.key);
    let id = main.as_ref().map(|entry| entry.id);
    if let Some((_, stored)) = loaded.late_edits.showing(writer.claim(), &at, id) {
        return stored.edit.made;
    }
    if let Some(main) = main {
        let source = writer.claim().and_then(|claim| claim.copy_source(main.id));
        return source.is_some_and(CopySource::is_made) && text_of(main.content) != row.json;
    }
    let own = LateEditKey::new(writer.current, at);
    let resolution = loaded.late_edits.resolution(&own);
    !resolution.is_some_and(|resolution| resolution.made.contains(&checksum(&row.json)))
}

/// What becomes of it with the code as it is now, which may convert what earlier code could not: taken
/// alone through the steps that it has still to go, `migrate` functions included.
fn converted(engine: &Engine, kept: &Kept) -> Result<Vec<Accepted>> {
    let stopped_at = kept.edit.stopped_at(kept.key.source);
    let Some(raw) = &kept.edit.raw else { return refused("its old value is not known") };
    if stopped_at.is_unseen {
        return refused(&format!(
            "{}, before the `migrate` function of epoch {} ran",
            kept.edit.reason.as_deref().unwrap_or("another row has taken its place"),
            stopped_at.epoch
        ));
    }
    let Some(plan) = Plan::new(&engine.def, stopped_at.epoch) else {
        return refused(&format!("the code does not know epoch {}", stopped_at.epoch));
    };
    let taken = match taken_alone(&plan, kept, &stopped_at, raw) {
        Err(error) if error.kind() == ErrorKind::Migration => {
            return refused(error.what()).map_err(|refusal: Error| refusal.because(error));
        }
        taken => taken?,
    };
    let is_own = |root: &Root| root.name() == kept.key.at.root;
    let mut rejected = taken.rejected.iter();
    // Where it comes to rows of several tables, each is kept on its own.
    let own_first = rejected.clone().find(|row| is_own(&row.root)).or_else(|| rejected.next());
    let has_own = taken.rows.iter().any(|row| !row.is_made && is_own(&row.root));
    if let Some(row) = own_first.filter(|_| !has_own) {
        return refused(&describe(&row.failure));
    }
    if taken.rows.is_empty() {
        return refused("the conversion made nothing of it");
    }
    let rows = taken.rows.into_iter();
    Ok(rows.filter(|row| row.is_made || !has_own || is_own(&row.root)).collect())
}

/// Takes a row or entry alone to the epoch of the code.
fn taken_alone(plan: &Plan, kept: &Kept, stopped_at: &StoppedAt, raw: &str) -> Result<Taken> {
    let take = |rows: RowsOf<'_>| {
        let mut taken = Taken { to: plan.to, rows: Vec::new(), rejected: Vec::new() };
        let source = Source::new(kept.key.source, None, plan.from, rows, &BTreeMap::new())?;
        prepare(plan, source, false, &|_| {}, &mut taken)?.pour(&mut taken)?;
        Ok(taken)
    };
    match Root::parse(&stopped_at.root) {
        Some(Root::Table(name)) => {
            let Some(table_idx) = plan.from.table_idx(&name) else {
                return refused(&format!("epoch {} has no table `{name}`", stopped_at.epoch));
            };
            let table = &plan.from.tables[table_idx];
            let row = SourceRow {
                key: (table.read_key)(&stopped_at.key),
                key_text: stopped_at.key.clone(),
                source: CopySource::Document(kept.key.source),
                content: Content::Text(raw.into()),
            };
            if !plan.is_identity() {
                return take(RowsOf::One(table_idx, Box::new(row)));
            }
            match convert_row(table, 0, table.name, &row)? {
                Ok(row) => Ok(Taken::one(plan, Root::Table(name), row.key_text, row.json)),
                Err(failure) => refused(&describe(&failure)),
            }
        }
        Some(Root::Group(name)) => {
            let Some(group_idx) = plan.from.group_idx(&name) else {
                return refused(&format!("epoch {} has no kv group `{name}`", stopped_at.epoch));
            };
            if plan.is_identity() {
                return Ok(Taken::one(
                    plan,
                    Root::Group(name),
                    stopped_at.key.clone(),
                    raw.to_owned(),
                ));
            }
            let entries = Entries::from([(stopped_at.key.clone(), raw.to_owned())]);
            let mut with = take(RowsOf::Group(group_idx, entries))?;
            // What comes without it, too, is not of it.
            let without = take(RowsOf::Group(group_idx, Entries::new()))?.rows;
            let is_same = |a: &Accepted, b: &Accepted| {
                (&a.root, &a.key, &a.json) == (&b.root, &b.key, &b.json)
            };
            with.rows.retain(|row| !without.iter().any(|other| is_same(row, other)));
            Ok(with)
        }
        _ => refused("it does not belong to a table"),
    }
}

/// What comes of a row or entry on its way.
struct Taken {
    to: StoreDef,
    rows: Vec<Accepted>,
    rejected: Vec<Rejected>,
}

impl Taken {
    fn one(plan: &Plan, root: Root, key: String, json: String) -> Self {
        let rows = vec![Accepted { root, key, json, is_made: false }];
        Self { to: plan.to, rows, rejected: Vec::new() }
    }
}

impl Sink for Taken {
    fn row(&mut self, table_idx: TableIdx, row: NewRow) -> Result<()> {
        let root = Root::Table(self.to.tables[table_idx].name.to_owned());
        let (key, json, is_made) = (row.key_text, row.json, row.source == CopySource::Made);
        self.rows.push(Accepted { root, key, json, is_made });
        Ok(())
    }

    fn entry(
        &mut self,
        group_idx: GroupIdx,
        name: &str,
        source: CopySource,
        json: &str,
    ) -> Result<()> {
        let root = Root::Group(self.to.groups[group_idx].name.to_owned());
        let (key, json, is_made) = (name.to_owned(), json.to_owned(), source == CopySource::Made);
        self.rows.push(Accepted { root, key, json, is_made });
        Ok(())
    }

    fn reject(&mut self, rejected: Rejected) -> Result<()> {
        self.rejected.push(rejected);
        Ok(())
    }
}

fn refused<T>(reason: &str) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidRow, format!("it still cannot be converted: {reason}"))
        .help("store a corrected row with `put`, and then `dismiss` this one"))
}

fn gone(kept: &Kept) -> Error {
    Error::new(ErrorKind::NotFound, "it is not in quarantine any more, or has changed")
        .at_key(kept.key.at.key.clone())
        .help("list the quarantine again")
}

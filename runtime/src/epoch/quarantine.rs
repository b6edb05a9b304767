//! What could not be carried, and what becomes of it.

use std::sync::Arc;

use super::convert::{convert_group, convert_row, text_of};
use super::plan::Plan;
use super::source::SourceRow;
use crate::disk::View;
use crate::doc::Root;
use crate::engine::{Engine, Origin, Settled, Slot, SlotKey};
use crate::error::{Error, ErrorKind, Result};
use crate::row::Content;
use crate::schema::step::Entries;

/// Something in quarantine.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// Which of the document's notes it is.
    note: Note,
    pub(crate) key: SlotKey,
    pub(crate) slot: Slot,
    /// What stands in its place.
    pub(crate) ours: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Note {
    /// A late edit.
    Forwarded,
    /// What a migration left, or a late edit has displaced.
    Quarantined,
}

/// Everything in quarantine, in the order of tables and keys.
pub(crate) fn list(engine: &Engine) -> Result<Vec<Kept>> {
    let view = engine.view();
    let document = view.document_name().to_owned();
    let mut kept = Vec::new();
    let settled = view.bookkeeping(&document, &Root::Settled.name())?;
    for (text, id, content) in view.bookkeeping(&document, &Root::Forwarded.name())? {
        let (Some(key), Some(slot)) = (SlotKey::parse(&text), Slot::read(&content)) else {
            continue;
        };
        let is_settled = settled.iter().any(|(name, _, content)| {
            *name == text && Settled::read(content).is_some_and(|s| s.items == slot.items)
        });
        if is_settled {
            continue;
        }
        let standing = standing(engine, &view, &key)?;
        let is_showing = standing.as_ref().is_some_and(|(at, _)| *at == id);
        let ours = standing.map(|(_, json)| json);
        if is_showing || (slot.value.is_some() && slot.value == ours) {
            continue;
        }
        kept.push(Kept { note: Note::Forwarded, key, slot, ours });
    }
    for (text, _, content) in view.bookkeeping(&document, &Root::Quarantine.name())? {
        if let (Some(key), Some(slot)) = (SlotKey::parse(&text), Slot::read(&content)) {
            let ours = standing(engine, &view, &key)?.map(|(_, json)| json);
            kept.push(Kept { note: Note::Quarantined, key, slot, ours });
        }
    }
    kept.sort_by(|a, b| {
        (&a.key.root, &a.key.key, a.key.source).cmp(&(&b.key.root, &b.key.key, b.key.source))
    });
    Ok(kept)
}

/// What readers see under a root and key.
fn standing(
    engine: &Engine,
    view: &Arc<View>,
    key: &SlotKey,
) -> Result<Option<(crate::row::ItemId, String)>> {
    match Root::parse(&key.root) {
        Some(Root::Table(name)) => {
            let slot = engine.def.tables.iter().position(|table| table.name == name);
            let Some(slot) = slot else { return Ok(None) };
            let Some(bytes) = (engine.def.tables[slot].read_key)(&key.key) else {
                return Ok(None);
            };
            let row = view.row(slot, &bytes)?;
            Ok(row.map(|row| (row.id(), String::from_utf8_lossy(row.json()).into_owned())))
        }
        Some(Root::Group(name)) => {
            let entries = view.entries(view.document_name(), &name)?;
            let entry = entries.into_iter().find(|(entry, _, _)| *entry == key.key);
            Ok(entry.map(|(_, id, content)| (id, text_of(content))))
        }
        _ => Ok(None),
    }
}

/// Puts what is in quarantine in the place of what stands there.
pub(crate) fn accept(engine: &Engine, kept: &Kept) -> Result<()> {
    let (key, json) = match &kept.slot.value {
        Some(value) => (kept.key.key.clone(), value.clone()),
        None => converted(engine, kept)?,
    };
    let root = Root::parse(&kept.key.root).ok_or_else(|| gone(kept))?;
    finish(engine, kept, vec![(root, key, Some(json))])
}

/// Lets go of what is in quarantine.
pub(crate) fn dismiss(engine: &Engine, kept: &Kept) -> Result<()> {
    finish(engine, kept, Vec::new())
}

fn finish(
    engine: &Engine,
    kept: &Kept,
    mut ops: Vec<(Root, String, Option<String>)>,
) -> Result<()> {
    engine.refuse_if_read_only()?;
    let mut writer = engine.lock_writer()?;
    let text = kept.key.to_text();
    engine.load(&mut writer)?;
    let root = match kept.note {
        Note::Forwarded => Root::Forwarded,
        Note::Quarantined => Root::Quarantine,
    };
    let document = writer.loaded.as_ref().map(|loaded| &loaded.document);
    let is_there = document.and_then(|document| document.entry(&root.name(), &text));
    if is_there.and_then(|entry| Slot::read(&entry.content)).as_ref() != Some(&kept.slot) {
        return Err(gone(kept));
    }
    match kept.note {
        Note::Forwarded => {
            let settled = Settled { items: kept.slot.items.clone(), made: Vec::new() };
            let json = serde_json::to_string(&settled).map_err(|error| {
                Error::new(ErrorKind::Storage, "a note does not serialize").because(error)
            })?;
            ops.push((Root::Settled, text, Some(json)));
        }
        Note::Quarantined => ops.push((Root::Quarantine, text, None)),
    }
    let outcome = engine.write_roots(&mut writer, &ops, Origin::Local);
    drop(writer);
    engine.hub.deliver();
    outcome.map(drop)
}

/// What the row becomes with the code as it is now, which may convert what earlier code could not.
fn converted(engine: &Engine, kept: &Kept) -> Result<(String, String)> {
    let refused = |reason: String| {
        Err(Error::new(ErrorKind::InvalidRow, format!("it still cannot be taken over: {reason}"))
            .help("store a corrected row with `put`, and then `dismiss` this one"))
    };
    let (Some(raw), Some(plan)) = (&kept.slot.raw, Plan::new(&engine.def, kept.key.source.epoch))
    else {
        return refused("nothing tells what it was".to_owned());
    };
    let [stretch] = plan.stretches.as_slice() else {
        return refused("a `migrate` function lies between".to_owned());
    };
    match Root::parse(&kept.key.root) {
        Some(Root::Table(name)) => {
            let to = stretch.to.tables.iter().position(|table| table.name == name);
            let Some(route) = stretch.tables.iter().find(|route| Some(route.to) == to) else {
                return refused("its table is none of this epoch".to_owned());
            };
            let from = &stretch.from.tables[route.from];
            let row = SourceRow {
                key: (from.read_key)(&kept.slot.of.1),
                key_text: kept.slot.of.1.clone(),
                origin: "".into(),
                content: Content::Text(raw.as_str().into()),
            };
            let now = &stretch.to.tables[route.to];
            match convert_row(now, route.conversions, from.name, &row)? {
                Ok(row) => Ok((row.key_text, row.json)),
                Err(failure) => refused(failure.reason),
            }
        }
        Some(Root::Group(name)) => {
            let to = stretch.to.groups.iter().position(|group| group.name == name);
            let Some(route) = stretch.groups.iter().find(|route| Some(route.to) == to) else {
                return refused("its group is none of this epoch".to_owned());
            };
            let entries = Entries::from([(kept.slot.of.1.clone(), raw.clone())]);
            let now = &stretch.to.groups[route.to];
            let converted = convert_group(now, route.conversions, &entries)?;
            match (converted.entries.into_iter().next(), converted.failures.into_iter().next()) {
                (Some(entry), None) => Ok(entry),
                (_, failure) => refused(
                    failure.map_or_else(|| "nothing comes of it".to_owned(), |(_, f)| f.reason),
                ),
            }
        }
        _ => refused("it belongs to no table".to_owned()),
    }
}

fn gone(kept: &Kept) -> Error {
    Error::new(ErrorKind::NotOne, "it is not in quarantine any more, or has changed")
        .at_key(kept.key.key.clone())
        .help("list the quarantine again")
}

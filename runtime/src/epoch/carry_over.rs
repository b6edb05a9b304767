//! What a migration takes over beside the rows: notes about late edits, and what code does not know.

use std::collections::BTreeSet;

use super::convert::{convert_row, text_of};
use super::incorporate::{Incorporated, knows};
use super::plan::Plan;
use super::source::SourceRow;
use crate::doc::{BOOKKEEPING, Root};
use crate::engine::{
    Claim, DocFact, DocName, Engine, LateEdit, LateEditKey, Loaded, Resolution, Stood, Writer,
    clocks_in_file,
};
use crate::error::{Error, ErrorKind, Result};
use crate::row::Content;
use crate::schema::descriptor::StoreDef;

/// What of a document is taken over beside the rows that are read of the file.
pub(super) struct Beside {
    pub(super) fact: DocFact,
    /// Tables and groups that the code of its epoch does not know.
    pub(super) unknown: Vec<(Root, Vec<(String, String)>)>,
    /// What was dealt with, and what is in quarantine.
    pub(super) bookkeeping: Vec<(Root, String, String)>,
}

impl Beside {
    /// What there is, where the file has it all without the document; it must be loaded otherwise.
    pub(super) fn in_file(
        engine: &Engine,
        writer: &Writer,
        def: &StoreDef,
        from: DocName,
    ) -> Result<Option<Self>> {
        let view = engine.view();
        let name = from.to_string();
        let has_lower = writer.documents.present().any(|(name, _)| name < from);
        if writer.loaded.is_some() || has_lower || !writer.coverage.is_all(def) {
            return Ok(None);
        }
        for root in BOOKKEEPING {
            if !view.bookkeeping(&name, &root.name())?.is_empty() {
                return Ok(None);
            }
        }
        let is_declared = |group: &String| def.groups.iter().any(|def| def.name == group);
        if !view.groups_of(&name)?.iter().all(is_declared) {
            return Ok(None);
        }
        let Some((clocks, last)) = clocks_in_file(&view, &name)? else { return Ok(None) };
        let fact = DocFact { last, clocks, is_partial: true, ..DocFact::default() };
        Ok(Some(Self { fact, unknown: Vec::new(), bookkeeping: Vec::new() }))
    }

    pub(super) fn of(
        loaded: &Loaded,
        fact: DocFact,
        claim: Option<&Claim>,
        plan: &Plan,
        complete: &Incorporated,
    ) -> Result<Self> {
        let document = &loaded.document;
        let mut unknown = Vec::new();
        let mut bookkeeping = Vec::new();
        let mut kept = BTreeSet::new();
        let mut roots = document.maps();
        // What others may have to make room for is known before them.
        roots.sort_by_key(|name| **name == *Root::Forwarded.name());
        for name in roots {
            let Some(root) = Root::parse(&name) else { continue };
            let is_known = match &root {
                Root::Table(name) => plan.from.tables.iter().any(|table| table.name == name),
                Root::Group(name) => plan.from.groups.iter().any(|group| group.name == name),
                Root::Forwarded | Root::Settled | Root::Quarantine => false,
            };
            if is_known {
                continue;
            }
            let mut entries = Vec::new();
            document.for_each(&name, |key, entry| {
                entries.push((key.to_owned(), text_of(entry.content)));
                Ok::<(), Error>(())
            })?;
            match root {
                Root::Settled => {
                    for (key, json) in entries {
                        if let Some(key) = renamed(&key, plan) {
                            kept.insert((root.name(), key.clone()));
                            bookkeeping.push((root.clone(), key, json));
                        }
                    }
                }
                Root::Quarantine => {
                    for (key, json) in entries {
                        if let Some((key, json)) = quarantined(&key, &json, plan)? {
                            let key = free_key(&mut kept, &root, key);
                            bookkeeping.push((root.clone(), key, json));
                        }
                    }
                }
                Root::Forwarded => {
                    for (text, json) in entries {
                        let Some(key) = LateEditKey::parse(&text) else { continue };
                        let held = loaded.late_edits.get(&key);
                        let is_covered =
                            held.is_some_and(|held| knows(complete, key.source, &held.edit.items));
                        let note = if !is_shown_or_resolved(loaded, claim, &key) {
                            still_open(key, &json, plan)?
                        } else if is_covered || loaded.late_edits.resolution(&key).is_some() {
                            None
                        } else {
                            // It is taken over as a row, and not known by its document.
                            known(&text, &json, plan)
                        };
                        let Some((root, key, json)) = note else { continue };
                        let is_taken = kept.contains(&(root.name(), key.clone()));
                        let root = match root {
                            Root::Settled if is_taken => continue,
                            // One place has one late edit of each document.
                            Root::Forwarded if is_taken => Root::Quarantine,
                            root => root,
                        };
                        let key = free_key(&mut kept, &root, key);
                        bookkeeping.push((root, key, json));
                    }
                }
                root => unknown.push((root, entries)),
            }
        }
        Ok(Self { fact, unknown, bookkeeping })
    }
}

/// The key of a note about a late edit, with the names of the epoch of the code.
fn renamed(key: &str, plan: &Plan) -> Option<String> {
    let at = LateEditKey::parse(key)?;
    if let Some((root, key)) = plan.later_place(&at.root, &at.key) {
        return Some(LateEditKey { root, key, ..at }.to_text());
    }
    let root = match Root::parse(&at.root) {
        Some(Root::Table(name)) => {
            let now = plan.to.tables.iter().find(|table| plan.follows(table.name, &name));
            Root::Table(now.map_or(name, |table| table.name.to_owned())).name()
        }
        _ => at.root,
    };
    Some(LateEditKey { root, ..at }.to_text())
}

/// Whether nobody has to be told of a late edit any more.
fn is_shown_or_resolved(loaded: &Loaded, claim: Option<&Claim>, key: &LateEditKey) -> bool {
    let main = loaded.document.entry(&key.root, &key.key).map(|entry| entry.id);
    let showing = loaded.late_edits.showing(claim, &key.root, &key.key, main);
    let mut open = loaded.late_edits.open(&key.root, &key.key).into_iter();
    showing.is_some_and(|(source, _)| source == key.source)
        || !open.any(|(source, _)| source == key.source)
}

/// A key under which nothing else is kept.
fn free_key(kept: &mut BTreeSet<(String, String)>, root: &Root, key: String) -> String {
    let mut free = key;
    while !kept.insert((root.name(), free.clone())) {
        let Some(taken) = LateEditKey::parse(&free) else { return free };
        free = taken.next().to_text();
    }
    free
}

/// The note that an edit has been dealt with.
fn known(key: &str, json: &str, plan: &Plan) -> Option<(Root, String, String)> {
    let edit: LateEdit = serde_json::from_str(json).ok()?;
    let resolution = Resolution { items: edit.items, made: Vec::new() };
    let json = serde_json::to_string(&resolution).ok()?;
    Some((Root::Settled, renamed(key, plan)?, json))
}

/// A late edit that somebody still has to decide on, as it is in the epoch of the code.
fn still_open(key: LateEditKey, json: &str, plan: &Plan) -> Result<Option<(Root, String, String)>> {
    if plan.is_identity() {
        return Ok(Some((Root::Forwarded, key.to_text(), json.to_owned())));
    }
    let Ok(edit) = serde_json::from_str::<LateEdit>(json) else { return Ok(None) };
    let Some((key, edit)) = in_epoch_of(plan, key, edit)? else { return Ok(None) };
    Ok(Some((Root::Forwarded, key.to_text(), text(&edit)?)))
}

/// What is in quarantine, as it is in the epoch of the code.
pub(super) fn quarantined(key: &str, json: &str, plan: &Plan) -> Result<Option<(String, String)>> {
    if plan.is_identity() {
        return Ok(Some((key.to_owned(), json.to_owned())));
    }
    let Some(at) = LateEditKey::parse(key) else { return Ok(None) };
    // What newer code has put there is passed on.
    let Ok(edit) = serde_json::from_str::<LateEdit>(json) else {
        return Ok(renamed(key, plan).map(|key| (key, json.to_owned())));
    };
    let kept = in_epoch_of(plan, at, edit)?;
    kept.map(|(key, edit)| Ok((key.to_text(), text(&edit)?))).transpose()
}

fn text(edit: &LateEdit) -> Result<String> {
    serde_json::to_string(edit)
        .map_err(|error| Error::new(ErrorKind::Storage, "a note does not serialize").because(error))
}

/// A note with the names of the epoch of the code, and with its value as it is there; where that is
/// not to be had alone, the value becomes what was written.
fn in_epoch_of(
    plan: &Plan,
    key: LateEditKey,
    mut edit: LateEdit,
) -> Result<Option<(LateEditKey, LateEdit)>> {
    if let (Some(value), Some((table, now, conversions))) =
        (&edit.value, plan.only_route(&key.root))
    {
        let row = SourceRow {
            key: (table.read_key)(&key.key),
            key_text: key.key.clone(),
            origin: "".into(),
            content: Content::Text(value.as_str().into()),
        };
        if let Ok(converted) = convert_row(now, conversions, table.name, &row)? {
            edit.value = Some(converted.json);
            let root = Root::Table(now.name.to_owned()).name();
            return Ok(Some((LateEditKey { root, key: converted.key_text, ..key }, edit)));
        }
    }
    if let Some(value) = edit.value.take() {
        let (root, key) = (key.root.clone(), key.key.clone());
        edit.raw = Some(value);
        edit.stood = Some(Stood { epoch: plan.from.epoch, root, key, is_unseen: false });
    }
    let key = renamed(&key.to_text(), plan).and_then(|key| LateEditKey::parse(&key));
    Ok(key.map(|key| (key, edit)))
}

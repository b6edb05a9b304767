//! What a migration carries over beside the rows: late edits, the quarantine, and what its code does
//! not know.

use std::collections::BTreeSet;

use super::convert::{convert_row, text_of};
use super::incorporate::{Incorporated, knows};
use super::plan::Plan;
use super::source::SourceRow;
use crate::doc::Root;
use crate::engine::{
    Claim, CopySource, DocFact, LateEdit, LateEditKey, Loaded, Resolution, StoppedAt,
};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, EntryRef};

/// What of a document is taken over beside the rows that are read of the file.
pub(super) struct CarriedOver {
    pub(super) fact: DocFact,
    /// Tables and groups that the code of its epoch does not know.
    pub(super) unknown: Vec<(Root, Vec<(String, String)>)>,
    /// What was dealt with, and what is in quarantine.
    pub(super) bookkeeping: Vec<(Root, String, String)>,
}

impl CarriedOver {
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
        let mut taken = BTreeSet::new();
        let mut roots = document.maps();
        // What others may have to make room for is known before them.
        roots.sort_by_key(|name| **name == *Root::Forwarded.name());
        for name in roots {
            let Some(root) = Root::parse(&name) else { continue };
            let is_known = match &root {
                Root::Table(name) => plan.from.tables.iter().any(|table| table.name == name),
                Root::Group(name) => plan.from.groups.iter().any(|group| group.name == name),
                // What rows are read as has their cells in it.
                Root::Cells(_) => true,
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
                        if let Some(key) = LateEditKey::parse(&key) {
                            let key = renamed(key, plan).to_text();
                            taken.insert(EntryRef::new(root.name(), key.as_str()));
                            bookkeeping.push((root.clone(), key, json));
                        }
                    }
                }
                Root::Quarantine => {
                    for (key, json) in entries {
                        if let Some((key, json)) = quarantined(&key, &json, plan)? {
                            let key = free_key(&mut taken, &root, key);
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
                        let carried = if !is_shown_or_resolved(loaded, claim, &key) {
                            still_open(key, &json, plan)?
                        } else if is_covered || loaded.late_edits.resolution(&key).is_some() {
                            None
                        } else {
                            // It is taken over as a row, which its document does not know.
                            resolved(key, &json, plan)
                        };
                        let Some((root, key, json)) = carried else { continue };
                        let is_taken = taken.contains(&EntryRef::new(root.name(), key.as_str()));
                        let root = match root {
                            Root::Settled if is_taken => continue,
                            // An entry has one late edit from each document.
                            Root::Forwarded if is_taken => Root::Quarantine,
                            root => root,
                        };
                        let key = free_key(&mut taken, &root, key);
                        bookkeeping.push((root, key, json));
                    }
                }
                root => unknown.push((root, entries)),
            }
        }
        Ok(Self { fact, unknown, bookkeeping })
    }
}

/// Returns the key of a late edit, with the names of the epoch of the code.
fn renamed(key: LateEditKey, plan: &Plan) -> LateEditKey {
    if let Some(at) = plan.later_entry(&key.at) {
        return LateEditKey { at, ..key };
    }
    let EntryRef { root, key: row } = key.at;
    let root = match Root::parse(&root) {
        Some(Root::Table(name)) => {
            let now = plan.to.tables.iter().find(|table| plan.follows(table.name, &name));
            Root::Table(now.map_or(name, |table| table.name.to_owned())).name()
        }
        _ => root,
    };
    LateEditKey { at: EntryRef { root, key: row }, ..key }
}

/// Whether readers see a late edit, or it is resolved: nothing is left to decide on.
fn is_shown_or_resolved(loaded: &Loaded, claim: Option<&Claim>, key: &LateEditKey) -> bool {
    let main = loaded.document.entry(&key.at.root, &key.at.key).map(|entry| entry.id);
    let showing = loaded.late_edits.showing(claim, &key.at, main);
    let mut open = loaded.late_edits.open(&key.at).into_iter();
    showing.is_some_and(|(source, _)| source == key.source)
        || !open.any(|(source, _)| source == key.source)
}

/// Returns a key under which nothing else is carried over.
fn free_key(taken: &mut BTreeSet<EntryRef>, root: &Root, key: String) -> String {
    let mut free = key;
    while !taken.insert(EntryRef::new(root.name(), free.as_str())) {
        let Some(used) = LateEditKey::parse(&free) else { return free };
        free = used.next().to_text();
    }
    free
}

/// Returns the entry which records that an edit is resolved.
fn resolved(key: LateEditKey, json: &str, plan: &Plan) -> Option<(Root, String, String)> {
    let edit: LateEdit = serde_json::from_str(json).ok()?;
    let json = serde_json::to_string(&Resolution::of(edit.items)).ok()?;
    Some((Root::Settled, renamed(key, plan).to_text(), json))
}

/// Returns the entry of an unresolved late edit, as it is in the epoch of the code.
fn still_open(key: LateEditKey, json: &str, plan: &Plan) -> Result<Option<(Root, String, String)>> {
    if plan.is_identity() {
        return Ok(Some((Root::Forwarded, key.to_text(), json.to_owned())));
    }
    let Ok(edit) = serde_json::from_str::<LateEdit>(json) else { return Ok(None) };
    let (key, edit) = in_epoch_of(plan, key, edit)?;
    Ok(Some((Root::Forwarded, key.to_text(), text(&edit)?)))
}

/// Returns what is in quarantine, as it is in the epoch of the code.
pub(super) fn quarantined(key: &str, json: &str, plan: &Plan) -> Result<Option<(String, String)>> {
    if plan.is_identity() {
        return Ok(Some((key.to_owned(), json.to_owned())));
    }
    let Some(key) = LateEditKey::parse(key) else { return Ok(None) };
    // What newer code has put there is passed on.
    let Ok(edit) = serde_json::from_str::<LateEdit>(json) else {
        return Ok(Some((renamed(key, plan).to_text(), json.to_owned())));
    };
    let (key, edit) = in_epoch_of(plan, key, edit)?;
    Ok(Some((key.to_text(), text(&edit)?)))
}

fn text(edit: &LateEdit) -> Result<String> {
    serde_json::to_string(edit).map_err(|error| {
        Error::new(ErrorKind::Storage, "a late edit does not serialize").because(error)
    })
}

/// Takes a late edit to the epoch of the code: its names, and its value. If the value cannot be
/// converted alone, it becomes what was written.
fn in_epoch_of(
    plan: &Plan,
    key: LateEditKey,
    mut edit: LateEdit,
) -> Result<(LateEditKey, LateEdit)> {
    if let (Some(value), Some((table, now, conversions))) =
        (&edit.value, plan.only_route(&key.at.root))
    {
        let row = SourceRow {
            key: (table.read_key)(&key.at.key),
            key_text: key.at.key.clone(),
            source: CopySource::Made,
            content: Content::Text(value.as_str().into()),
        };
        if let Ok(converted) = convert_row(now, conversions, table.name, &row)? {
            edit.value = Some(converted.json);
            let root = Root::Table(now.name.to_owned()).name();
            let at = EntryRef { root, key: converted.key_text };
            return Ok((LateEditKey { at, ..key }, edit));
        }
    }
    if let Some(value) = edit.value.take() {
        edit.raw = Some(value);
        edit.stopped_at = Some(StoppedAt::new(plan.from.epoch, key.at.clone()));
    }
    Ok((renamed(key, plan), edit))
}

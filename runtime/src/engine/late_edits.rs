//! Late edits that a document carries from others, and what shows under a key because of them.
//!
//! An edit that was made in another document is never written over an entry of this one: two devices that
//! carry it would each overwrite what the other's user writes on top. It is stored beside the entry, in the
//! root map `forwarded`, under the parts that it stands for: so two devices store the same. A part that was
//! decided on is marked in the root map `seen`. `docs/design/late-edits.md` states the rule.

mod copies;
mod format_1;
mod marks;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::{Deserialize, Serialize};

pub(crate) use self::copies::{Copies, unknown_copy};
pub(crate) use self::marks::{Marks, base_text, fields_met, parse_taken_in, taken_in_key};
pub(crate) use self::standing::{Candidate, Showing, Standing};
use super::document::Document;
use super::documents::DocName;
use super::part::{Part, PartOf, Parts};
use crate::disk::{Shown, StagedDocument};
use crate::doc::cells::row_with;
use crate::doc::{Entry, Root};
use crate::error::{Error, Result};
use crate::row::{Content, EntryRef, ItemId};

/// A late edit, or an edit that could not be converted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LateEdit {
    /// The document that it ranks with.
    pub(crate) from: DocName,
    /// The entry that it was made in, in that document.
    pub(crate) of: EntryRef,
    /// The JSON text that may show here because of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    /// Why it could not be converted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The content that was written, if it could not be converted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) raw: Option<String>,
    /// The entry that could not be taken further, if that is another one than `of`.
    #[serde(default, rename = "stopped", skip_serializing_if = "Option::is_none")]
    pub(crate) stopped_at: Option<StoppedAt>,
}

/// The row or entry of an epoch that could not be taken further.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoppedAt {
    pub(crate) epoch: u32,
    pub(crate) root: String,
    pub(crate) key: String,
    /// Whether the `migrate` function of that epoch has not seen it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_unseen: bool,
}

/// The entry that a late edit belongs to, and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LateEditKey {
    pub(crate) at: EntryRef,
    pub(crate) parts: Parts,
}

impl LateEditKey {
    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(&(&self.at.root, &self.at.key, &self.parts)).unwrap_or_default()
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (root, key, parts): (String, String, Parts) = serde_json::from_str(text).ok()?;
        let key = Self { at: EntryRef { root, key }, parts };
        // Another spelling is another key, and would be the same edit once more.
        (!key.parts.is_empty() && key.to_text() == text).then_some(key)
    }
}

impl StoppedAt {
    pub(crate) fn new(epoch: u32, EntryRef { root, key }: EntryRef) -> Self {
        Self { epoch, root, key, is_unseen: false }
    }

    /// Returns the same, unless it is the entry itself of the document that an edit was made in.
    pub(crate) fn unless_in(self, from: DocName, of: &EntryRef) -> Option<Self> {
        let is_same = !self.is_unseen && self.epoch == from.epoch;
        Some(self).filter(|it| !is_same || (&it.root, &it.key) != (&of.root, &of.key))
    }
}

impl LateEdit {
    /// Returns the entry that could not be taken further.
    pub(crate) fn stopped_at(&self) -> StoppedAt {
        let own = || StoppedAt::new(self.from.epoch, self.of.clone());
        self.stopped_at.clone().unwrap_or_else(own)
    }

    /// Makes the late edit of a copy that a migration took over, and that another edit shows in the place of.
    pub(crate) fn of_copy(from: DocName, of: &EntryRef, json: String) -> Self {
        let reason = "it was changed on two devices that did not know of each other, before and after \
                      a migration; the later epoch's change stands";
        Self {
            from,
            of: of.clone(),
            value: Some(json),
            reason: Some(reason.to_owned()),
            raw: None,
            stopped_at: None,
        }
    }

    /// A value of an edit.
    pub(crate) fn of_value(from: DocName, of: &EntryRef, json: String) -> Self {
        Self { reason: None, ..Self::of_copy(from, of, json) }
    }

    /// An edit that could not be converted.
    pub(crate) fn rejected(from: DocName, of: &EntryRef, raw: String, reason: String) -> Self {
        let (reason, raw) = (Some(reason), Some(raw));
        Self { value: None, reason, raw, ..Self::of_copy(from, of, String::new()) }
    }

    /// Whether it could not be converted, and does not only wait.
    pub(crate) fn is_rejected(&self) -> bool {
        self.value.is_none() && self.reason.is_some()
    }

    pub(crate) fn read(content: &Content) -> Option<Self> {
        let Content::Text(json) = content else { return None };
        serde_json::from_str(json).ok()
    }

    pub(crate) fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| {
            Error::new(crate::ErrorKind::Storage, "a late edit does not serialize").because(error)
        })
    }
}

/// A late edit in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredEdit {
    pub(crate) id: ItemId,
    pub(crate) edit: LateEdit,
}

impl StoredEdit {
    /// Returns the value that readers see because of it.
    pub(crate) fn shown(&self) -> Shown {
        (self.id, self.edit.value.clone().unwrap_or_default())
    }

    /// The entry that readers see because of it: of a row, with the cells that the document has.
    fn entry_in(&self, document: &Document, root: &str, key: &str) -> Entry {
        let value = self.edit.value.as_deref().unwrap_or_default();
        let row = row_with(value, &document.cells(root, key));
        Entry { id: self.id, content: Content::Text(row.into()) }
    }
}

/// The highest document that parts are of.
pub(crate) fn rank_of(parts: &Parts) -> Option<DocName> {
    let documents = parts.iter().filter_map(|part| match part.origin {
        PartOf::Edit(document, _) => Some(document),
        PartOf::Made(_) => None,
    });
    documents.max()
}

/// The late edits of a document, by the entry that they belong to.
#[derive(Debug, Default)]
pub(crate) struct LateEdits {
    by_entry: BTreeMap<EntryRef, BTreeMap<Parts, StoredEdit>>,
    /// The entries that late edits belong to, by what those are of.
    by_origin: BTreeMap<PartOf, BTreeSet<EntryRef>>,
}

impl LateEdits {
    /// Reads those of a document.
    pub(crate) fn of(document: &Document) -> Result<Self> {
        let mut late_edits = Self::default();
        let mut entries = format_1::Entries::default();
        for root in [Root::Forwarded.name().as_str(), format_1::SETTLED, format_1::QUARANTINE] {
            document.for_each::<Error>(root, |key, entry| {
                if late_edits.update(key, Some(&entry)).is_none() {
                    entries.add(root, key, entry);
                }
                Ok(())
            })?;
        }
        entries.open().for_each(|(key, edit)| late_edits.insert(key, edit));
        Ok(late_edits)
    }

    /// Reads those of a document inside a commit.
    pub(crate) fn of_staged(document: &StagedDocument<'_>) -> Result<Self> {
        let mut late_edits = Self::default();
        let mut entries = format_1::Entries::default();
        for root in [Root::Forwarded.name().as_str(), format_1::SETTLED, format_1::QUARANTINE] {
            for (key, entry) in document.entries_of(root)? {
                if late_edits.update(&key, Some(&entry)).is_none() {
                    entries.add(root, &key, entry);
                }
            }
        }
        entries.open().for_each(|(key, edit)| late_edits.insert(key, edit));
        Ok(late_edits)
    }

    /// Takes in what stands now under a key of `forwarded`. Returns the entry that it is about.
    pub(crate) fn update(&mut self, key: &str, entry: Option<&Entry>) -> Option<EntryRef> {
        let LateEditKey { at, parts } = LateEditKey::parse(key)?;
        let edit = entry.and_then(|entry| Some((entry.id, LateEdit::read(&entry.content)?)));
        match edit {
            Some((id, edit)) => {
                self.insert(LateEditKey { at: at.clone(), parts }, StoredEdit { id, edit });
            }
            None => {
                if let Some(stored) = self.by_entry.get_mut(&at) {
                    stored.remove(&parts);
                    if stored.is_empty() {
                        self.by_entry.remove(&at);
                    }
                }
            }
        }
        Some(at)
    }

    pub(crate) fn insert(&mut self, LateEditKey { at, parts }: LateEditKey, stored: StoredEdit) {
        for part in &parts {
            self.by_origin.entry(part.origin).or_default().insert(at.clone());
        }
        self.by_entry.entry(at).or_default().insert(parts, stored);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_entry.is_empty()
    }

    /// Returns all late edits, decided ones included.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (LateEditKey, &StoredEdit)> {
        self.by_entry.iter().flat_map(|(at, stored)| {
            let key = |parts: &Parts| LateEditKey { at: at.clone(), parts: parts.clone() };
            stored.iter().map(move |(parts, stored)| (key(parts), stored))
        })
    }

    /// Returns the entries that late edits belong to.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &EntryRef> {
        self.by_entry.keys()
    }

    /// Returns the late edits of an entry.
    pub(crate) fn at(&self, at: &EntryRef) -> impl Iterator<Item = (&Parts, &StoredEdit)> {
        self.by_entry.get(at).into_iter().flatten()
    }

    /// Returns the entries that late edits of an origin belong to.
    pub(crate) fn entries_of(&self, origin: PartOf) -> impl Iterator<Item = &EntryRef> {
        self.by_origin.get(&origin).into_iter().flatten()
    }

    /// Returns the origins of late edits that a client made in a document, by their clocks.
    pub(crate) fn origins_in(
        &self,
        document: DocName,
        client: u64,
        clocks: Range<u32>,
    ) -> impl Iterator<Item = PartOf> {
        let at = |clock| PartOf::Edit(document, ItemId { client, clock });
        // A range that ends before it begins would panic.
        let of = self.by_origin.range(at(clocks.start.min(clocks.end))..at(clocks.end));
        of.map(|(origin, _)| *origin)
    }

    pub(crate) fn get(&self, key: &LateEditKey) -> Option<&StoredEdit> {
        self.by_entry.get(&key.at)?.get(&key.parts)
    }

    /// Returns the values under a key of a document whose own item there is `main`.
    pub(crate) fn standing(
        &self,
        marks: &impl Marks,
        copies: Copies<'_>,
        at: &EntryRef,
        main: Option<ItemId>,
    ) -> Result<Standing<'_>> {
        let mut all = Vec::new();
        let mut add = |from: DocName, parts: &Parts, stored: Option<&'_ StoredEdit>| {
            let mut open = Parts::new();
            for part in parts {
                let is_over = marks.is_marked(part)?;
                match part.is_ground() {
                    true if is_over => return Ok(()),
                    false if !is_over => drop(open.insert(part.clone())),
                    _ => {}
                }
            }
            if !open.is_empty() {
                all.push((from, parts.clone(), open, stored.map(|stored| stored.id)));
            }
            Ok::<_, Error>(())
        };
        for (parts, stored) in self.at(at) {
            add(stored.edit.from, parts, Some(stored))?;
        }
        let mut is_copy = false;
        if let Some(parts) = main.map(|id| copies.parts_of(id)).transpose()?.flatten() {
            is_copy = true;
            // A row that a function made of unknown rows ranks below all edits.
            add(rank_of(&parts).unwrap_or(DocName::unclaimed(0)), &parts, None)?;
        }
        let stored = self.by_entry.get(at);
        let all: Vec<Candidate<'_>> = all
            .into_iter()
            .map(|(from, parts, open, id)| {
                let stored = id.and_then(|_| stored?.get(&parts));
                Candidate { from, parts, open, stored }
            })
            .collect();
        let is_hidden: Vec<bool> =
            all.iter().map(|one| all.iter().any(|other| other.hides(one))).collect();
        let mut hidden = is_hidden.into_iter();
        let mut waiting = all;
        waiting.retain(|_| !hidden.next().unwrap_or_default());
        waiting.sort_by(|a, b| b.rank().cmp(&a.rank()));
        // An entry that was written in this document stands.
        if main.is_some() && !is_copy {
            return Ok(Standing { shown: Showing::Main, waiting });
        }
        let shown = match waiting.first() {
            Some(first) if first.can_show() => {
                let first = waiting.remove(0);
                if first.stored.is_some() { Showing::Late(first) } else { Showing::Main }
            }
            _ if is_copy => Showing::Nothing,
            _ => Showing::Main,
        };
        Ok(Standing { shown, waiting })
    }

    /// Returns the late edit that shows in place of an entry whose own item is `main`.
    pub(crate) fn showing(
        &self,
        marks: &impl Marks,
        copies: Copies<'_>,
        at: &EntryRef,
        main: Option<ItemId>,
    ) -> Result<Option<&StoredEdit>> {
        if !self.by_entry.contains_key(at) {
            return Ok(None);
        }
        Ok(match self.standing(marks, copies, at, main)?.shown {
            Showing::Late(late) => late.stored,
            Showing::Main | Showing::Nothing => None,
        })
    }

    /// Returns what a write or a removal of an entry has decided on, which is to be marked: what showed
    /// there of other documents, and if the entry is removed, what waited.
    pub(crate) fn seen(
        &self,
        document: &Document,
        copies: Copies<'_>,
        at: &EntryRef,
        is_removed: bool,
    ) -> Result<Parts> {
        if !self.by_entry.contains_key(at) {
            return Ok(Parts::new());
        }
        let main = document.entry(&at.root, &at.key).map(|entry| entry.id);
        let Standing { shown, waiting } = self.standing(document, copies, at, main)?;
        let mut seen = Parts::new();
        if let Showing::Late(late) = shown {
            seen.extend(late.open);
        }
        // Once the row is removed, no edit of it is to come up again.
        if is_removed {
            seen.extend(waiting.into_iter().flat_map(|waiting| waiting.open));
        }
        // A decision on a row that a function made is about it, whichever migration has made it.
        Ok(seen.into_iter().map(Part::by_any_run).collect())
    }
}

/// Returns what stands under a key of a document, late edits included.
pub(crate) fn entry(
    document: &Document,
    late_edits: &LateEdits,
    copies: Copies<'_>,
    at: &EntryRef,
) -> Result<Option<Entry>> {
    let main = document.entry(&at.root, &at.key);
    let id = main.as_ref().map(|entry| entry.id);
    Ok(match late_edits.showing(document, copies, at, id)? {
        Some(stored) => Some(stored.entry_in(document, &at.root, &at.key)),
        None => main,
    })
}

/// Calls `visit` with everything that stands under a root, late edits included.
pub(crate) fn for_each<E: From<Error>>(
    document: &Document,
    late_edits: &LateEdits,
    copies: Copies<'_>,
    root: &str,
    mut visit: impl FnMut(&str, Entry) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    if late_edits.is_empty() {
        return document.for_each(root, visit);
    }
    let mut at = EntryRef::new(root, "");
    document.for_each(root, |key, main| {
        key.clone_into(&mut at.key);
        let showing = late_edits.showing(document, copies, &at, Some(main.id))?;
        visit(key, showing.map_or(main, |stored| stored.entry_in(document, root, key)))
    })?;
    for at in late_edits.entries().filter(|at| at.root == root) {
        if document.entry(root, &at.key).is_none()
            && let Some(entry) = entry(document, late_edits, copies, at)?
        {
            visit(&at.key, entry)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_edit_is_written_under_what_it_stands_for() {
        let json = r#"{"from":"0","of":["table:notes","a"],"raw":"{}","stopped":{"epoch":1,"root":"table:notes","key":"b","is_unseen":true}}"#;
        let edit = LateEdit::read(&Content::Text(json.into())).unwrap();
        assert_eq!(edit.of, EntryRef::new("table:notes", "a"));
        assert_eq!(edit.stopped_at.as_ref().map(|it| (it.epoch, it.is_unseen)), Some((1, true)));
        assert_eq!(edit.to_json().unwrap(), json);

        let text = r#"["table:notes","a",["0:7.3","0:7.4"]]"#;
        let key = LateEditKey::parse(text).unwrap();
        assert_eq!((key.at.root.as_str(), key.parts.len()), ("table:notes", 2));
        assert_eq!(key.to_text(), text);
        for text in [r#"["table:notes","a",["0:7.4","0:7.3"]]"#, r#"["table:notes","a",[]]"#] {
            assert_eq!(LateEditKey::parse(text), None, "{text}");
        }
    }
}

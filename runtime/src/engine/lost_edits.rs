//! Lost edits: what lost against another device's write or removal, kept until the app has decided.

use serde::{Deserialize, Serialize};

use super::documents::DocName;
use super::hub::{Change, ChangeKind, Origin, Topic};
use super::internal_writes::RootOp;
use super::open::Engine;
use super::part::Parts;
use super::write::not_loaded;
use super::writer::Writer;
use crate::disk::{Commit, StoredDocument};
use crate::doc::{At, Lost, LostCell, Root, give_up};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{CellWrite, Content, EntryRef, ItemId, overlay};

/// Of more than the bound, so many go at once, so that not every merge reads them all.
const ROOM: u64 = 64;

/// The key of a lost edit: its document, its root and key, and its item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "KeyParts", into = "KeyParts")]
pub(crate) struct LostKey {
    pub(crate) document: DocName,
    pub(crate) at: EntryRef,
    pub(crate) id: ItemId,
}

type KeyParts = (DocName, String, String, u64, u32);

impl From<KeyParts> for LostKey {
    fn from((document, root, key, client, clock): KeyParts) -> Self {
        Self { document, at: EntryRef { root, key }, id: ItemId { client, clock } }
    }
}

impl From<LostKey> for KeyParts {
    fn from(LostKey { document, at, id }: LostKey) -> Self {
        (document, at.root, at.key, id.client, id.clock)
    }
}

impl LostKey {
    fn new(document: DocName, (root, key): &At, id: ItemId) -> Self {
        Self { document, at: EntryRef::new(&**root, &**key), id }
    }

    fn to_text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| {
            Error::new(ErrorKind::Storage, "a lost edit does not serialize").because(error)
        })
    }
}

/// A lost edit as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LostValue {
    /// The JSON that it wrote.
    pub(crate) json: String,
    /// When it was noticed here, in milliseconds since 1970.
    pub(crate) at: u64,
    /// Which of those of one merge it is.
    pub(crate) nth: u32,
    /// Whether a removal has displaced it.
    pub(crate) is_removed: bool,
    /// The cell that it wrote, if it is an edit of a field: `json` is the row with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cell: Option<LostCell>,
    /// Whether it was listed before the merge, and the app has not decided since.
    #[serde(skip)]
    pub(crate) was_listed: bool,
}

/// A lost edit, and what stands in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LostEdit {
    pub(crate) key: LostKey,
    pub(crate) value: LostValue,
    /// The JSON that readers see under its key, and the device that wrote it.
    pub(crate) winner: Option<(u64, String)>,
}

impl Engine {
    /// Keeps what a merge has lost of a document, and forgets what is not lost any more. Returns the edits
    /// that are listed.
    pub(super) fn record_lost(
        &self,
        commit: &Commit,
        document: DocName,
        lost: &[Lost],
        found: &[(At, ItemId)],
    ) -> Result<Vec<(LostKey, LostValue)>> {
        let mut listed = Vec::new();
        if lost.is_empty() && found.is_empty() {
            return Ok(listed);
        }
        for (at, id) in found {
            commit.remove_lost(&LostKey::new(document, at, *id).to_text()?)?;
        }
        let at = u64::try_from(self.now()).unwrap_or_default();
        for (nth, Lost { at: entry, id, json, is_removed, was_listed, cell }) in (0..).zip(lost) {
            // The time of a change is nothing that a user wrote.
            if cell.as_ref().is_some_and(|cell| self.is_stamp(&entry.0, &cell.path)) {
                continue;
            }
            let key = LostKey::new(document, entry, *id);
            let text = key.to_text()?;
            // Listed before, and decided on since.
            if *was_listed && !commit.has_lost(&text)? {
                continue;
            }
            let (json, cell) = (json.clone(), cell.clone());
            let (is_removed, was_listed) = (*is_removed, *was_listed);
            let value = LostValue { json, at, nth, is_removed, cell, was_listed };
            commit.put_lost(&text, &super::store::to_json(&value)?)?;
            listed.push((key, value));
        }
        self.bound_lost(commit)?;
        Ok(listed)
    }

    /// Whether heirloom fills a field of a table with a time.
    pub(super) fn is_stamp(&self, root: &str, field: &str) -> bool {
        let table = root.strip_prefix("table:").and_then(|table| self.def.table_idx(table));
        let stamps = table.map_or(&[][..], |table_idx| self.def.tables[table_idx].stamps);
        stamps.iter().any(|stamp| stamp.field == field)
    }

    /// Forgets the oldest lost edits beyond the bound.
    fn bound_lost(&self, commit: &Commit) -> Result<()> {
        let max = self.settings.max_lost_edits;
        if commit.count_lost()? <= max {
            return Ok(());
        }
        let mut all: Vec<(Option<(u64, u32)>, String)> = Vec::new();
        for (key, value) in commit.lost()? {
            let value: Option<LostValue> = serde_json::from_slice(&value).ok();
            all.push((value.map(|value| (value.at, value.nth)), key));
        }
        all.sort_unstable();
        let kept = max.saturating_sub(ROOM.min(max / 2));
        let gone = all.len().saturating_sub(usize::try_from(kept).unwrap_or(usize::MAX));
        all.iter().take(gone).try_for_each(|(_, key)| commit.remove_lost(key).map(drop))
    }

    /// Forgets lost edits of another document that the current one has decided on.
    pub(crate) fn forget_lost(&self, writer: &mut Writer, decided: &[LostKey]) -> Result<()> {
        self.store(writer, |_, commit| {
            decided.iter().try_for_each(|key| commit.remove_lost(&key.to_text()?).map(drop))
        })
    }

    /// Notifies observers of lost edits, but not of those that a removal displaced.
    pub(crate) fn tell_lost(&self, lost: Vec<(LostKey, LostValue)>) -> Result<()> {
        let mut told = lost.into_iter().filter(|(_, value)| !value.is_removed).peekable();
        if told.peek().is_none() || !self.hub.listens(Topic::LostEdits) {
            return Ok(());
        }
        let mut changes = Vec::new();
        for (key, value) in told {
            let key_text = key.at.key.clone();
            let json = serde_json::to_string(&self.lost_edit(key, value)?).ok();
            changes.push(Change { key: key_text, kind: ChangeKind::Inserted, json });
        }
        let view = self.view();
        self.hub.push(Origin::Remote, [(Topic::LostEdits, changes)].into(), &view, || view.clone());
        Ok(())
    }

    /// A lost edit with what stands in its place. The edit of a field is shown as the row with it.
    fn lost_edit(&self, key: LostKey, mut value: LostValue) -> Result<LostEdit> {
        let winner = self.winner(&key)?;
        if let (Some(cell), Some((_, row))) = (&value.cell, &winner) {
            value.json = overlay(row, [(cell.path.as_str(), cell.json.as_str())]);
        }
        Ok(LostEdit { key, value, winner })
    }

    fn winner(&self, key: &LostKey) -> Result<Option<(u64, String)>> {
        let view = self.view();
        let name = view.document_name().to_owned();
        let entry = StoredDocument::new(view, &name).visible(&key.at.root, &key.at.key)?;
        Ok(entry.map(|entry| {
            let json = match entry.content {
                Content::Text(json) => json.to_string(),
                Content::Foreign(json) => json,
            };
            (entry.id.client, json)
        }))
    }

    /// The lost edits that the app has not decided on, the oldest first.
    pub(crate) fn lost_edits(&self) -> Result<Vec<LostEdit>> {
        let mut lost = Vec::new();
        for (key, value) in self.view().lost()? {
            let (Ok(key), Ok(value)) = (
                serde_json::from_str::<LostKey>(&key),
                serde_json::from_slice::<LostValue>(&value),
            ) else {
                // Of newer code.
                continue;
            };
            let lost_edit = self.lost_edit(key, value)?;
            // It was written again since, by this device or another.
            if lost_edit.winner.as_ref().is_none_or(|(_, json)| *json != lost_edit.value.json) {
                lost.push(lost_edit);
            }
        }
        lost.sort_by_key(|lost| (lost.value.at, lost.value.nth));
        Ok(lost)
    }

    /// Writes a lost edit again, in the place of what stands there, and forgets it.
    pub(crate) fn take_lost(&self, lost: &LostEdit) -> Result<()> {
        let (mut writer, text) = self.begin_decision(&lost.key)?;
        let LostKey { document, at, .. } = &lost.key;
        if document.epoch != writer.current.epoch {
            return Err(Error::new(
                ErrorKind::InvalidRow,
                "a lost edit of an earlier epoch cannot be written as it is",
            )
            .at_key(at.key.clone())
            .expecting(format!("an edit of epoch {}", writer.current.epoch))
            .finding(format!("one of epoch {}", document.epoch))
            .help(
                "write what is wanted of it with `put` or `update`, and `dismiss` the lost edit",
            ));
        }
        let Some(root) = Root::parse(&at.root) else { return Err(gone(&lost.key)) };
        let Some(loaded) = &writer.loaded else { return Err(not_loaded()) };
        let (document, late_edits) = (&loaded.document, &loaded.late_edits);
        // An edit of a field leaves open what shows of other fields.
        let is_field = lost.value.cell.is_some() && lost.winner.is_some();
        let seen = if is_field {
            Parts::new()
        } else {
            let copies = self.copies(writer.current, writer.claim());
            late_edits.seen(document, copies, at, false)?
        };
        let mut ops: Vec<RootOp> = seen.iter().map(RootOp::mark).collect();
        let json = lost.value.json.clone();
        ops.push(match &lost.value.cell {
            Some(cell) if cell.is_alone && lost.winner.is_none() => return Err(no_row(&lost.key)),
            Some(LostCell { path, json: cell, .. }) => {
                let set = CellWrite::Set { path: path.clone(), json: Some(cell.clone()) };
                RootOp::edit(root, at.key.clone(), vec![set], json)
            }
            None => RootOp::put(root, at.key.clone(), json),
        });
        writer.decided_lost = Some(text);
        let written = self.write_roots(&mut writer, &ops, Origin::Local);
        writer.decided_lost = None;
        drop(writer);
        self.hub.deliver();
        written.map(drop)
    }

    /// Forgets a lost edit; if it is one of this device, it is not written again.
    pub(crate) fn dismiss_lost(&self, lost: &LostEdit) -> Result<()> {
        let (mut writer, text) = self.begin_decision(&lost.key)?;
        let LostKey { document, at, id } = &lost.key;
        let is_current = *document == writer.current;
        let declared = self.declared(writer.current);
        let Some(loaded) = &writer.loaded else { return Err(not_loaded()) };
        let base = loaded.document.stored();
        self.store(&mut writer, |_, commit| {
            if is_current {
                let mut document = commit.document(&base, declared)?;
                give_up(&mut document, &at.root, &at.key, *id)?;
                document.finish()?;
            }
            commit.remove_lost(&text).map(drop)
        })
    }

    fn begin_decision(&self, key: &LostKey) -> Result<(super::lock::WriterGuard<'_>, String)> {
        self.refuse_if_read_only()?;
        let mut writer = self.lock_writer()?;
        self.load(&mut writer)?;
        let text = key.to_text()?;
        if !self.view().has_lost(&text)? {
            return Err(gone(key));
        }
        Ok((writer, text))
    }
}

impl Writer {
    /// Forgets the lost edit that the commit decides on.
    pub(super) fn forget_decided(&self, commit: &Commit) -> Result<()> {
        match &self.decided_lost {
            Some(text) => commit.remove_lost(text).map(drop),
            None => Ok(()),
        }
    }
}

fn no_row(key: &LostKey) -> Error {
    Error::new(ErrorKind::NotFound, "the row of a lost edit of a field was removed")
        .at_key(key.at.key.clone())
        .help("insert the row with the field in it, and `dismiss` the lost edit")
}

fn gone(key: &LostKey) -> Error {
    Error::new(ErrorKind::NotFound, "the lost edit was decided on already, or had to make room")
        .at_key(key.at.key.clone())
        .help("list the lost edits again")
}

//! Taking in what other devices have recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::compared::Compared;
use super::head_changes::{Changed, HeadChanges};
use super::recorded::{VERSIONS, read};
use super::refusal::{refuse_breaking, refuse_newer};
use crate::disk::{HEAD_DOCUMENT, Record, RecordKind, View};
use crate::doc::{Document, Root};
use crate::engine::claim::{Claim, EPOCHS};
use crate::engine::documents::DocName;
use crate::engine::exchange::merge_guarded;
use crate::engine::hub::{Change, ChangeKind, Origin, Topic};
use crate::engine::open::Engine;
use crate::engine::write::not_loaded;
use crate::engine::writer::Writer;
use crate::error::Result;
use crate::row::Content;
use crate::schema::{Standing, Version};

impl Engine {
    /// Takes in updates of the head document, all or none; tells whether a part of them waits.
    pub(crate) fn merge_head(&self, writer: &mut Writer, updates: &[&[u8]]) -> Result<bool> {
        self.load(writer)?;
        // Taken out, so that after an error, or a panic, it is loaded again.
        let Some(mut head) = writer.head.take() else { return Err(not_loaded()) };
        let mut changes = HeadChanges::default();
        let mut changed = BTreeMap::<Arc<str>, BTreeSet<Arc<str>>>::new();
        let mut is_of_own_id = false;
        for update in updates {
            let merged = merge_guarded(&mut head.document, update)?;
            is_of_own_id |= merged.is_of_own_id;
            for (root, keys) in merged.changed {
                changed.entry(root).or_default().extend(keys);
            }
            let kind = if merged.waits { RecordKind::Waiting } else { RecordKind::Remote };
            changes.records.extend(merged.record.map(|record| Record::encode(&record, kind)));
        }
        let pending = head.document.has_pending();
        if changes.records.is_empty() {
            writer.head = Some(head);
            return Ok(pending);
        }
        let view = self.view();
        changes.entries = changed_entries(&head.document, &view, &changed)?;
        let arrived = self.judge(writer, &view, &changes.entries)?;

        if is_of_own_id {
            // Another copy has written under our id, so this one is a restored backup.
            writer.device = Some(self.new_device());
            writer.unrecorded.device = true;
        }
        let claims = changed_claims(&changes.entries);
        (writer.head, writer.head_changes) = (Some(head), Some(changes));
        self.store(writer, None, |_| Ok(()), || Ok(Vec::new()))?;
        for (name, claim) in claims {
            writer.is_claim_new |= name == writer.current;
            match claim {
                Some(claim) => writer.claims.insert(name, claim),
                None => writer.claims.remove(&name),
            };
        }
        if is_of_own_id {
            // Under a new id the documents are loaded anew.
            writer.forget_loaded();
        }
        if !arrived.is_empty() && self.hub.listens(Topic::Schema) {
            self.hub.push(Origin::Remote, [(Topic::Schema, arrived)].into(), || self.view());
        }
        Ok(pending)
    }

    /// Refuses versions that the code must not meet; gives those that are new and came after it.
    fn judge(&self, writer: &mut Writer, view: &View, changed: &[Changed]) -> Result<Vec<Change>> {
        let changed: BTreeMap<&str, Option<&Content>> = changed
            .iter()
            .filter(|changed| changed.group == VERSIONS)
            .map(|changed| (&*changed.name, changed.entry.as_ref().map(|(_, content)| content)))
            .collect();
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let before = view.entries(HEAD_DOCUMENT, VERSIONS)?;
        let before: Vec<(&str, Version)> = before
            .iter()
            .filter_map(|(name, _, content)| Some((name.as_str(), read(name, content)?)))
            .collect();
        let known: BTreeSet<String> = before.iter().map(|(name, _)| (*name).to_owned()).collect();
        let kept = before.into_iter().filter(|(name, _)| !changed.contains_key(name));
        let now = changed.iter().filter_map(|(name, content)| read(name, (*content)?));
        let comparison =
            self.code.compare(kept.map(|(_, version)| version).chain(now).collect())?;
        refuse_breaking(&self.code, &comparison)?;

        let mut arrived = Vec::new();
        for (version, standing) in comparison.iter() {
            let is_newer = matches!(standing, Standing::Newer | Standing::NewerEpoch);
            if !is_newer || known.contains(version.fingerprint()) {
                continue;
            }
            if self.settings.refuse_newer_schema {
                return Err(refuse_newer(&self.code, version));
            }
            let json = serde_json::to_string(version).ok();
            let key = version.fingerprint().to_owned();
            arrived.push(Change { key, kind: ChangeKind::Inserted, json });
        }
        let compared = Compared::of(&self.code, &comparison);
        if writer.compared.as_ref() != Some(&compared) {
            writer.compared = Some(compared);
            writer.unrecorded.compared = true;
        }
        Ok(arrived)
    }
}

/// The claims among changed entries.
fn changed_claims(changed: &[Changed]) -> Vec<(DocName, Option<Claim>)> {
    let of_epochs = changed.iter().filter(|changed| changed.group == EPOCHS);
    let claims = of_epochs.filter_map(|changed| {
        let content = changed.entry.as_ref().map(|(_, content)| content);
        let read = content.and_then(|content| Claim::read(&changed.name, content));
        let name = DocName::parse(&changed.name)?;
        Some((name, read.map(|(_, claim)| claim)))
    });
    claims.collect()
}

/// The entries among those that may have changed that really did.
fn changed_entries(
    document: &Document,
    view: &View,
    changed: &BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
) -> Result<Vec<Changed>> {
    let mut entries = Vec::new();
    for (root, keys) in changed {
        let Some(Root::Group(group)) = Root::parse(root) else { continue };
        let before = view.entries(HEAD_DOCUMENT, &group)?;
        for key in keys {
            let entry = document.entry(root, key).map(|entry| (entry.id, entry.content));
            let was = before.iter().find(|(name, ..)| **name == **key).map(|(_, id, _)| *id);
            if was != entry.as_ref().map(|(id, _)| *id) {
                entries.push(Changed { group: group.clone(), name: key.to_string(), entry });
            }
        }
    }
    Ok(entries)
}

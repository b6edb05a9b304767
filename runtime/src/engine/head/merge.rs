//! Taking in what other devices have recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use super::compared::Compared;
use super::head_changes::Changed;
use super::recorded::{VERSIONS, read};
use super::refusal::{refuse_breaking, refuse_newer};
use crate::disk::{EntryChange, HEAD_DOCUMENT, StoredDocument, View};
use crate::doc::items::ReadItems;
use crate::doc::{Root, merge};
use crate::engine::claim::{Claim, EPOCHS};
use crate::engine::documents::DocName;
use crate::engine::hub::{Change, ChangeKind, Origin, Topic};
use crate::engine::open::Engine;
use crate::engine::writer::Writer;
use crate::error::Result;
use crate::row::Content;
use crate::schema::{Standing, Version};

impl Engine {
    /// Takes in updates of the head document, all or none; tells whether a part of them waits.
    pub(crate) fn merge_head(&self, writer: &mut Writer, updates: &[&[u8]]) -> Result<bool> {
        self.load(writer)?;
        let view = self.view();
        let base = StoredDocument::new(view.clone(), HEAD_DOCUMENT);
        let device = writer.device.unwrap_or_default();
        let merged = self.store_if(writer, |writer, commit| {
            let mut document = commit.document(&base, [].into())?;
            document.begin_merge(self.damage.of(HEAD_DOCUMENT));
            let (mut is_new, mut is_of_own_id) = (false, false);
            for update in updates {
                let merged = merge(&mut document, device.into(), update)?;
                is_new |= merged.is_new;
                is_of_own_id |= merged.is_of_own_id;
            }
            if !is_new {
                return Ok(None);
            }
            let pending = document.has_waiting()?;
            let changed = document.finish()?.into_iter().filter_map(changed_entry);
            let changed: Vec<Changed> = changed.collect();
            let arrived = self.judge(writer, &view, &changed)?;
            if is_of_own_id {
                // Another copy has written under our id, so this one is a restored backup.
                writer.renew_device(self.new_device());
            }
            Ok(Some((pending, arrived, changed_claims(&changed))))
        })?;
        let Some((pending, arrived, claims)) = merged else { return base.has_waiting() };
        self.frontiers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        for (name, claim) in claims {
            writer.is_claim_new |= name == writer.current;
            match claim {
                Some(claim) => writer.claims.insert(name, claim),
                None => writer.claims.remove(&name),
            };
        }
        if !arrived.is_empty() && self.hub.listens(Topic::Schema) {
            let view = self.view();
            self.hub
                .push(Origin::Remote, [(Topic::Schema, arrived)].into(), &view, || view.clone());
        }
        Ok(pending)
    }

    /// Refuses versions that the code must not meet; gives those that are new and came after it.
    fn judge(&self, writer: &mut Writer, view: &View, changed: &[Changed]) -> Result<Vec<Change>> {
        let changed: BTreeMap<&str, Option<&Content>> = changed
            .iter()
            .filter(|changed| changed.group == VERSIONS)
            .map(|changed| (&*changed.name, changed.content.as_ref()))
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
        let read = changed.content.as_ref().and_then(|content| Claim::read(&changed.name, content));
        let name = DocName::parse(&changed.name)?;
        Some((name, read.map(|(_, claim)| claim)))
    });
    claims.collect()
}

/// An entry of a group that has changed.
fn changed_entry(change: EntryChange) -> Option<Changed> {
    let Some(Root::Group(group)) = Root::parse(&change.root).filter(|_| change.is_visible) else {
        return None;
    };
    let content = change.now.map(|(_, content)| content);
    Some(Changed { group, name: change.key.to_string(), content })
}

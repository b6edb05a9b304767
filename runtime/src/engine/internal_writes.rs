//! Writes to a document that are not a transaction of the app's, and what a change of it means for the
//! late edits that it carries.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::late_edits::{LateEditKey, LateEdits, are_later};
use super::loaded::Loaded;
use super::write::refused;
use crate::disk::{Record, RecordKind};
use crate::doc::{ChangedKeys, Op, Root};
use crate::error::Result;

/// What is to stand under a key of a root map; `None` removes it.
pub(crate) type RootOp = (Root, String, Option<String>);

/// What has changed of the late edits that a document carries.
#[derive(Debug, Default)]
pub(crate) struct LateEditChanges {
    /// Those that changed, or were resolved.
    pub(crate) late_edits: Vec<LateEditKey>,
    /// Entries about them that older ones have taken the place of, to be written again: two devices had
    /// each written theirs, and the document has kept the one of the device that knew less.
    pub(crate) outrun: Vec<RootOp>,
}

impl Loaded {
    /// Writes to the document in memory, and adds the keys to those that have changed; gives the
    /// record for the log, where there is anything to write.
    pub(crate) fn write(
        &mut self,
        ops: &[RootOp],
        changed: &mut ChangedKeys,
    ) -> Result<Option<Vec<u8>>> {
        if ops.is_empty() {
            return Ok(None);
        }
        let (mut roots, mut written) = (Vec::<Root>::new(), Vec::new());
        for (root, key, value) in ops {
            let known = roots.iter().position(|known| known == root);
            let index = known.unwrap_or_else(|| {
                roots.push(root.clone());
                roots.len() - 1
            });
            written.push(Op { root: index, key, value: value.as_deref() });
            changed.entry(root.name().into()).or_default().insert(key.as_str().into());
        }
        let write = || self.document.write(&roots, &written);
        let update = catch_unwind(AssertUnwindSafe(write)).map_err(|_| refused())?;
        for (root, key, _) in ops {
            if matches!(root, Root::Forwarded | Root::Settled) {
                self.update_late_edit(root, key, changed);
            }
        }
        Ok(Some(Record::encode(&update, RecordKind::Local)))
    }

    /// Brings what is known of late edits up to date with what has changed in the document, and adds
    /// the keys where they show.
    pub(crate) fn update_late_edits(&mut self, changed: &mut ChangedKeys) -> LateEditChanges {
        let mut changes = LateEditChanges::default();
        for root in [Root::Forwarded, Root::Settled] {
            for key in changed.get(root.name().as_str()).cloned().unwrap_or_default() {
                let edit_key = LateEditKey::parse(&key);
                let entry_of = |late_edits: &LateEdits| {
                    let (items, json) = late_edits.entry_of(&root, edit_key.as_ref()?)?;
                    Some((items.to_vec(), json))
                };
                let before = entry_of(&self.late_edits);
                self.update_late_edit(&root, &key, changed);
                if let (Some((ours, json)), Some((theirs, _))) =
                    (before, entry_of(&self.late_edits))
                    && are_later(&ours, &theirs)
                {
                    changes.outrun.push((root.clone(), key.to_string(), Some(json)));
                }
                changes.late_edits.extend(edit_key);
            }
        }
        changes
    }

    fn update_late_edit(&mut self, root: &Root, key: &str, changed: &mut ChangedKeys) {
        let entry = self.document.entry(&root.name(), key);
        // A late edit shows elsewhere than where it is kept.
        if let Some(at) = self.late_edits.update(root, key, entry.as_ref()) {
            changed.entry(at.root.as_str().into()).or_default().insert(at.key.as_str().into());
        }
    }
}

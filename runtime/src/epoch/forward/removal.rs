//! Rows that are gone where they came from.

use super::{Carrying, Outcome};
use crate::doc::Root;
use crate::engine::{DocName, SlotKey};
use crate::error::Result;
use crate::row::{Content, ItemId};

impl Carrying<'_> {
    /// Takes back what was carried of an entry that is gone there; false where it was written again
    /// there, which this copy has not heard of.
    pub(super) fn forget_carried(&mut self, root: &str, key: &str) -> bool {
        let of = (root.to_owned(), key.to_owned());
        let slots = &self.into.loaded.slots;
        let carried = slots.made_of(self.from.name, &of);
        let is_known =
            |key: &SlotKey| slots.get(key).is_some_and(|held| self.has_all(&held.slot.items));
        if !carried.iter().all(is_known) {
            return false;
        }
        self.ops.extend(carried.iter().map(|key| (Root::Forwarded, key.to_text(), None)));
        true
    }

    pub(super) fn carry_removal(
        &mut self,
        root: &str,
        key: &str,
        was: Option<String>,
    ) -> Result<()> {
        let Some(Root::Table(table)) = Root::parse(root).filter(|_| self.trusts_absence) else {
            return Ok(());
        };
        for (target, target_key) in self.removed_here(&table, key, was)? {
            let target = target.name();
            self.settle_known(&target, &target_key);
            let Some(id) = self.into.main(&target, &target_key) else { continue };
            if self.came_from_there(&target, &target_key, id) {
                let Some(root) = Root::parse(&target) else { continue };
                self.ops.push((root, target_key, None));
            }
        }
        Ok(())
    }

    /// Settles the late edits of other documents that who removed a row there knew.
    pub(super) fn settle_known(&mut self, root: &str, key: &str) {
        let open: Vec<(DocName, Vec<(u64, u32)>)> = self
            .into
            .loaded
            .slots
            .open(root, key)
            .into_iter()
            .filter(|(source, _)| *source < self.from.name)
            .map(|(source, held)| (source, held.slot.items.clone()))
            .collect();
        for (source, items) in open {
            let ids: Vec<ItemId> = items
                .iter()
                .map(|(client, clock)| ItemId { client: *client, clock: *clock })
                .collect();
            let rejected = SlotKey { source, root: root.to_owned(), key: key.to_owned() };
            let quarantine = Root::Quarantine.name();
            let was_rejected = self.from.loaded.document.entry_in(&quarantine, &rejected.to_text());
            if !was_rejected && self.knows(self.from.name, source, root, key, &ids) {
                self.settle(&rejected, &items);
            }
        }
    }

    /// Where a row that is gone there stood here.
    pub(super) fn removed_here(
        &self,
        table: &str,
        key: &str,
        was: Option<String>,
    ) -> Result<Vec<(Root, String)>> {
        let root = Root::Table(table.to_owned());
        if self.plan.is_identity() {
            return Ok(vec![(root, key.to_owned())]);
        }
        let mut found = Vec::new();
        for now in self.plan.to.tables {
            let later = self.plan.earlier_table(now.name);
            if let Some((earlier, true)) = later.filter(|(earlier, _)| earlier.name == table) {
                let target = Root::Table(now.name.to_owned());
                let _ = earlier;
                let key = self.later_key(&target, key);
                found.push((target, key));
            }
        }
        if found.is_empty()
            && let Some(json) = was
        {
            let nobody = ItemId { client: 0, clock: 0 };
            let content = Content::Text(json.into());
            let converted = self.convert(&root.name(), key, nobody, content)?;
            // What a `migrate` function made may belong to other rows, too.
            let own = converted
                .into_iter()
                .filter(|late| matches!(late.outcome, Outcome::Value(_)) && !late.is_made);
            found.extend(own.map(|late| (late.root, late.key)));
        }
        Ok(found)
    }

    /// Whether an entry here is nothing but what stood there.
    pub(super) fn came_from_there(&self, root: &str, key: &str, id: ItemId) -> bool {
        let Some(claim) = self.into.claim else { return false };
        let Some(origin) = claim.origin(id).and_then(DocName::parse) else { return false };
        let from = self.from.name;
        if origin == from {
            return true;
        }
        if origin > from {
            return false;
        }
        // A document that was migrated from the same one had the row, too, unless it could not be
        // converted there.
        let rejected = SlotKey { source: origin, root: root.to_owned(), key: key.to_owned() };
        let quarantine = Root::Quarantine.name();
        let was_rejected =
            self.from.loaded.document.entry(&quarantine, &rejected.to_text()).is_some();
        !was_rejected && self.from.claim.is_some() && self.knew_origin(origin, root, key)
    }
}

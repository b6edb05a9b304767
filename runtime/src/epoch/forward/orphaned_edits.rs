//! Late edits that are kept in a document, and whose own document is not here any more.

use super::{Carrying, Late, Outcome};
use crate::doc::Root;
use crate::engine::{SlotKey, Stood};
use crate::error::Result;
use crate::row::{Content, ItemId};
use crate::schema::step::Entries;

impl Carrying<'_> {
    /// Carries a late edit that is kept there, where the document that it was made in is not here.
    pub(super) fn carry_lost(&mut self, slot: &SlotKey) -> Result<()> {
        let Some(held) = self.from.loaded.slots.get(slot) else { return Ok(()) };
        let kept = held.slot.clone();
        let settled = self.from.loaded.slots.settled(slot);
        if settled.is_some_and(|settled| settled.items == kept.items)
            || self.has_items(slot.source, &kept.items)
            || self.covers(slot.source, &kept.items)
        {
            return Ok(());
        }
        let items: Vec<ItemId> = kept
            .items
            .iter()
            .map(|(client, clock)| ItemId { client: *client, clock: *clock })
            .collect();
        let run = SlotKey::new(slot.source, format!("run:{}", slot.root), slot.key.clone());
        let has_run =
            self.into.loaded.slots.settled(&run).is_some_and(|run| run.items == kept.items);
        if self.plan.has_migrate() && has_run {
            return Ok(());
        }
        let made = match (&kept.value, items.first()) {
            (Some(value), Some(id)) if !self.plan.is_identity() => {
                self.convert_kept(slot, value, *id)?
            }
            _ => {
                let here = self.plan.later_place(&slot.root, &slot.key);
                let (root, key) = here.unwrap_or_else(|| (slot.root.clone(), slot.key.clone()));
                let Some(root) = Root::parse(&root) else { return Ok(()) };
                let outcome = match &kept.value {
                    Some(value) => Outcome::Value(value.clone()),
                    None => Outcome::Rejected {
                        reason: kept.reason.clone().unwrap_or_default(),
                        raw: kept.raw.clone().unwrap_or_default(),
                        stood: kept.stood.clone(),
                    },
                };
                let (source, of, is_made) = (slot.source, kept.of.clone(), kept.made);
                vec![Late { source, root, key, of, items: items.clone(), outcome, is_made }]
            }
        };
        for late in made {
            let late =
                Late { source: slot.source, of: kept.of.clone(), items: items.clone(), ..late };
            self.settle_or_set(&late);
            self.review(&late.root.name(), &late.key);
        }
        if self.plan.has_migrate() {
            self.settle(&run, &kept.items);
        }
        Ok(())
    }

    /// What a late edit that is kept there becomes here.
    fn convert_kept(&self, slot: &SlotKey, value: &str, id: ItemId) -> Result<Vec<Late>> {
        let mut made = self.convert_value(slot, value, id)?;
        for late in &mut made {
            if let Outcome::Rejected { stood, .. } = &mut late.outcome {
                let (root, key) = (slot.root.clone(), slot.key.clone());
                let epoch = self.from.name.epoch;
                stood.get_or_insert(Stood { epoch, root, key, is_unseen: false });
            }
        }
        Ok(made)
    }

    fn convert_value(&self, slot: &SlotKey, value: &str, id: ItemId) -> Result<Vec<Late>> {
        if let Some(Root::Group(name)) = Root::parse(&slot.root)
            && let Some(at) = self.plan.from.groups.iter().position(|group| group.name == name)
        {
            let entries = Entries::from([(slot.key.clone(), value.to_owned())]);
            return self.run_group(at, &name, &entries);
        }
        self.convert(&slot.root, &slot.key, id, Content::Text(value.into()))
    }
}

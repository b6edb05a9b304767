//! Late edits that are kept in a document, and whose own document is not here any more.

use super::{Carrying, Late, Outcome};
use crate::doc::Root;
use crate::engine::{LateEditKey, Stood};
use crate::error::Result;
use crate::row::{Content, ItemId};
use crate::schema::step::Entries;

impl Carrying<'_> {
    /// Carries a late edit that is kept there, where the document that it was made in is not here.
    pub(super) fn carry_lost(&mut self, at: &LateEditKey) -> Result<()> {
        let Some(held) = self.from.loaded.late_edits.get(at) else { return Ok(()) };
        let kept = held.edit.clone();
        let resolution = self.from.loaded.late_edits.resolution(at);
        if resolution.is_some_and(|resolution| resolution.items == kept.items)
            || self.has_items(at.source, &kept.items)
            || self.covers(at.source, &kept.items)
        {
            return Ok(());
        }
        let items: Vec<ItemId> = kept
            .items
            .iter()
            .map(|(client, clock)| ItemId { client: *client, clock: *clock })
            .collect();
        let run = LateEditKey::new(at.source, format!("run:{}", at.root), at.key.clone());
        let has_run =
            self.into.loaded.late_edits.resolution(&run).is_some_and(|run| run.items == kept.items);
        if self.plan.has_migrate() && has_run {
            return Ok(());
        }
        let made = match (&kept.value, items.first()) {
            (Some(value), Some(id)) if !self.plan.is_identity() => {
                self.convert_kept(at, value, *id)?
            }
            _ => {
                let here = self.plan.later_place(&at.root, &at.key);
                let (root, key) = here.unwrap_or_else(|| (at.root.clone(), at.key.clone()));
                let Some(root) = Root::parse(&root) else { return Ok(()) };
                let outcome = match &kept.value {
                    Some(value) => Outcome::Value(value.clone()),
                    None => Outcome::Rejected {
                        reason: kept.reason.clone().unwrap_or_default(),
                        raw: kept.raw.clone().unwrap_or_default(),
                        stood: kept.stood.clone(),
                    },
                };
                let (source, of, is_made) = (at.source, kept.of.clone(), kept.made);
                vec![Late { source, root, key, of, items: items.clone(), outcome, is_made }]
            }
        };
        for late in made {
            let late =
                Late { source: at.source, of: kept.of.clone(), items: items.clone(), ..late };
            self.resolve_or_store(&late);
            self.review(&late.root.name(), &late.key);
        }
        if self.plan.has_migrate() {
            self.resolve(&run, &kept.items);
        }
        Ok(())
    }

    /// What a late edit that is kept there becomes here.
    fn convert_kept(&self, key: &LateEditKey, value: &str, id: ItemId) -> Result<Vec<Late>> {
        let mut made = self.convert_value(key, value, id)?;
        for late in &mut made {
            if let Outcome::Rejected { stood, .. } = &mut late.outcome {
                let (root, key) = (key.root.clone(), key.key.clone());
                let epoch = self.from.name.epoch;
                stood.get_or_insert(Stood { epoch, root, key, is_unseen: false });
            }
        }
        Ok(made)
    }

    fn convert_value(&self, key: &LateEditKey, value: &str, id: ItemId) -> Result<Vec<Late>> {
        if let Some(Root::Group(name)) = Root::parse(&key.root)
            && let Some(at) = self.plan.from.group_idx(&name)
        {
            let entries = Entries::from([(key.key.clone(), value.to_owned())]);
            return self.run_group(at, &name, &entries);
        }
        self.convert(&key.root, &key.key, id, Content::Text(value.into()))
    }
}

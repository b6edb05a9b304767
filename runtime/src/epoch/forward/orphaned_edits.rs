//! Late edits that a document carries, and whose own document is not here any more.

use super::rows::run_entry;
use super::{Carrying, Late, Outcome};
use crate::doc::Root;
use crate::engine::{LateEditKey, StoppedAt};
use crate::error::Result;
use crate::row::{Content, EntryRef, ItemId};
use crate::schema::step::Entries;

impl Carrying<'_> {
    /// Carries a late edit of the other document if the one that it was made in is not here.
    pub(super) fn carry_orphan(&mut self, key: &LateEditKey) -> Result<()> {
        let LateEditKey { source, at, .. } = key;
        let Some(stored) = self.from.loaded.late_edits.get(key) else { return Ok(()) };
        let edit = stored.edit.clone();
        let resolution = self.from.loaded.late_edits.resolution(key);
        if resolution.is_some_and(|resolution| resolution.items == edit.items)
            || self.has_items(*source, &edit.items)
            || self.covers(*source, &edit.items)
        {
            return Ok(());
        }
        let run = LateEditKey::new(*source, run_entry(at));
        let has_run =
            self.into.loaded.late_edits.resolution(&run).is_some_and(|run| run.items == edit.items);
        if self.plan.has_migrate() && has_run {
            return Ok(());
        }
        let made = match (&edit.value, edit.items.first()) {
            (Some(value), Some(id)) if !self.plan.is_identity() => {
                self.convert_late(at, value, *id)?
            }
            _ => {
                let here = self.plan.later_entry(at).unwrap_or_else(|| at.clone());
                let Some(root) = Root::parse(&here.root) else { return Ok(()) };
                let outcome = match &edit.value {
                    Some(value) => Outcome::Value(value.clone()),
                    None => Outcome::Rejected {
                        reason: edit.reason.clone().unwrap_or_default(),
                        raw: edit.raw.clone().unwrap_or_default(),
                        stopped_at: edit.stopped_at.clone(),
                    },
                };
                vec![Late {
                    source: *source,
                    root,
                    key: here.key,
                    of: edit.of.clone(),
                    items: edit.items.clone(),
                    outcome,
                    is_made: edit.made,
                }]
            }
        };
        for late in made {
            let (of, items) = (edit.of.clone(), edit.items.clone());
            let late = Late { source: *source, of, items, ..late };
            self.resolve_or_store(&late);
            self.review(&late.at());
        }
        if self.plan.has_migrate() {
            self.resolve(&run, &edit.items);
        }
        Ok(())
    }

    /// What a late edit of the other document becomes here.
    fn convert_late(&self, at: &EntryRef, value: &str, id: ItemId) -> Result<Vec<Late>> {
        let mut made = self.convert_value(at, value, id)?;
        for late in &mut made {
            if let Outcome::Rejected { stopped_at, .. } = &mut late.outcome {
                stopped_at.get_or_insert_with(|| StoppedAt::new(self.from.name.epoch, at.clone()));
            }
        }
        Ok(made)
    }

    fn convert_value(&self, at: &EntryRef, value: &str, id: ItemId) -> Result<Vec<Late>> {
        if let Some(Root::Group(name)) = Root::parse(&at.root)
            && let Some(group_idx) = self.plan.from.group_idx(&name)
        {
            let entries = Entries::from([(at.key.clone(), value.to_owned())]);
            return self.run_group(group_idx, &name, &entries);
        }
        self.convert(at, &[id], Content::Text(value.into()))
    }
}

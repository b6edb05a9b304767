//! Late edits of kv groups, whose entries are converted together.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::LateSink;
use super::{Carrying, DocRef, Late, Outcome};
use crate::doc::Root;
use crate::engine::{CopySource, LateEdit, LateEditKey, RootOp, StoredEdit, late_edits};
use crate::epoch::convert::{convert_group, prepare};
use crate::epoch::sink::describe;
use crate::epoch::source::{RowsOf, Source};
use crate::error::Result;
use crate::row::{Content, EntryRef, ItemId};
use crate::schema::descriptor::GroupIdx;
use crate::schema::step::Entries;

impl Carrying<'_> {
    /// Entries of a group are converted together: late is what comes out otherwise with the late
    /// ones than without.
    pub(super) fn carry_group(&mut self, name: &str) -> Result<()> {
        let root = Root::Group(name.to_owned()).name();
        let mut late_ids = BTreeMap::<String, ItemId>::new();
        let mut foreign = Vec::new();
        self.from.loaded.document.for_each(&root, |key, entry| {
            if self.is_late(entry.id) {
                match entry.content {
                    Content::Text(_) => {
                        late_ids.insert(key.to_owned(), entry.id);
                    }
                    Content::Foreign(raw) => foreign.push((key.to_owned(), entry.id, raw)),
                }
            }
            Ok::<(), crate::Error>(())
        })?;
        let mut all = Entries::new();
        let DocRef { loaded, claim, .. } = self.from;
        late_edits::for_each(&loaded.document, &loaded.late_edits, claim, &root, |key, entry| {
            if let Content::Text(json) = entry.content {
                all.insert(key.to_owned(), json.to_string());
            }
            Ok::<(), crate::Error>(())
        })?;
        let group_idx = self.plan.from.group_idx(name);
        let stretch = match (self.plan.stretches.as_slice(), group_idx) {
            ([stretch], Some(group_idx)) if stretch.migrate.is_none() => Some((stretch, group_idx)),
            // What its code does not know, or knows as it is here.
            ([], _) | (_, None) => None,
            (_, Some(group_idx)) => {
                return self.carry_group_alone(group_idx, name, &late_ids, &all);
            }
        };
        let Some((stretch, group_idx)) = stretch else {
            let late = late_ids.keys().cloned().collect();
            self.carry_resets(name, &all.keys().cloned().collect(), &late)?;
            for (key, id) in &late_ids {
                let value = all.get(key).cloned().unwrap_or_default();
                self.resolve_or_store(&Late {
                    source: self.from.name,
                    root: Root::Group(name.to_owned()),
                    key: key.clone(),
                    of: EntryRef::new(root.as_str(), key.as_str()),
                    items: vec![*id],
                    outcome: Outcome::Value(value),
                    is_made: false,
                });
            }
            return Ok(());
        };
        let early: Entries = all
            .iter()
            .filter(|(key, _)| !late_ids.contains_key(*key))
            .map(|(key, json)| (key.clone(), json.clone()))
            .collect();
        let routes: Vec<_> =
            stretch.groups.iter().filter(|route| route.from == group_idx).copied().collect();
        for route in routes {
            let now = &stretch.to.groups[route.to];
            let with = convert_group(now, route.conversions, &all)?;
            let without = convert_group(now, route.conversions, &early)?;
            let items: Vec<ItemId> = late_ids.values().copied().collect();
            let failed = with.failures.iter().map(|(key, _)| key);
            let set = with.entries.keys().chain(failed).cloned().collect();
            let is_late =
                |(key, value): &(&String, &String)| without.entries.get(*key) != Some(*value);
            let made = with.entries.iter().filter(is_late).map(|(key, _)| key);
            let failed = with.failures.iter().map(|(key, _)| key);
            let late = made.chain(failed.filter(|key| late_ids.contains_key(*key)));
            self.carry_resets(now.name, &set, &late.cloned().collect())?;
            for (key, value) in with.entries {
                if without.entries.get(&key) == Some(&value) {
                    continue;
                }
                let target = Root::Group(now.name.to_owned());
                let (of, items) = self.made_of(&root, &target, &key, &late_ids, &items);
                let outcome = Outcome::Value(value);
                self.resolve_or_store(&Late {
                    source: self.from.name,
                    root: target,
                    key,
                    of,
                    items,
                    outcome,
                    is_made: false,
                });
            }
            for (key, failure) in with.failures {
                let Some(id) = late_ids.get(&key) else { continue };
                let raw = all.get(&key).cloned().unwrap_or_default();
                let target = Root::Group(now.name.to_owned());
                self.resolve_or_store(&Late {
                    source: self.from.name,
                    root: target,
                    of: EntryRef::new(root.as_str(), key.as_str()),
                    key,
                    items: vec![*id],
                    outcome: Outcome::Rejected {
                        reason: describe(&failure),
                        raw,
                        stopped_at: None,
                    },
                    is_made: false,
                });
            }
        }
        for (key, id, raw) in foreign {
            let reason = "another program stored something other than JSON text".to_owned();
            self.resolve_or_store(&Late {
                source: self.from.name,
                root: Root::Group(name.to_owned()),
                of: EntryRef::new(root.as_str(), key.as_str()),
                key,
                items: vec![id],
                outcome: Outcome::Rejected { reason, raw, stopped_at: None },
                is_made: false,
            });
        }
        Ok(())
    }

    /// Takes the late entries of a group alone through a plan with `migrate` functions.
    pub(super) fn carry_group_alone(
        &mut self,
        group_idx: GroupIdx,
        name: &str,
        late: &BTreeMap<String, ItemId>,
        all: &Entries,
    ) -> Result<()> {
        let of = EntryRef::new(Root::Group(name.to_owned()).name(), "");
        let early: Entries = all
            .iter()
            .filter(|(key, _)| !late.contains_key(*key))
            .map(|(key, json)| (key.clone(), json.clone()))
            .collect();
        let with = self.run_group(group_idx, name, all)?;
        let without = self.run_group(group_idx, name, &early)?;
        let is_late = |made: &&Late| {
            !without.iter().any(|other| {
                (&other.root, &other.key, &other.outcome) == (&made.root, &made.key, &made.outcome)
            })
        };
        for route in self.routes_of(group_idx) {
            let root = Root::Group(route.to_owned());
            let keys = |made: &[&Late]| made.iter().map(|made| made.key.clone()).collect();
            let made: Vec<&Late> = with.iter().filter(|made| made.root == root).collect();
            let set: BTreeSet<String> = keys(&made);
            let late: BTreeSet<String> =
                keys(&made.into_iter().filter(is_late).collect::<Vec<_>>());
            self.carry_resets(route, &set, &late)?;
        }
        let items: Vec<ItemId> = late.values().copied().collect();
        let is_late: Vec<bool> = with.iter().map(|made| is_late(&made)).collect();
        let holds_older = |(entry, id): (&String, &ItemId)| {
            self.holds_older(&EntryRef::new(of.root.as_str(), entry.as_str()), &[*id])
        };
        let is_unknown = !self.has_run(&of, &items)
            || late.iter().any(holds_older)
            || self.holds_older(&of, &items);
        if late.is_empty() || !is_unknown {
            return Ok(());
        }
        let mut is_outdated = false;
        for (mut made, _) in with.into_iter().zip(is_late).filter(|(_, is_late)| *is_late) {
            (made.of, made.items) = self.made_of(&of.root, &made.root, &made.key, late, &items);
            is_outdated |= self.is_outdated(&made);
            self.resolve_or_store(&made);
        }
        if !is_outdated {
            let key = self.run_key(&of);
            self.resolve(&key, &items);
        }
        Ok(())
    }

    /// The groups here that go on from a group there.
    fn routes_of(&self, group_idx: GroupIdx) -> Vec<&'static str> {
        let name = self.plan.from.groups[group_idx].name;
        let groups = self.plan.to.groups.iter().map(|group| group.name);
        let follows = |now: &&str| self.plan.earlier_group(now) == Some(name);
        groups.filter(follows).collect()
    }

    /// Which late entry something was made of; where that is not clear, all of them.
    fn made_of(
        &self,
        root: &str,
        target: &Root,
        key: &str,
        late: &BTreeMap<String, ItemId>,
        all: &[ItemId],
    ) -> (EntryRef, Vec<ItemId>) {
        match self.entry_in(self.from.name, &EntryRef::new(target.name(), key)) {
            Some(there) if there.root == root => {
                let own = late.get(&there.key).map(|id| vec![*id]);
                (there, own.unwrap_or_else(|| all.to_vec()))
            }
            _ => (EntryRef::new(root, ""), all.to_vec()),
        }
    }

    /// What a plan with `migrate` functions makes of the entries of one group.
    pub(super) fn run_group(
        &self,
        group_idx: GroupIdx,
        name: &str,
        entries: &Entries,
    ) -> Result<Vec<Late>> {
        let of = EntryRef::new(Root::Group(name.to_owned()).name(), "");
        let no_item = ItemId { client: 0, clock: 0 };
        let rows = RowsOf::Group(group_idx, entries.clone());
        let alone = Source::new(self.from.name, None, self.plan.from, rows, &BTreeMap::new())?;
        let mut sink = LateSink {
            source: self.from.name,
            plan: self.plan,
            of: &of,
            items: &[no_item],
            late: Vec::new(),
        };
        let report = |_| {};
        prepare(self.plan, alone, false, &report, &mut sink)?.pour(&mut sink)?;
        Ok(sink.late)
    }

    /// Entries of a group here that came from there, and are reset there: those that are set come
    /// to `set`, and of those to `late` what is late.
    pub(super) fn carry_resets(
        &mut self,
        name: &str,
        set: &BTreeSet<String>,
        late: &BTreeSet<String>,
    ) -> Result<()> {
        if !self.trusts_absence {
            return Ok(());
        }
        let root = Root::Group(name.to_owned());
        let root_name = root.name();
        let from = CopySource::Document(self.from.name);
        let mut copies = Vec::new();
        self.into.loaded.document.for_each::<crate::Error>(&root_name, |key, entry| {
            copies.push((key.to_owned(), self.into.copy_source(entry.id) == Some(from)));
            Ok(())
        })?;
        for (key, came_from_there) in copies {
            if came_from_there && !set.contains(&key) {
                self.ops.push(RootOp::remove(root.clone(), key));
            } else {
                self.review(&EntryRef::new(root_name.as_str(), key));
            }
        }
        let late_edits = &self.into.loaded.late_edits;
        // What the migration has taken over as it was is not late any more.
        let is_taken_over = |at: &EntryRef| {
            let edit_key = LateEditKey::new(self.from.name, at.clone());
            let (Some(claim), Some(stored)) = (self.into.claim, late_edits.get(&edit_key)) else {
                return false;
            };
            stored.edit.items.iter().all(|id| claim.covers(self.from.name, *id))
        };
        let is_copy =
            |edit: &LateEdit| edit.items.iter().any(|id| self.from.copy_source(*id).is_some());
        let gone: Vec<String> = late_edits
            .entries(&root_name)
            .filter(|at| !(late.contains(&at.key) || set.contains(&at.key) && is_taken_over(at)))
            .map(|at| LateEditKey::new(self.from.name, at.clone()))
            .filter(|key| {
                late_edits.get(key).is_some_and(|StoredEdit { edit, .. }| {
                    self.has_items(self.from.name, &edit.items) && !is_copy(edit)
                })
            })
            .map(|key| key.to_text())
            .collect();
        for key in gone {
            self.ops.push(RootOp::remove(Root::Forwarded, key));
        }
        let others: Vec<EntryRef> = late_edits.entries(&root_name).cloned().collect();
        for at in others {
            self.review(&at);
        }
        Ok(())
    }
}

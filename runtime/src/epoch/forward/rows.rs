//! Late edits of rows: what becomes of each here.

use std::collections::BTreeMap;

use super::{Carrying, Late, Outcome};
use crate::doc::Root;
use crate::engine::{CopySource, DocName, LateEditKey, RootOp, StoredEdit};
use crate::epoch::carry_over::quarantined;
use crate::epoch::convert::{NewRow, Rejected, Sink, convert_row, prepare, text_of};
use crate::epoch::plan::Plan;
use crate::epoch::sink::describe;
use crate::epoch::source::{RowsOf, Source, SourceRow};
use crate::error::Result;
use crate::row::{Content, EntryRef, ItemId, renamed};
use crate::schema::descriptor::{GroupIdx, TableIdx};

impl Carrying<'_> {
    /// Brings what stands here because of a row there up to date with it.
    pub(super) fn carry_row(&mut self, of: &EntryRef, was: Option<String>) -> Result<()> {
        let entry = self.from.loaded.document.entry(&of.root, &of.key);
        let main = entry.as_ref().map(|entry| entry.id);
        let is_there = main.is_some();
        // A row is late if it is, or one of its cells.
        let mut items = if is_there { self.from.items(of) } else { Vec::new() };
        items.retain(|id| self.is_late(*id));
        let is_late = !items.is_empty();
        if let Some(entry) = entry.filter(|_| is_late) {
            // What a `migrate` function makes of an edit is written once.
            if !self.plan.has_migrate() || self.is_unknown(of, &items) {
                self.is_of_known_row = self.came_unchanged(of);
                let made = self.convert(of, &items, entry.content)?;
                let is_outdated = made.iter().any(|late| self.is_outdated(late));
                for late in made {
                    self.resolve_or_store(&late);
                    self.review(&late.at());
                }
                self.is_of_known_row = false;
                if self.plan.has_migrate() && !is_outdated {
                    let key = self.run_key(of);
                    self.resolve(&key, &items);
                }
                return Ok(());
            }
        }
        let carried = self.into.loaded.late_edits.made_in(self.from.name, of);
        if !is_there && !self.forget_carried(&carried) {
            return Ok(());
        }
        // What stands there as the migration knew it has prevailed over what was written beside it.
        if is_there && !is_late {
            let is_other = |key: &&LateEditKey| {
                let stored = self.into.loaded.late_edits.get(key);
                stored.is_some_and(|stored| !self.stands_there(of, &stored.edit.items))
            };
            let others: Vec<LateEditKey> = carried.iter().filter(is_other).cloned().collect();
            self.forget_carried(&others);
        }
        for key in carried {
            self.review(&key.at);
        }
        if let Some(Root::Table(table)) = Root::parse(&of.root) {
            for (root, key) in self.rows_here(&table, &of.key, was.filter(|_| !is_there))? {
                let at = EntryRef::new(root.name(), key.as_str());
                let is_copy =
                    self.into.source_of(&at) == Some(CopySource::Document(self.from.name));
                if !is_there && is_copy && self.trusts_absence {
                    self.ops.push(RootOp::remove(root, key));
                }
                self.review(&at);
            }
        }
        Ok(())
    }

    /// Takes back what was carried of an entry that is gone there; false where it was written again
    /// there, which this copy has not heard of.
    fn forget_carried(&mut self, carried: &[LateEditKey]) -> bool {
        let late_edits = &self.into.loaded.late_edits;
        let is_known = |key: &LateEditKey| {
            late_edits
                .get(key)
                .is_some_and(|stored| self.has_items(self.from.name, &stored.edit.items))
        };
        if !carried.iter().all(is_known) {
            return false;
        }
        self.ops.extend(carried.iter().map(|key| RootOp::remove(Root::Forwarded, key.to_text())));
        true
    }

    /// The rows here that a row of that table became, `was` being its value before it was removed
    /// there.
    fn rows_here(
        &self,
        table: &str,
        key: &str,
        was: Option<String>,
    ) -> Result<Vec<(Root, String)>> {
        let mut found = self.rows_of_kept_keys(table, key);
        if found.is_empty()
            && let Some(json) = was
        {
            let no_item = ItemId { client: 0, clock: 0 };
            let content = Content::Text(json.into());
            let at = EntryRef::new(Root::Table(table.to_owned()).name(), key);
            let converted = self.convert(&at, &[no_item], content)?;
            // What a `migrate` function made may belong to other rows, too.
            let own = converted
                .into_iter()
                .filter(|late| matches!(late.outcome, Outcome::Value(_)) && !late.is_made);
            found.extend(own.map(|late| (late.root, late.key)));
        }
        Ok(found)
    }

    /// The rows here that a row of that table became, as far as keys are known to have been kept.
    fn rows_of_kept_keys(&self, table: &str, key: &str) -> Vec<(Root, String)> {
        let root = Root::Table(table.to_owned());
        if self.plan.is_identity() {
            return vec![(root, key.to_owned())];
        }
        let mut found = Vec::new();
        for now in self.plan.to.tables {
            if self.plan.follows(now.name, table) {
                let target = Root::Table(now.name.to_owned());
                let later = self.later_key(&target, key);
                let later_at = EntryRef::new(target.name(), later.as_str());
                let there = self.entry_in(self.from.name, &later_at);
                if there.is_some_and(|there| there.root == root.name() && there.key == key) {
                    found.push((target, later));
                }
            }
        }
        found
    }

    /// Whether the row here is an unchanged copy of what its author there knew.
    fn came_unchanged(&self, of: &EntryRef) -> bool {
        let Some(Root::Table(table)) = Root::parse(&of.root) else { return false };
        self.rows_of_kept_keys(&table, &of.key).iter().any(|(root, key)| {
            let at = EntryRef::new(root.name(), key.as_str());
            let source = self.into.source_of(&at);
            source.and_then(CopySource::copied).is_some_and(|name| {
                self.knew_source(self.from.name, name)
                    || self.has_taken_place(&self.from, &at, name)
            })
        })
    }

    /// The key of the entry in `settled` which records that the `migrate` function was given an edit:
    /// what it makes is written once.
    pub(super) fn run_key(&self, of: &EntryRef) -> LateEditKey {
        LateEditKey::new(self.from.name, run_entry(of))
    }

    fn is_unknown(&self, of: &EntryRef, items: &[ItemId]) -> bool {
        !self.has_run(of, items) || self.holds_older(of, items)
    }

    pub(super) fn has_run(&self, of: &EntryRef, items: &[ItemId]) -> bool {
        let resolution = self.into.loaded.late_edits.resolution(&self.run_key(of));
        resolution.is_some_and(|resolution| resolution.items == items)
    }

    /// Whether what is stored here of an entry is of an earlier state of it: another device carried
    /// that before it knew this one, and the document has kept that device's write.
    pub(super) fn holds_older(&self, of: &EntryRef, items: &[ItemId]) -> bool {
        let late_edits = &self.into.loaded.late_edits;
        let is_older = |key: &LateEditKey| {
            late_edits.get(key).is_some_and(|StoredEdit { edit, .. }| {
                edit.items != items && self.has_items(self.from.name, &edit.items)
            })
        };
        late_edits.made_in(self.from.name, of).iter().any(is_older)
    }

    /// What an edit becomes here.
    pub(super) fn convert(
        &self,
        of: &EntryRef,
        items: &[ItemId],
        content: Content,
    ) -> Result<Vec<Late>> {
        let EntryRef { root, key } = of;
        let late = |root: Root, key: String, outcome: Outcome| Late {
            source: self.from.name,
            root,
            key,
            of: of.clone(),
            items: items.to_vec(),
            outcome,
            is_made: false,
        };
        let Some(parsed) = Root::parse(root) else { return Ok(Vec::new()) };
        if parsed == Root::Quarantine {
            let kept = quarantined(key, &text_of(content), self.plan)?;
            let late = kept.map(|(key, json)| late(parsed, key, Outcome::Value(json)));
            return Ok(late.into_iter().collect());
        }
        let Root::Table(name) = &parsed else {
            return Ok(vec![late(parsed, key.to_owned(), Outcome::Value(text_of(content)))]);
        };
        let table_idx = self.plan.from.table_idx(name);
        let (Some(table_idx), false) = (table_idx, self.plan.is_identity()) else {
            // What its code does not know is passed on as it is.
            return Ok(vec![late(parsed, key.to_owned(), Outcome::Value(text_of(content)))]);
        };
        let table = &self.plan.from.tables[table_idx];
        let row = SourceRow {
            key: (table.read_key)(key),
            key_text: key.to_owned(),
            source: CopySource::Document(self.from.name),
            content,
        };
        let [stretch] = self.plan.stretches.as_slice() else {
            return self.run_alone(table_idx, row, of, items);
        };
        if stretch.migrate.is_some() {
            return self.run_alone(table_idx, row, of, items);
        }
        let mut converted = Vec::new();
        for route in stretch.tables.iter().filter(|route| route.from == table_idx) {
            let now = &stretch.to.tables[route.to];
            let root = Root::Table(now.name.to_owned());
            converted.push(match convert_row(now, route.conversions, name, &row)? {
                Ok(row) => late(root, row.key_text, Outcome::Value(row.json)),
                Err(failure) => {
                    let raw = text_of(row.content.clone());
                    let key = self.later_key(&root, &row.key_text);
                    let reason = describe(&failure);
                    late(root, key, Outcome::Rejected { reason, raw, stopped_at: None })
                }
            });
        }
        Ok(converted)
    }

    /// The key here of a row there that cannot be converted.
    pub(super) fn later_key(&self, root: &Root, key: &str) -> String {
        if let Root::Table(now) = root
            && let Some((earlier, _)) = self.plan.earlier_table(now)
            && let Some(table_idx) = self.plan.to.table_idx(now)
            && let Some(key) = renamed(earlier.key, self.plan.to.tables[table_idx].key, key)
        {
            return key;
        }
        key.to_owned()
    }

    /// Takes one row alone through a plan with `migrate` functions.
    pub(super) fn run_alone(
        &self,
        table_idx: TableIdx,
        row: SourceRow,
        of: &EntryRef,
        items: &[ItemId],
    ) -> Result<Vec<Late>> {
        let rows = RowsOf::One(table_idx, Box::new(row));
        let alone = Source::new(self.from.name, None, self.plan.from, rows, &BTreeMap::new())?;
        let mut sink =
            LateSink { source: self.from.name, plan: self.plan, of, items, late: Vec::new() };
        let report = |_| {};
        let prepared = prepare(self.plan, alone, false, &report, &mut sink)?;
        prepared.pour(&mut sink)?;
        Ok(sink.late)
    }
}

/// The entry under which a run of the `migrate` function with an edit of `of` is recorded.
pub(super) fn run_entry(of: &EntryRef) -> EntryRef {
    EntryRef::new(format!("run:{}", of.root), of.key.as_str())
}

/// Collects what becomes of one row.
pub(super) struct LateSink<'l> {
    pub(super) source: DocName,
    pub(super) plan: &'l Plan,
    pub(super) of: &'l EntryRef,
    pub(super) items: &'l [ItemId],
    pub(super) late: Vec<Late>,
}

impl LateSink<'_> {
    fn push(&mut self, root: Root, key: String, outcome: Outcome, is_made: bool) {
        let (of, items) = (self.of.clone(), self.items.to_vec());
        self.late.push(Late { source: self.source, root, key, of, items, outcome, is_made });
    }
}

impl Sink for LateSink<'_> {
    fn row(&mut self, table_idx: TableIdx, row: NewRow) -> Result<()> {
        let root = Root::Table(self.plan.to.tables[table_idx].name.to_owned());
        self.push(root, row.key_text, Outcome::Value(row.json), row.source == CopySource::Made);
        Ok(())
    }

    fn entry(
        &mut self,
        group_idx: GroupIdx,
        name: &str,
        source: CopySource,
        json: &str,
    ) -> Result<()> {
        let root = Root::Group(self.plan.to.groups[group_idx].name.to_owned());
        let is_made = source == CopySource::Made;
        self.push(root, name.to_owned(), Outcome::Value(json.to_owned()), is_made);
        Ok(())
    }

    fn reject(&mut self, rejected: Rejected) -> Result<()> {
        let Rejected { root, key, raw, stopped_at, failure } = rejected;
        let (reason, stopped_at) = (describe(&failure), stopped_at.unless_in(self.source, self.of));
        self.push(root, key, Outcome::Rejected { reason, raw, stopped_at }, false);
        Ok(())
    }
}

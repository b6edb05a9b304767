//! Late edits of rows: what becomes of each here.

use std::collections::BTreeMap;

use super::{Carrying, Late, Outcome, pairs};
use crate::doc::Root;
use crate::engine::{DocName, LateEditKey, is_made};
use crate::epoch::carry_over::quarantined;
use crate::epoch::convert::{NewRow, Rejected, Sink, convert_row, prepare, text_of};
use crate::epoch::plan::Plan;
use crate::epoch::sink::describe;
use crate::epoch::source::{RowsOf, Source, SourceRow};
use crate::error::Result;
use crate::row::{Content, ItemId};
use crate::schema::descriptor::{GroupIdx, TableIdx};

impl Carrying<'_> {
    /// Brings what stands here because of a row there up to date with it.
    pub(super) fn carry_row(&mut self, root: &str, key: &str, was: Option<String>) -> Result<()> {
        let of = (root.to_owned(), key.to_owned());
        let entry = self.from.loaded.document.entry(root, key);
        let main = entry.as_ref().map(|entry| entry.id);
        let is_there = main.is_some();
        if let Some(entry) = entry.filter(|entry| self.is_late(entry.id)) {
            // What a `migrate` function makes of an edit is written once.
            if !self.plan.has_migrate() || self.is_news(&of, entry.id) {
                self.is_of_known_row = self.came_unchanged(root, key);
                let made = self.convert(root, key, entry.id, entry.content)?;
                let is_outdated = made.iter().any(|late| self.is_outdated(late));
                for late in made {
                    self.resolve_or_store(&late);
                    self.review(&late.root.name(), &late.key);
                }
                self.is_of_known_row = false;
                if self.plan.has_migrate() && !is_outdated {
                    self.note_run(&of, entry.id);
                }
                return Ok(());
            }
        }
        let carried = self.into.loaded.late_edits.made_of(self.from.name, &of);
        if !is_there && !self.forget_carried(&carried) {
            return Ok(());
        }
        // What stands there as the migration knew it has prevailed over what was written beside it.
        if main.is_some_and(|id| !self.is_late(id)) {
            let is_other = |other: &&LateEditKey| {
                let held = self.into.loaded.late_edits.get(other);
                held.is_some_and(|held| !self.stands_there(root, key, &held.edit.items))
            };
            let others: Vec<LateEditKey> = carried.iter().filter(is_other).cloned().collect();
            self.forget_carried(&others);
        }
        for key in carried {
            self.review(&key.root, &key.key);
        }
        if let Some(Root::Table(table)) = Root::parse(root) {
            let from = self.from.name.to_string();
            for (root, key) in self.stood_here(&table, key, was.filter(|_| !is_there))? {
                let name = root.name();
                let main = self.into.main(&name, &key);
                let is_copy = main.and_then(|id| self.into.origin(id)) == Some(from.as_str());
                if !is_there && is_copy && self.trusts_absence {
                    self.ops.push((root, key.clone(), None));
                }
                self.review(&name, &key);
            }
        }
        Ok(())
    }

    /// Takes back what was carried of an entry that is gone there; false where it was written again
    /// there, which this copy has not heard of.
    fn forget_carried(&mut self, carried: &[LateEditKey]) -> bool {
        let late_edits = &self.into.loaded.late_edits;
        let is_known = |key: &LateEditKey| {
            late_edits.get(key).is_some_and(|held| self.has_items(self.from.name, &held.edit.items))
        };
        if !carried.iter().all(is_known) {
            return false;
        }
        self.ops.extend(carried.iter().map(|key| (Root::Forwarded, key.to_text(), None)));
        true
    }

    /// Where a row of that table stands here, `was` being what it was before it was removed there.
    fn stood_here(
        &self,
        table: &str,
        key: &str,
        was: Option<String>,
    ) -> Result<Vec<(Root, String)>> {
        let mut found = self.places_here(table, key);
        if found.is_empty()
            && let Some(json) = was
        {
            let nobody = ItemId { client: 0, clock: 0 };
            let content = Content::Text(json.into());
            let root = Root::Table(table.to_owned()).name();
            let converted = self.convert(&root, key, nobody, content)?;
            // What a `migrate` function made may belong to other rows, too.
            let own = converted
                .into_iter()
                .filter(|late| matches!(late.outcome, Outcome::Value(_)) && !late.is_made);
            found.extend(own.map(|late| (late.root, late.key)));
        }
        Ok(found)
    }

    /// Where a row of that table stands here, as far as keys are known to have stayed.
    fn places_here(&self, table: &str, key: &str) -> Vec<(Root, String)> {
        let root = Root::Table(table.to_owned());
        if self.plan.is_identity() {
            return vec![(root, key.to_owned())];
        }
        let mut found = Vec::new();
        for now in self.plan.to.tables {
            if self.plan.follows(now.name, table) {
                let target = Root::Table(now.name.to_owned());
                let later = self.later_key(&target, key);
                let there = self.terms(self.from.name, &target.name(), &later);
                if there.is_some_and(|(there, its)| there == root.name() && its == key) {
                    found.push((target, later));
                }
            }
        }
        found
    }

    /// Whether the row here is an unchanged copy of what its author there knew.
    pub(super) fn came_unchanged(&self, root: &str, key: &str) -> bool {
        let Some(Root::Table(table)) = Root::parse(root) else { return false };
        self.places_here(&table, key).iter().any(|(root, key)| {
            let root = root.name();
            let origin = self.into.main(&root, key).and_then(|id| self.into.origin(id));
            let copied = origin.filter(|origin| !is_made(origin));
            copied.is_some_and(|origin| {
                self.knew_source(self.from.name, origin)
                    || self.has_taken_place(&self.from, &root, key, origin)
            })
        })
    }

    /// Where a `migrate` function takes part, what it makes of an edit is written once.
    pub(super) fn run_key(&self, of: &(String, String)) -> LateEditKey {
        LateEditKey::new(self.from.name, format!("run:{}", of.0), of.1.clone())
    }

    fn is_news(&self, of: &(String, String), id: ItemId) -> bool {
        !self.has_run(of, &pairs(&[id])) || self.holds_older(of, &pairs(&[id]))
    }

    pub(super) fn has_run(&self, of: &(String, String), items: &[(u64, u32)]) -> bool {
        let resolution = self.into.loaded.late_edits.resolution(&self.run_key(of));
        resolution.is_some_and(|resolution| resolution.items == items)
    }

    /// Whether what is kept here of an entry is of an earlier state of it: somebody else carried that
    /// before he knew this one, and the document has kept his.
    pub(super) fn holds_older(&self, of: &(String, String), items: &[(u64, u32)]) -> bool {
        let late_edits = &self.into.loaded.late_edits;
        let is_older = |key: &LateEditKey| {
            late_edits.get(key).is_some_and(|held| {
                held.edit.items != items && self.has_items(self.from.name, &held.edit.items)
            })
        };
        late_edits.made_of(self.from.name, of).iter().any(is_older)
    }

    pub(super) fn note_run(&mut self, of: &(String, String), id: ItemId) {
        let key = self.run_key(of);
        self.resolve(&key, &pairs(&[id]));
    }

    /// What an edit becomes here.
    pub(super) fn convert(
        &self,
        root: &str,
        key: &str,
        id: ItemId,
        content: Content,
    ) -> Result<Vec<Late>> {
        let of = (root.to_owned(), key.to_owned());
        let late = |root: Root, key: String, outcome: Outcome| Late {
            source: self.from.name,
            root,
            key,
            of: of.clone(),
            items: vec![id],
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
            origin: self.from.name.to_string().into(),
            content,
        };
        let [stretch] = self.plan.stretches.as_slice() else {
            return self.run_alone(table_idx, row, &of, id);
        };
        if stretch.migrate.is_some() {
            return self.run_alone(table_idx, row, &of, id);
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
                    late(root, key, Outcome::Rejected { reason, raw, stood: None })
                }
            });
        }
        Ok(converted)
    }

    /// The key here of a row there that cannot be converted.
    pub(super) fn later_key(&self, root: &Root, key: &str) -> String {
        if let Root::Table(now) = root
            && let Some((earlier, _)) = self.plan.earlier_table(now)
            && earlier.key == crate::schema::descriptor::KeyKind::Id
            && let Some(rest) = key.strip_prefix(earlier.name)
        {
            return format!("{now}{rest}");
        }
        key.to_owned()
    }

    /// Takes one row alone through a plan with `migrate` functions.
    pub(super) fn run_alone(
        &self,
        table_idx: TableIdx,
        row: SourceRow,
        of: &(String, String),
        id: ItemId,
    ) -> Result<Vec<Late>> {
        let rows = RowsOf::One(table_idx, Box::new(row));
        let alone = Source::new(self.from.name, None, self.plan.from, rows, &BTreeMap::new())?;
        let mut sink =
            LateSink { source: self.from.name, plan: self.plan, of, id, late: Vec::new() };
        let report = |_| {};
        let prepared = prepare(self.plan, alone, false, &report, &mut sink)?;
        prepared.pour(&mut sink)?;
        Ok(sink.late)
    }
}

/// Collects what becomes of one row.
pub(super) struct LateSink<'l> {
    pub(super) source: DocName,
    pub(super) plan: &'l Plan,
    pub(super) of: &'l (String, String),
    pub(super) id: ItemId,
    pub(super) late: Vec<Late>,
}

impl LateSink<'_> {
    fn push(&mut self, root: Root, key: String, outcome: Outcome, is_made: bool) {
        let (of, items) = (self.of.clone(), vec![self.id]);
        self.late.push(Late { source: self.source, root, key, of, items, outcome, is_made });
    }
}

impl Sink for LateSink<'_> {
    fn row(&mut self, table_idx: TableIdx, row: NewRow) -> Result<()> {
        let root = Root::Table(self.plan.to.tables[table_idx].name.to_owned());
        self.push(root, row.key_text, Outcome::Value(row.json), row.origin.is_empty());
        Ok(())
    }

    fn entry(&mut self, group_idx: GroupIdx, name: &str, origin: &str, json: &str) -> Result<()> {
        let root = Root::Group(self.plan.to.groups[group_idx].name.to_owned());
        self.push(root, name.to_owned(), Outcome::Value(json.to_owned()), origin.is_empty());
        Ok(())
    }

    fn reject(&mut self, rejected: Rejected) -> Result<()> {
        let Rejected { root, key, raw, stood, failure } = rejected;
        let (reason, stood) = (describe(&failure), stood.beside(self.source, self.of));
        self.push(root, key, Outcome::Rejected { reason, raw, stood }, false);
        Ok(())
    }
}

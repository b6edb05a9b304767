//! The values that an edit of one epoch becomes in another.

use std::sync::Arc;

use crate::doc::Root;
use crate::engine::{Base, DocName, LateEdit, LateEditKey, Parts, Split, StoppedAt, rank_of};
use crate::epoch::convert::{NewRow, Rejected, Sink, prepare, text_of};
use crate::epoch::plan::Plan;
use crate::epoch::source::{RowsOf, Source, SourceRow};
use crate::error::Result;
use crate::row::{Content, EntryRef, renamed};
use crate::schema::descriptor::{GroupIdx, StoreDef, TableIdx};

/// A row or entry as it may stand here.
pub(in crate::epoch) struct Value {
    pub(in crate::epoch) key: LateEditKey,
    /// The document that it ranks with, and the entry there.
    pub(in crate::epoch) from: DocName,
    pub(in crate::epoch) of: EntryRef,
    pub(in crate::epoch) outcome: Outcome,
}

pub(in crate::epoch) enum Outcome {
    Text(String),
    Rejected(LateEdit),
}

impl Value {
    pub(in crate::epoch) fn new(
        at: EntryRef,
        parts: Parts,
        (from, of): (DocName, &EntryRef),
        json: String,
    ) -> Self {
        let from = rank_of(&parts).unwrap_or(from);
        let (key, of) = (LateEditKey { at, parts }, of.clone());
        Self { key, from, of, outcome: Outcome::Text(json) }
    }

    /// Makes the value of content that another program has stored, and that is not JSON text.
    pub(super) fn foreign(of: EntryRef, parts: Parts, name: DocName, raw: String) -> Self {
        let reason = "another program stored something other than JSON text".to_owned();
        let from = rank_of(&parts).unwrap_or(name);
        let edit = LateEdit::rejected(from, &of, raw, reason);
        let key = LateEditKey { at: of.clone(), parts };
        Self { key, from, of, outcome: Outcome::Rejected(edit) }
    }

    /// As it is stored.
    pub(in crate::epoch) fn into_edit(self) -> (LateEditKey, LateEdit) {
        let edit = match self.outcome {
            Outcome::Rejected(edit) => edit,
            Outcome::Text(json) => LateEdit::of_value(self.from, &self.of, json),
        };
        (self.key, edit)
    }
}

/// Converts a row or entry of a document, of `base`.
pub(in crate::epoch) fn convert(
    plan: &Plan,
    name: DocName,
    of: &EntryRef,
    base: Base,
    content: Content,
) -> Result<Vec<Value>> {
    let as_it_is = |content: Content| {
        let json = text_of(content);
        let parts = base.parts(&of.root, &of.key, &json);
        vec![Value::new(of.clone(), parts, (name, of), json)]
    };
    let (Some(root), false) = (Root::parse(&of.root), plan.is_identity()) else {
        return Ok(as_it_is(content));
    };
    let rows = match &root {
        Root::Table(table) => {
            // A table that its code does not know is passed on as it is.
            let Some(table_idx) = plan.from.table_idx(table) else { return Ok(as_it_is(content)) };
            let read_key = plan.from.tables[table_idx].read_key;
            let key = read_key(&of.key);
            let row = SourceRow { key, key_text: of.key.clone(), base: base.clone(), content };
            RowsOf::One(table_idx, Box::new(row))
        }
        Root::Group(group) => {
            let Some(group_idx) = plan.from.group_idx(group) else {
                return Ok(as_it_is(content));
            };
            RowsOf::Group(group_idx, vec![(of.key.clone(), base.clone(), text_of(content))])
        }
        _ => return Ok(as_it_is(content)),
    };
    take_alone(plan, name, of, rows, &base)
}

/// The key here of a row there that cannot be converted.
pub(in crate::epoch) fn later_key(plan: &Plan, now: &str, key: &str) -> String {
    let earlier = plan.earlier_table(now).zip(plan.to.table_idx(now));
    let later = earlier.and_then(|((earlier, _), table_idx)| {
        renamed(earlier.key, plan.to.tables[table_idx].key, key)
    });
    later.unwrap_or_else(|| key.to_owned())
}

fn rejected_value(rejected: &Rejected, name: DocName, of: &EntryRef) -> Value {
    let (key, mut edit) = rejected.to_late(name);
    edit.of = of.clone();
    edit.stopped_at = rejected.stopped_at.clone().unless_in(edit.from, of);
    let (from, of) = (edit.from, of.clone());
    Value { key, from, of, outcome: Outcome::Rejected(edit) }
}

/// Takes rows alone through a plan with `migrate` functions.
pub(super) fn take_alone(
    plan: &Plan,
    name: DocName,
    of: &EntryRef,
    rows: RowsOf<'_>,
    base: &Base,
) -> Result<Vec<Value>> {
    let mut sink = ValueSink { name, plan, of, base, values: Vec::new() };
    let report = |_| {};
    let source = Source::alone(name, plan.from, rows);
    prepare(plan, source, false, &report, &mut sink)?.pour(&mut sink)?;
    Ok(sink.values)
}

/// Collects what becomes of one row.
struct ValueSink<'l> {
    name: DocName,
    plan: &'l Plan,
    of: &'l EntryRef,
    base: &'l Base,
    values: Vec<Value>,
}

impl ValueSink<'_> {
    fn push(&mut self, at: EntryRef, base: &Base, json: String) {
        let mut parts = base.parts(&at.root, &at.key, &json);
        if *base == Base::Made {
            parts.extend(made_of(self.plan, self.base, &at).parts(&at.root, &at.key, &json));
        }
        self.values.push(Value::new(at, parts, (self.name, self.of), json));
    }
}

/// Which parts a `migrate` function has made into something under a key.
fn made_of(plan: &Plan, base: &Base, at: &EntryRef) -> Base {
    let mut functions = plan.stretches.iter().filter(|stretch| stretch.migrate.is_some());
    let epoch = functions.next_back().map_or(plan.to.epoch, |stretch| stretch.to.epoch);
    match base {
        Base::Made => Base::Made,
        base => base.split(&[Split::Made(epoch, at.root.clone(), at.key.clone())]),
    }
}

impl Sink for ValueSink<'_> {
    fn row(&mut self, table_idx: TableIdx, row: NewRow) -> Result<()> {
        let root = Root::Table(self.plan.to.tables[table_idx].name.to_owned()).name();
        self.push(EntryRef::new(root, row.key_text), &row.base, row.json);
        Ok(())
    }

    fn entry(&mut self, group_idx: GroupIdx, name: &str, base: &Base, json: &str) -> Result<()> {
        let root = Root::Group(self.plan.to.groups[group_idx].name.to_owned()).name();
        self.push(EntryRef::new(root, name), base, json.to_owned());
        Ok(())
    }

    fn reject(&mut self, rejected: Rejected) -> Result<()> {
        let value = rejected_value(&rejected, self.name, self.of);
        self.values.push(value);
        Ok(())
    }
}

/// A late edit as it is in a later epoch: under its names, and converted if it can be. What waits is not
/// given to a `migrate` function before it is accepted.
pub(in crate::epoch) fn later(
    plan: &Plan,
    name: DocName,
    key: LateEditKey,
    mut edit: LateEdit,
    is_shown: bool,
) -> Result<Vec<(LateEditKey, LateEdit)>> {
    if plan.is_identity() {
        return Ok(vec![(key, edit)]);
    }
    if !is_shown
        && plan.stretches.iter().any(|stretch| stretch.migrate.is_some())
        && let Some(json) = edit.value.take()
    {
        edit.stopped_at = Some(StoppedAt::new(name.epoch, key.at.clone()));
        edit.raw = Some(json);
        edit.reason = None;
    }
    if let Some(json) = &edit.value {
        let base = Base::Parts(Arc::new(key.parts.clone()));
        let content = Content::Text(json.as_str().into());
        let values = convert(plan, name, &key.at, base, content)?;
        return Ok(values
            .into_iter()
            .map(|value| {
                let (key, mut now) = value.into_edit();
                if now.value.is_none() {
                    let own = || StoppedAt::new(name.epoch, key.at.clone());
                    now.stopped_at.get_or_insert_with(own);
                }
                (now.from, now.of) = (edit.from, edit.of.clone());
                (key, now)
            })
            .collect());
    }
    let at = later_at(plan, &key.at);
    Ok(vec![(LateEditKey { at, ..key }, edit)])
}

/// The entry of a later epoch that something belongs to which cannot be converted.
fn later_at(plan: &Plan, at: &EntryRef) -> EntryRef {
    if let Some(at) = plan.later_entry(at) {
        return at;
    }
    let later_table = |to: &StoreDef, name: &str| {
        let now = to.tables.iter().find(|table| plan.follows(table.name, name))?;
        let key = later_key(plan, now.name, &at.key);
        Some(EntryRef::new(Root::Table(now.name.to_owned()).name(), key))
    };
    match Root::parse(&at.root) {
        Some(Root::Table(name)) => later_table(&plan.to, &name),
        _ => None,
    }
    .unwrap_or_else(|| at.clone())
}

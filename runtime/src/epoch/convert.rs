//! Taking rows along a plan, from a source or a scratch store to a sink.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::convert_thread::{Outcome, Packer};
use super::plan::{GroupRoute, Plan, Stretch, earlier_entry};
use super::row_chunk::{ChunkRow, RowChunk};
use super::scratch_store::{MigrationStores, ReadStore, ScratchStore};
use super::source::{ContentRef, RowRef, Source, SourceRow};
use crate::doc::Root;
use crate::engine::{Base, Progress, REPORT_EVERY_ROWS, StoppedAt};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{Content, EntryRef};
use crate::schema::descriptor::{GroupDef, GroupIdx, TableDef, TableIdx};
use crate::schema::step::{Converted, ConvertedGroup, Entries, Failure};

/// A row as it is to stand in the new document.
#[derive(Debug, Clone)]
pub(super) struct NewRow {
    /// `None` if its text does not parse as the table's key type.
    pub(super) key: Option<Vec<u8>>,
    pub(super) key_text: String,
    /// The parts that it stands for.
    pub(super) base: Base,
    pub(super) json: String,
}

/// A row or entry that could not be converted.
#[derive(Debug, Clone)]
pub(super) struct Rejected {
    /// The root and key that it would belong under.
    pub(super) root: Root,
    pub(super) key: String,
    /// The parts that it would stand for.
    pub(super) base: Base,
    pub(super) raw: String,
    /// The step at which it stopped.
    pub(super) stopped_at: StoppedAt,
    pub(super) failure: Failure,
}

/// The taker of converted rows.
pub(super) trait Sink {
    fn row(&mut self, table_idx: TableIdx, row: NewRow) -> Result<()>;
    fn entry(&mut self, group_idx: GroupIdx, name: &str, base: &Base, json: &str) -> Result<()>;
    fn reject(&mut self, rejected: Rejected) -> Result<()>;
    /// Rows of one table together.
    fn rows(&mut self, table_idx: TableIdx, chunk: RowChunk) -> Result<()> {
        chunk.rows().try_for_each(|row| self.row(table_idx, row.to_new()))
    }
    /// How many rows of each table of the source are to be given as they were.
    fn samples(&self) -> usize {
        0
    }
    /// A row of a table of the source, by that table's name, and the key that it is on its way under.
    fn sample(&mut self, _table: &'static str, _key: &str, _before: &Content) {}
}

/// All that is done before rows come out at the end of a plan.
pub(super) struct Prepared<'p> {
    plan: &'p Plan,
    report: &'p dyn Fn(Progress),
    input: Input<'p>,
    is_finished: bool,
}

/// Takes the rows of a source along a plan, up to where they are converted one by one.
pub(super) fn prepare<'p>(
    plan: &'p Plan,
    source: Source<'p>,
    is_large: bool,
    report: &'p dyn Fn(Progress),
    sink: &mut dyn Sink,
) -> Result<Prepared<'p>> {
    let mut input = Input::Source(source);
    let mut is_finished = false;
    for (index, stretch) in plan.stretches.iter().enumerate() {
        let is_last = index + 1 == plan.stretches.len();
        if is_last && stretch.migrate.is_none() {
            break;
        }
        let scratch = fill_scratch(stretch, &input, is_large, report, sink)?;
        input = Input::ScratchStore(Box::new(run_migrate(stretch, input, scratch, is_large)?));
        is_finished = is_last;
    }
    Ok(Prepared { plan, report, input, is_finished })
}

impl Prepared<'_> {
    /// Gives the rows and entries to `sink`; may be called again.
    pub(super) fn pour(&self, sink: &mut dyn Sink) -> Result<()> {
        match (&self.input, self.plan.stretches.last()) {
            (Input::ScratchStore(scratch), _) if self.is_finished => pour(scratch, sink),
            (input, Some(last)) => {
                let samples = sink.samples();
                convert_all(last, input, samples, self.report, &mut |output| sink.take(output))
            }
            (Input::Source(source), None) => take_over(self.plan, source, self.report, sink),
            (Input::ScratchStore(scratch), None) => pour(scratch, sink),
        }
    }
}

impl dyn Sink + '_ {
    fn take(&mut self, output: Output<'_>) -> Result<()> {
        match output {
            Output::Rows(table_idx, chunk) => self.rows(table_idx, chunk),
            Output::Entry(group_idx, name, base, json) => self.entry(group_idx, name, base, json),
            Output::Rejected(rejected) => self.reject(rejected),
            Output::Sample(table, key, before) => {
                self.sample(table, &key, &before);
                Ok(())
            }
        }
    }
}

/// The rows that a stretch reads.
pub(super) enum Input<'s> {
    Source(Source<'s>),
    ScratchStore(Box<ScratchStore>),
}

enum Output<'o> {
    Rows(TableIdx, RowChunk),
    Entry(GroupIdx, &'o str, &'o Base, &'o str),
    Rejected(Rejected),
    Sample(&'static str, String, Content),
}

/// A rebuild: everything as it stands, whether it decodes or not.
fn take_over(
    plan: &Plan,
    source: &Source<'_>,
    report: &dyn Fn(Progress),
    sink: &mut dyn Sink,
) -> Result<()> {
    for (table_idx, table) in plan.to.tables_by_idx() {
        let mut count = Count::new(table.name, plan.to.epoch, source.len(table_idx)?, report);
        let mut chunk = RowChunk::default();
        source.for_each_row(table_idx, &mut |row| {
            count.one();
            let (key, base, json) = (row.key, row.base, row.content.json());
            chunk.push(ChunkRow { key, key_text: &row.key_text(table), base, json });
            if chunk.is_full() { sink.rows(table_idx, std::mem::take(&mut chunk)) } else { Ok(()) }
        })?;
        sink.rows(table_idx, chunk)?;
        count.end();
    }
    for (group_idx, group) in plan.to.groups_by_idx() {
        for (name, base, content) in source.entries(group.name)? {
            sink.entry(group_idx, &name, &base, &text_of(content))?;
        }
    }
    Ok(())
}

pub(super) fn text_of(content: Content) -> String {
    match content {
        Content::Text(json) => json.to_string(),
        Content::Foreign(json) => json,
    }
}

fn fill_scratch(
    stretch: &Stretch,
    input: &Input<'_>,
    is_large: bool,
    report: &dyn Fn(Progress),
    sink: &mut dyn Sink,
) -> Result<ScratchStore> {
    let scratch = ScratchStore::new(stretch.to, is_large)?;
    let samples = sink.samples();
    convert_all(stretch, input, samples, report, &mut |output| match output {
        Output::Rows(table_idx, chunk) => chunk.rows().try_for_each(|row| {
            let key = row.key.unwrap_or_default();
            if scratch.get(table_idx, key)?.is_some() {
                return sink.reject(twice(stretch, table_idx, row.to_new()));
            }
            scratch.put(table_idx, key, row.base, row.json)
        }),
        Output::Entry(group_idx, name, base, json) => {
            scratch.set_entry(group_idx, name, base, json)
        }
        other => sink.take(other),
    })?;
    Ok(scratch)
}

/// A row that comes under the key of another.
pub(super) fn twice(stretch: &Stretch, table_idx: TableIdx, row: NewRow) -> Rejected {
    let root = Root::Table(stretch.to.tables[table_idx].name.to_owned());
    let at = EntryRef::new(root.name(), row.key_text.as_str());
    Rejected {
        root,
        key: row.key_text,
        base: row.base,
        raw: row.json,
        stopped_at: StoppedAt { is_unseen: true, ..StoppedAt::new(stretch.to.epoch, at) },
        failure: Failure {
            field: None,
            expected: Some("a key of its own".to_owned()),
            found: None,
            reason: "another row has been given the same key".to_owned(),
        },
    }
}

fn run_migrate(
    stretch: &Stretch,
    input: Input<'_>,
    new: ScratchStore,
    is_large: bool,
) -> Result<ScratchStore> {
    let Some(migrate) = stretch.migrate else { return Ok(new) };
    let old = match input {
        Input::ScratchStore(scratch) => ReadStore::ScratchStore(scratch),
        Input::Source(source) => source.into_read_store(is_large)?,
    };
    let mut stores = Some(MigrationStores { old, new });
    let migrated = catch_unwind(AssertUnwindSafe(|| migrate(&mut stores)));
    match migrated {
        Ok(Ok(())) => stores.map(|stores| stores.new).ok_or_else(|| {
            Error::new(ErrorKind::Migration, "the `migrate` function gave nothing back")
        }),
        Ok(Err(error)) => Err(Error::new(
            ErrorKind::Migration,
            format!("the `migrate` function of epoch {} failed", stretch.to.epoch),
        )
        .help("nothing was changed; correct the function, and open the store again")
        .because(error)),
        Err(panic) => Err(Error::new(
            ErrorKind::Migration,
            format!(
                "the `migrate` function of epoch {} panicked: {}",
                stretch.to.epoch,
                panic_text(&*panic)
            ),
        )
        .help("nothing was changed; correct the function, and open the store again")),
    }
}

/// Gives the rows and entries of a scratch store to a sink.
fn pour(scratch: &ScratchStore, sink: &mut dyn Sink) -> Result<()> {
    for (table_idx, table) in scratch.def.tables_by_idx() {
        let mut last: Option<Vec<u8>> = None;
        loop {
            let piece = scratch.after(table_idx, last.as_deref())?;
            let Some(end) = piece.last() else { break };
            last = Some(end.key.clone());
            for row in piece {
                let key_text = (table.key_text)(&row.key).unwrap_or_default();
                sink.row(
                    table_idx,
                    NewRow { key: Some(row.key), key_text, base: row.base, json: row.json },
                )?;
            }
        }
    }
    for (group_idx, _) in scratch.def.groups_by_idx() {
        for (name, base, json) in scratch.entries_with_base(group_idx)? {
            sink.entry(group_idx, &name, &base, &json)?;
        }
    }
    Ok(())
}

fn convert_all(
    stretch: &Stretch,
    input: &Input<'_>,
    samples: usize,
    report: &dyn Fn(Progress),
    give: &mut dyn FnMut(Output<'_>) -> Result<()>,
) -> Result<()> {
    for route in &stretch.tables {
        let before = &stretch.from.tables[route.from];
        let now = &stretch.to.tables[route.to];
        let mut packer = Packer {
            epoch: stretch.from.epoch,
            before,
            now,
            conversions: route.conversions,
            splits: &route.splits,
            samples: if matches!(input, Input::Source(_)) { samples } else { 0 },
            outcome: Outcome::default(),
        };
        let mut take = |outcome: Outcome| {
            let mut samples = outcome.samples.into_iter();
            samples.try_for_each(|(key, row)| give(Output::Sample(before.name, key, row)))?;
            give(Output::Rows(route.to, outcome.rows))?;
            outcome.rejected.into_iter().try_for_each(|row| give(Output::Rejected(row)))
        };
        match input {
            Input::Source(source) => {
                let total = source.len(route.from)?;
                let mut count = Count::new(before.name, stretch.to.epoch, total, report);
                packer.run(source, route.from, &mut |outcome| {
                    (0..outcome.count).for_each(|_| count.one());
                    take(outcome)
                })?;
                count.end();
            }
            Input::ScratchStore(scratch) => {
                let mut last: Option<Vec<u8>> = None;
                loop {
                    let piece = scratch.after(route.from, last.as_deref())?;
                    let Some(end) = piece.last() else { break };
                    last = Some(end.key.clone());
                    for row in piece {
                        let full = packer.row(RowRef {
                            key: Some(&row.key),
                            text: None,
                            base: &row.base,
                            content: ContentRef::Text(&row.json),
                        })?;
                        full.map_or(Ok(()), &mut take)?;
                    }
                }
                take(packer.outcome)?;
            }
        }
    }
    for route in &stretch.groups {
        convert_one_group(stretch, *route, input, give)?;
    }
    Ok(())
}

/// The inner error is the row's own affair, the outer one ends the migration.
pub(super) fn convert_row(
    now: &TableDef,
    conversions: u32,
    table: &str,
    row: &SourceRow,
) -> Result<Result<Converted, Failure>> {
    let at = |error: Error| error.at_table(table).at_key(row.key_text.clone());
    convert_one(now, conversions, row.by_ref()).map_err(at)
}

/// [`convert_row`], where it is stored; an error does not say which row it is.
pub(super) fn convert_one(
    now: &TableDef,
    conversions: u32,
    row: RowRef<'_>,
) -> Result<Result<Converted, Failure>> {
    let reason = match (&row.key, row.content) {
        (None, _) => "the row is stored under a text that is not a key of its table",
        (_, ContentRef::Foreign(_)) => "another program stored something other than JSON text",
        (Some(_), ContentRef::Text(json)) => {
            let converted = catch_unwind(AssertUnwindSafe(|| (now.convert)(conversions, json)));
            return converted.map_err(|panic| {
                Error::new(
                    ErrorKind::Migration,
                    format!("the conversion of a row panicked: {}", panic_text(&*panic)),
                )
                .help("nothing was changed; correct the conversion, and open the store again")
            });
        }
    };
    Ok(Err(Failure { field: None, expected: None, found: None, reason: reason.to_owned() }))
}

fn convert_one_group(
    stretch: &Stretch,
    route: GroupRoute,
    input: &Input<'_>,
    give: &mut dyn FnMut(Output<'_>) -> Result<()>,
) -> Result<()> {
    let before = &stretch.from.groups[route.from];
    let now = &stretch.to.groups[route.to];
    let mut set: Vec<(String, Base, String)> = Vec::new();
    let mut rejected = Vec::new();
    match input {
        Input::Source(source) => {
            for (name, base, content) in source.entries(before.name)? {
                match content {
                    Content::Text(json) => set.push((name, base, json.to_string())),
                    Content::Foreign(raw) => rejected.push((
                        name,
                        base,
                        raw,
                        Failure {
                            field: None,
                            expected: None,
                            found: None,
                            reason: "another program stored something other than JSON text"
                                .to_owned(),
                        },
                    )),
                }
            }
        }
        Input::ScratchStore(scratch) => set = scratch.entries_with_base(route.from)?,
    }
    let entries: Entries = set.iter().map(|(name, _, json)| (name.clone(), json.clone())).collect();
    let ConvertedGroup { entries: converted, failures } =
        convert_group(now, route.conversions, &entries)?;
    for (name, failure) in failures {
        let raw = entries.get(&name).cloned().unwrap_or_default();
        let base = set.iter().find(|(stored, _, _)| *stored == name);
        let base = base.map_or(Base::Made, |(_, base, _)| base.clone());
        rejected.push((name, base, raw, failure));
    }
    for (name, json) in &converted {
        let earlier = earlier_entry(&stretch.to, stretch.from.epoch, now.name, name);
        let was = |(stored, _, _): &&(String, Base, String)| {
            earlier.is_some_and(|(_, entry)| entry == stored)
        };
        // Which entries a new one was made from is not known of a user's own conversion.
        let base = set.iter().find(was).map_or(&Base::Made, |(_, base, _)| base);
        give(Output::Entry(route.to, name, base, json))?;
    }
    for (key, base, raw, failure) in rejected {
        let root = Root::Group(before.name.to_owned()).name();
        let stopped_at = StoppedAt::new(stretch.from.epoch, EntryRef::new(root, key.as_str()));
        let root = Root::Group(now.name.to_owned());
        give(Output::Rejected(Rejected { root, key, base, raw, stopped_at, failure }))?;
    }
    Ok(())
}

pub(super) fn convert_group(
    now: &GroupDef,
    conversions: u32,
    entries: &Entries,
) -> Result<ConvertedGroup> {
    let converted = catch_unwind(AssertUnwindSafe(|| (now.convert)(conversions, entries)));
    converted.map_err(|panic| {
        let panic = panic_text(&*panic);
        Error::new(ErrorKind::Migration, format!("the conversion of a kv group panicked: {panic}"))
            .at_group(now.name)
            .help("nothing was changed; correct the conversion, and open the store again")
    })
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}

/// Reports how far a table is.
struct Count<'c> {
    table: &'c str,
    epoch: u32,
    done: u64,
    total: u64,
    report: &'c dyn Fn(Progress),
}

impl<'c> Count<'c> {
    fn new(table: &'c str, epoch: u32, total: u64, report: &'c dyn Fn(Progress)) -> Self {
        Self { table, epoch, done: 0, total, report }
    }

    fn one(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(REPORT_EVERY_ROWS) && self.done < self.total {
            self.notify();
        }
    }

    fn end(&self) {
        if self.total > 0 {
            self.notify();
        }
    }

    fn notify(&self) {
        (self.report)(Progress::Migrate {
            table: self.table.to_owned(),
            epoch: self.epoch,
            done: self.done,
            total: self.total,
        });
    }
}

//! The results of a migration, without doing it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::convert::{NewRow, Rejected, Sink, prepare, text_of, twice};
use super::plan::Plan;
use super::run::no_chain;
use super::scratch_store::ScratchStore;
use super::select_document::best;
use super::sink::describe;
use super::source::{RowsOf, Source};
use crate::disk::StoredDocument;
use crate::engine::{Base, Engine, not_loaded, view_names};
use crate::error::Result;
use crate::row::Content;
use crate::schema::descriptor::{GroupIdx, TableIdx};

/// How many rows of a table are shown.
const SAMPLES: usize = 3;

/// The results that a migration would have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Preview {
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// By the tables of the epoch that it goes to.
    pub(crate) tables: BTreeMap<&'static str, PreviewTable>,
    /// Tables of the epoch before that none follows from, with the number of their rows.
    pub(crate) dropped: Vec<(&'static str, u64)>,
    pub(crate) invalid: Vec<PreviewInvalid>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct PreviewTable {
    /// Rows of the tables that it follows from.
    pub(crate) before: u64,
    pub(crate) after: u64,
    pub(crate) samples: Vec<PreviewSample>,
}

#[derive(Debug, Clone)]
pub(crate) struct PreviewSample {
    pub(crate) key: String,
    /// `None` if a `migrate` function makes the row.
    pub(crate) before: Option<String>,
    /// `None` until it has come out at the end.
    pub(crate) after: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct PreviewInvalid {
    pub(crate) place: String,
    pub(crate) key: String,
    pub(crate) reason: String,
    pub(crate) json: String,
}

/// Goes through a migration of an open file without writing anything.
pub(crate) fn preview(engine: &Engine) -> Result<Preview> {
    let mut writer = engine.lock_writer()?;
    let mut found =
        Preview { from: writer.current.epoch, to: engine.def.epoch, ..Preview::default() };
    let from = best(engine, &writer)?.unwrap_or(writer.current);
    found.from = from.epoch;
    if from.epoch >= engine.def.epoch {
        found.from = engine.def.epoch;
        return Ok(found);
    }
    let Some(plan) = Plan::new(&engine.def, from.epoch) else {
        return Err(no_chain(engine, from.epoch));
    };
    let view = Arc::new(engine.disk.view_as(Arc::new(view_names(&plan.from, from)))?);
    let document = StoredDocument::new(engine.view(), &from.to_string());
    let is_in_file = from == writer.current && engine.to_rekey(&plan.from, &document)?.is_empty();
    let claim = writer.claims.get(&from).cloned();
    let loaded = if is_in_file {
        None
    } else {
        engine.load(&mut writer)?;
        if from != writer.current {
            engine.load_other(&mut writer, from)?;
        }
        let loaded =
            if from == writer.current { writer.loaded.take() } else { writer.others.remove(&from) };
        Some(loaded.ok_or_else(not_loaded)?)
    };
    let rows = match &loaded {
        Some(loaded) => RowsOf::Document(loaded),
        None => RowsOf::File(view),
    };
    let copies = engine.copies(from, claim.as_ref());
    let source = Source::of_document(copies, plan.from, rows)?;
    for table in plan.to.tables {
        let before = match plan.earlier_table(table.name) {
            Some((earlier, _)) => {
                let earlier_idx = plan.from.table_idx(earlier.name);
                earlier_idx.map_or(Ok(0), |table_idx| source.len(table_idx))?
            }
            None => 0,
        };
        found.tables.insert(table.name, PreviewTable { before, ..PreviewTable::default() });
    }
    for (table_idx, table) in plan.from.tables_by_idx() {
        if plan.to.tables.iter().all(|now| !plan.follows(now.name, table.name)) {
            found.dropped.push((table.name, source.len(table_idx)?));
        }
    }
    let report = |progress| engine.settings.report(progress);
    let mut sink = PreviewSink { plan: &plan, keys: None, found };
    prepare(&plan, source, true, &report, &mut sink)?.pour(&mut sink)?;
    for table in sink.found.tables.values_mut() {
        table.samples.retain(|sample| sample.after.is_some());
    }
    Ok(sink.found)
}

struct PreviewSink<'p> {
    plan: &'p Plan,
    /// Of the tables whose rows may come under each other's.
    keys: Option<ScratchStore>,
    found: Preview,
}

impl PreviewSink<'_> {
    /// Whether a row before it has come under its key.
    fn is_taken(&mut self, table_idx: TableIdx, row: &NewRow) -> Result<bool> {
        let earlier = self.plan.earlier_table(self.plan.to.tables[table_idx].name);
        let (Some((_, false)), Some(key)) = (earlier, &row.key) else { return Ok(false) };
        let keys = match &mut self.keys {
            Some(keys) => keys,
            keys => keys.insert(ScratchStore::new(self.plan.to, true)?),
        };
        let is_taken = keys.get(table_idx, key)?.is_some();
        keys.put(table_idx, key, &Base::Made, "")?;
        Ok(is_taken)
    }
}

impl Sink for PreviewSink<'_> {
    fn row(&mut self, table_idx: TableIdx, row: NewRow) -> Result<()> {
        if self.is_taken(table_idx, &row)?
            && let Some(last) = self.plan.stretches.last()
        {
            return self.reject(twice(last, table_idx, row));
        }
        let table = self.found.tables.entry(self.plan.to.tables[table_idx].name).or_default();
        table.after += 1;
        let sample = table.samples.iter_mut().find(|sample| sample.key == row.key_text);
        if let Some(sample) = sample {
            sample.after = Some(row.json);
        } else if table.samples.len() < SAMPLES && row.base == Base::Made {
            let (before, after) = (None, Some(row.json));
            table.samples.push(PreviewSample { key: row.key_text, before, after });
        }
        Ok(())
    }

    fn entry(&mut self, _: GroupIdx, _: &str, _: &Base, _: &str) -> Result<()> {
        Ok(())
    }

    fn reject(&mut self, rejected: Rejected) -> Result<()> {
        self.found.invalid.push(PreviewInvalid {
            reason: describe(&rejected.failure),
            place: rejected.root.name(),
            key: rejected.key,
            json: rejected.raw,
        });
        Ok(())
    }

    fn samples(&self) -> usize {
        SAMPLES
    }

    fn sample(&mut self, table: &'static str, key: &str, before: &Content) {
        for now in self.plan.to.tables {
            if let Some(found) = self.found.tables.get_mut(now.name)
                && found.samples.len() < SAMPLES
                && self.plan.follows(now.name, table)
            {
                let before = Some(text_of(before.clone()));
                found.samples.push(PreviewSample { key: key.to_owned(), before, after: None });
            }
        }
    }
}

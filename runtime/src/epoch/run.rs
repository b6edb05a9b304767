//! A migration: a document's rows, converted, in a fresh document; one commit.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::carry_over::CarriedOver;
use super::convert::{NewRow, Rejected, Sink, prepare};
use super::incorporate::incorporate;
use super::plan::Plan;
use super::sink::{DocumentSink, Written, describe};
use super::source::{RowsOf, Source};
use crate::disk::{Commit, StoredDocument};
use crate::doc::items::ReadItems;
use crate::doc::{Root, written_over};
use crate::engine::{
    Claim, Copies, DocFact, DocName, Documents, Engine, Loaded, OnInvalid, Part, PartOf, Parts,
    Progress, Unrecorded, Writer, WriterIndexes, not_loaded, view_names,
};
use crate::error::{Error, ErrorKind, Result};

/// Migrates `from`, a document that is here, into a new one that is current from then on.
pub(super) fn run(
    engine: &Engine,
    writer: &mut Writer,
    from: DocName,
    generation: u32,
) -> Result<()> {
    let Some(plan) = Plan::new(&engine.def, from.epoch) else {
        return Err(no_chain(engine, from.epoch));
    };
    let def = plan.from;
    let claim = writer.claims.get(&from).cloned();
    let is_current = from == writer.current;
    engine.load(writer)?;
    if !is_current {
        engine.load_other(writer, from)?;
    }
    let current = writer.loaded.take();
    let mut aside = None;
    let loaded = if is_current {
        current
    } else {
        if let Some(current) = current {
            aside = Some((writer.current, DocFact::of(&current)));
            writer.others.insert(writer.current, current);
        }
        writer.others.remove(&from)
    };
    let Some(mut loaded) = loaded else { return Err(not_loaded()) };
    let fact = DocFact::of(&loaded);
    let known = incorporate(engine, writer, from, &mut loaded, def)?;
    // The rows read of it are those that readers see, as long as these are kept as the code of its epoch does.
    let is_read = is_current
        && !loaded.document.is_changed()
        && engine.to_rekey(&def, &loaded.document.stored())?.is_empty();
    let view = engine.disk.view_as(Arc::new(view_names(&def, from)))?;
    let view = Arc::new(view);

    let name = engine.new_claim(generation);
    let client = engine.new_device();
    let mut covers = claim.as_ref().map(|claim| claim.covers.clone()).unwrap_or_default();
    covers.insert(from, fact.clocks.clone());
    for (source, clocks) in &known {
        let covered: &mut BTreeMap<u64, u32> = covers.entry(*source).or_default();
        for (client, clock) in clocks {
            let known = covered.entry(*client).or_default();
            *known = (*known).max(*clock);
        }
    }
    let mut claim_made = Claim { client, baseline: 0, source: from, covers, sealed: false };
    let copies = engine.copies(from, claim.as_ref());
    let carried_over = CarriedOver::of(&loaded, copies, &plan, &claim_made)?;

    engine.record_versions(writer)?;
    let before = WriterBackup::of(writer);
    writer.current = name;
    if let Some((name, fact)) = aside {
        writer.documents.0.insert(name, fact);
    }
    // Nothing of those is late: they are read now.
    for (name, fact) in &mut writer.documents.0 {
        fact.carried = if known.contains_key(name) { fact.last } else { 0 };
    }
    writer.documents.0.insert(from, DocFact { carried: fact.last, ..fact });
    writer.indexes = engine.indexes_to_build(name);
    writer.unrecorded.identity = true;
    writer.unrecorded.documents = true;
    writer.shows_next = Some(Arc::new(view_names(&engine.def, name)));

    let stored = engine.store(writer, |writer, commit| {
        commit.clear_indexes(&before.current.to_string())?;
        let mut on_reject = |row: &Rejected| refuse(engine, row);
        let rows = if is_read { RowsOf::File(view.clone()) } else { RowsOf::Document(&loaded) };
        let source = Source::of_document(copies, def, rows)?;
        let filled =
            fill(engine, commit, &plan, name, client, &carried_over, &mut on_reject, source)?;
        claim_made.baseline = filled.baseline;
        let mut open: Parts = filled.late.union(&carried_over.missing).cloned().collect();
        for part in &filled.rejected {
            open.extend(replaced_by(&loaded, copies, part)?);
        }
        engine.record_claim(writer, name, &claim_made, filled.frontier.finish(from, open))
    });
    if let Err(error) = stored {
        before.restore(writer);
        return Err(error);
    }
    writer.claims.insert(name, claim_made);
    writer.is_claim_new = false;
    writer.loaded = None;
    engine.load(writer)?;
    if let Some(loaded) = &writer.loaded {
        let commits = loaded.document.commits();
        engine.mark(writer, commits);
    }
    Ok(())
}

/// Returns the parts that an edit which could not be converted was written over: it has replaced nothing, so that
/// another device may still show what was copied of them.
fn replaced_by(loaded: &Loaded, copies: Copies<'_>, part: &Part) -> Result<Parts> {
    let stored = loaded.document.stored();
    let PartOf::Edit(document, id) = part.origin else { return Ok(Parts::new()) };
    if document != copies.name || id.clock >= stored.clock(id.client)? {
        return Ok(Parts::new());
    }
    let Some(before) = written_over(&*stored, id)? else { return Ok(Parts::new()) };
    let copied = copies.parts_of(before)?;
    Ok(copied.unwrap_or_else(|| Parts::from([Part::edit(document, before)])))
}

fn refuse(engine: &Engine, row: &Rejected) -> Result<()> {
    if engine.settings.on_invalid == OnInvalid::Quarantine {
        return Ok(());
    }
    let error = Error::new(
        ErrorKind::Migration,
        format!(
            "a row cannot be converted to epoch {}: {}",
            engine.def.epoch,
            describe(&row.failure)
        ),
    );
    let error = match &row.root {
        Root::Table(table) => error.at_table(table).at_key(row.key.clone()),
        Root::Group(group) => error.at_group(group).at_field(row.key.clone()),
        _ => error,
    };
    Err(error.help(
        "nothing was changed; correct the row with the code of its epoch, or open the store with \
         `on_invalid(OnInvalid::Quarantine)`",
    ))
}

/// Fills the new document and its tables in the file.
#[expect(clippy::too_many_arguments, reason = "called in one place")]
fn fill(
    engine: &Engine,
    commit: &Commit,
    plan: &Plan,
    name: DocName,
    client: u64,
    carried_over: &CarriedOver,
    on_reject: &mut dyn FnMut(&Rejected) -> Result<()>,
    source: Source<'_>,
) -> Result<Written> {
    // Every pass goes through all rows; what has been told of them once is not told again.
    let told = RefCell::new(BTreeMap::<(String, u32), u64>::new());
    let is_news = |progress: &Progress| match progress {
        Progress::Migrate { table, epoch, done, .. } => {
            let mut told = told.borrow_mut();
            let last = told.entry((table.clone(), *epoch)).or_default();
            let is_news = *done > *last;
            *last = (*last).max(*done);
            is_news
        }
        _ => true,
    };
    let report = |progress| {
        if is_news(&progress) {
            engine.settings.report(progress);
        }
    };
    let from = source.name;
    let new = StoredDocument::new(engine.view(), &name.to_string());
    let document = commit.document_once(&new, engine.declared(name))?;
    let mut sink = DocumentSink::new(document, &engine.def, from, client, on_reject);
    {
        prepare(plan, source, true, &report, &mut sink)?.pour(&mut sink)?;
        for (root, entries) in &carried_over.unknown {
            let table_idx = match root {
                Root::Table(name) => engine.def.table_idx(name),
                _ => None,
            };
            for (key, base, json) in entries {
                let Some(table_idx) = table_idx else {
                    sink.keep(root, key, base, json)?;
                    continue;
                };
                // Code of the epoch before knew the table that this code declares, too.
                let bytes = (engine.def.tables[table_idx].read_key)(key);
                sink.row(
                    table_idx,
                    NewRow {
                        key: bytes,
                        key_text: key.clone(),
                        base: base.clone(),
                        json: json.clone(),
                    },
                )?;
            }
        }
        for part in &carried_over.marks {
            sink.mark(part)?;
        }
        for name in &carried_over.taken_in {
            sink.take_in(*name)?;
        }
        for (key, edit) in &carried_over.late {
            sink.keep_late(key.clone(), edit.clone());
        }
        sink.finish()
    }
}

pub(super) fn no_chain(engine: &Engine, epoch: u32) -> Error {
    Error::new(
        ErrorKind::Migration,
        format!(
            "the store is at epoch {epoch}, and no chain of `previous` leads there from this code"
        ),
    )
    .at_store(engine.def.name)
    .expecting(format!(
        "an epoch from {} to {}",
        super::plan::oldest(&engine.def),
        engine.def.epoch
    ))
    .finding(format!("epoch {epoch}"))
    .help(
        "nothing was changed; keep the structs of every epoch in the code, each naming the one \
         before with `previous = …`",
    )
}

/// The state that a failed migration takes back.
pub(super) struct WriterBackup {
    pub(super) current: DocName,
    documents: Documents,
    unrecorded: Unrecorded,
    indexes: WriterIndexes,
}

impl WriterBackup {
    pub(super) fn of(writer: &mut Writer) -> Self {
        Self {
            current: writer.current,
            documents: writer.documents.clone(),
            unrecorded: writer.unrecorded,
            indexes: std::mem::take(&mut writer.indexes),
        }
    }

    pub(super) fn restore(self, writer: &mut Writer) {
        writer.current = self.current;
        writer.documents = self.documents;
        writer.indexes = self.indexes;
        writer.forget_loaded();
        writer.unrecorded = self.unrecorded;
    }
}

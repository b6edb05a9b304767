//! The quarantine: edits that could not be carried, and deciding on them.

use std::sync::Arc;

use super::convert::{NewRow, Rejected, Sink, convert_row, prepare, text_of};
use super::plan::Plan;
use super::sink::describe;
use super::source::{RowsOf, Source, SourceRow};
use crate::disk::View;
use crate::doc::cells::row_with;
use crate::doc::{Entry, Root};
use crate::engine::{
    Base, Candidate, Copies, DocName, Document, Engine, LateEdit, LateEditKey, LateEdits, Loaded,
    Marks, Origin, Part, PartOf, Parts, ReadFailure, RootOp, Showing, Standing, StoppedAt,
    fields_met, not_loaded, read_claims,
};
use crate::error::{Error, ErrorKind, Result};
use crate::row::{CellWrite, Content, EntryRef, ItemId, value_at};
use crate::schema::descriptor::{GroupIdx, StoreDef, TableIdx};

/// Something in quarantine.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) key: LateEditKey,
    pub(crate) edit: LateEdit,
    /// The value in its place.
    pub(crate) ours: Option<String>,
}

/// Everything in quarantine, in the order of tables and keys.
pub(crate) fn list(engine: &Engine) -> Result<Vec<Kept>> {
    let view = engine.in_view(Ok)?;
    let failure = ReadFailure::default();
    let document = Document::new(view.clone(), view.document_name(), &failure);
    let name = DocName::parse(view.document_name());
    let name = name.unwrap_or(DocName::unclaimed(engine.def.epoch));
    let late_edits = LateEdits::of(&document)?;
    if late_edits.is_empty() {
        failure.take()?;
        return Ok(Vec::new());
    }
    let claims = read_claims(&view)?;
    let copies = engine.copies(name, claims.get(&name));
    let mut kept = Vec::new();
    for at in late_edits.entries() {
        let main = document.entry(&at.root, &at.key);
        let id = main.as_ref().map(|entry| entry.id);
        let Standing { shown, waiting } = late_edits.standing(&document, copies, at, id)?;
        let ours = standing(engine, &view, at)?.map(|(_, json)| json);
        if let Showing::Late(Candidate { parts, open, stored: Some(stored), .. }) = shown
            && let Some(late) = &stored.edit.value
            && !fields_met(&document, engine, at, late, &open)?.is_empty()
        {
            let key = LateEditKey { at: at.clone(), parts };
            kept.push(Kept { key, edit: stored.edit.clone(), ours: ours.clone() });
        }
        for Candidate { from, parts, stored, .. } in waiting {
            let edit = match (stored, &main) {
                (Some(stored), _) => stored.edit.clone(),
                (None, Some(main)) => LateEdit::of_copy(from, at, text_of(main.content.clone())),
                (None, None) => continue,
            };
            if edit.value.is_none() || edit.value != ours {
                let key = LateEditKey { at: at.clone(), parts };
                kept.push(Kept { key, edit, ours: ours.clone() });
            }
        }
    }
    failure.take()?;
    let order = |Kept { key, edit, .. }: &Kept| {
        (key.at.clone(), edit.value.is_some(), edit.from, key.parts.clone())
    };
    kept.sort_by_cached_key(order);
    Ok(kept)
}

/// Returns the value that readers see under a root and key.
fn standing(engine: &Engine, view: &Arc<View>, at: &EntryRef) -> Result<Option<(ItemId, String)>> {
    match Root::parse(&at.root) {
        Some(Root::Table(name)) => {
            let Some(table_idx) = engine.def.table_idx(&name) else { return Ok(None) };
            let Some(bytes) = (engine.def.tables[table_idx].read_key)(&at.key) else {
                return Ok(None);
            };
            let row = view.row(table_idx, &bytes)?;
            Ok(row.map(|row| (row.id(), String::from_utf8_lossy(row.json()).into_owned())))
        }
        Some(Root::Group(name)) => {
            let entries = view.entries(view.document_name(), &name)?;
            let entry = entries.into_iter().find(|(entry, _, _)| *entry == at.key);
            Ok(entry.map(|(_, id, content)| (id, text_of(content))))
        }
        _ => Ok(None),
    }
}

/// Puts what is in quarantine in the place of what stands there.
pub(crate) fn accept(engine: &Engine, kept: &Kept) -> Result<()> {
    let accepted = match &kept.edit.value {
        Some(value) => {
            let mut accepted = vec![Accepted {
                root: Root::parse(&kept.key.at.root).ok_or_else(|| gone(kept))?,
                key: kept.key.at.key.clone(),
                json: value.clone(),
                is_made: false,
            }];
            accepted.extend(made_of(engine, kept)?);
            accepted
        }
        None => converted(engine, kept)?,
    };
    finish(engine, kept, accepted)
}

/// Lets go of what is in quarantine.
pub(crate) fn dismiss(engine: &Engine, kept: &Kept) -> Result<()> {
    finish(engine, kept, Vec::new())
}

fn finish(engine: &Engine, kept: &Kept, accepted: Vec<Accepted>) -> Result<()> {
    engine.refuse_if_read_only()?;
    let mut writer = engine.lock_writer()?;
    engine.load(&mut writer)?;
    let Some(loaded) = &writer.loaded else { return Err(not_loaded()) };
    let copies = engine.copies(writer.current, writer.claim());
    let (document, late_edits) = (&loaded.document, &loaded.late_edits);
    let at = &kept.key.at;
    let main = document.entry(&at.root, &at.key).map(|entry| entry.id);
    let standing = late_edits.standing(document, copies, at, main)?;
    let waiting = standing.waiting.iter().find(|waiting| waiting.parts == kept.key.parts);
    let Some(waiting) = waiting else {
        let shown = match standing.shown {
            Showing::Late(late) if late.parts == kept.key.parts => late,
            _ => return Err(gone(kept)),
        };
        let ops = fields_decided(engine, loaded, kept, &shown, !accepted.is_empty())?;
        let outcome = engine.write_roots(&mut writer, &ops, Origin::Local);
        drop(writer);
        engine.hub.deliver();
        return outcome.map(drop);
    };
    // A part that another value stands for, too, is left to that.
    let mut others = standing.waiting.iter().filter(|other| other.parts != waiting.parts);
    let shown = match &standing.shown {
        Showing::Late(late) => Some(&late.open),
        Showing::Main | Showing::Nothing => None,
    };
    let is_shared = |part: &Part| {
        shown.is_some_and(|open| open.contains(part))
            || others.any(|other| other.open.contains(part))
    };
    let is_accepted = !accepted.is_empty();
    let mut decided: Parts = waiting.open.clone();
    if !is_accepted {
        let mut is_shared = is_shared;
        decided.retain(|part| !is_shared(part));
    }
    let mut ops = Vec::new();
    for row in accepted {
        let at = EntryRef::new(row.root.name(), row.key.as_str());
        if row.is_made && !is_free(copies, loaded, &at, &row.json)? {
            continue;
        }
        decided.extend(late_edits.seen(document, copies, &at, false)?);
        ops.push(RootOp::put(row.root, row.key, row.json));
    }
    let decided: Parts = decided.into_iter().map(Part::by_any_run).collect();
    let mut all: Vec<RootOp> = decided.iter().map(RootOp::mark).collect();
    all.extend(ops);
    let outcome = engine.write_roots(&mut writer, &all, Origin::Local);
    drop(writer);
    engine.hub.deliver();
    outcome.map(drop)
}

/// Returns the writes if the fields of a late edit that shows are decided on in the place of which others stand.
fn fields_decided(
    engine: &Engine,
    Loaded { document, .. }: &Loaded,
    kept: &Kept,
    shown: &Candidate<'_>,
    is_accepted: bool,
) -> Result<Vec<RootOp>> {
    let at = &kept.key.at;
    let (Some(late), Some(root)) = (&kept.edit.value, Root::parse(&at.root)) else {
        return Err(gone(kept));
    };
    let met = fields_met(document, engine, at, late, &shown.open)?;
    if met.is_empty() {
        return Err(gone(kept));
    }
    let marks = met.iter().flat_map(|path| shown.open.iter().map(|it| it.clone().of_field(path)));
    let mut ops: Vec<RootOp> = marks.map(|part| RootOp::mark(&part)).collect();
    if is_accepted {
        let row = row_with(late, &document.cells(&at.root, &at.key));
        let cells =
            met.into_iter().map(|path| CellWrite::Set { json: value_at(late, &path), path });
        ops.push(RootOp::edit(root, at.key.clone(), cells.collect(), row));
    }
    Ok(ops)
}

/// A row or entry that is to stand because something is accepted.
struct Accepted {
    root: Root,
    key: String,
    json: String,
    /// Whether a `migrate` function makes it beside that.
    is_made: bool,
}

/// Whether what a `migrate` function makes may be written: where nothing stands but what one has made, and
/// no device has removed the same.
fn is_free(copies: Copies<'_>, loaded: &Loaded, at: &EntryRef, json: &str) -> Result<bool> {
    let is_made = |parts: &Parts| parts.iter().all(|part| part.is_made() || part.is_ground());
    let made = Part::whole(PartOf::made(&at.root, &at.key, json));
    let main = loaded.document.entry(&at.root, &at.key).map(|entry| entry.id);
    let standing = loaded.late_edits.standing(&loaded.document, copies, at, main)?;
    Ok(match (standing.shown, main) {
        (Showing::Late(late), _) => is_made(&late.parts),
        (_, Some(id)) => copies.parts_of(id)?.is_some_and(|parts| is_made(&parts)),
        (_, None) => {
            let was_copied =
                !copies.engine.frontier(copies.name)?.copies_of(made.origin).is_empty();
            !was_copied && !loaded.document.is_marked(&made)?
        }
    })
}

/// Returns the rows that `migrate` functions make of a row that was converted, and that they were not given as
/// long as it waited: of the value in its document, if that is still here.
fn made_of(engine: &Engine, kept: &Kept) -> Result<Vec<Accepted>> {
    let (from, of) = (kept.edit.from, &kept.edit.of);
    let Some(plan) = Plan::new(&engine.def, from.epoch) else { return Ok(Vec::new()) };
    let has_function = plan.stretches.iter().any(|stretch| stretch.migrate.is_some());
    if !has_function || !matches!(Root::parse(&of.root), Some(Root::Table(_))) {
        return Ok(Vec::new());
    }
    let failure = ReadFailure::default();
    let document = Document::new(engine.view(), &from.to_string(), &failure);
    let entry = document.entry(&of.root, &of.key);
    failure.take()?;
    let is_of_it = |id| {
        let mut parts = kept.key.parts.iter();
        parts.any(|part| part.origin == PartOf::Edit(from, id))
    };
    let Some(Entry { content: Content::Text(json), .. }) = entry.filter(|entry| is_of_it(entry.id))
    else {
        return Ok(Vec::new());
    };
    let taken = taken(&plan, kept, &StoppedAt::new(from.epoch, of.clone()), &json)?;
    Ok(taken.rows.into_iter().filter(|row| row.is_made).collect())
}

/// Converts it with the code as it is now, which may convert what earlier code could not: alone, through the
/// steps that it has still to go, `migrate` functions included.
fn converted(engine: &Engine, kept: &Kept) -> Result<Vec<Accepted>> {
    let stopped_at = kept.edit.stopped_at();
    let Some(raw) = &kept.edit.raw else { return refused("its old value is not known") };
    if stopped_at.is_unseen {
        return refused(&format!(
            "{}, before the `migrate` function of epoch {} ran",
            kept.edit.reason.as_deref().unwrap_or("another row has taken its place"),
            stopped_at.epoch
        ));
    }
    let Some(plan) = Plan::new(&engine.def, stopped_at.epoch) else {
        return refused(&format!("the code does not know epoch {}", stopped_at.epoch));
    };
    let taken = taken(&plan, kept, &stopped_at, raw)?;
    let is_own = |root: &Root| root.name() == kept.key.at.root;
    let mut rejected = taken.rejected.iter();
    // If it comes to rows of several tables, each is kept on its own.
    let own_first = rejected.clone().find(|row| is_own(&row.root)).or_else(|| rejected.next());
    let has_own = taken.rows.iter().any(|row| !row.is_made && is_own(&row.root));
    if let Some(row) = own_first.filter(|_| !has_own) {
        return refused(&describe(&row.failure));
    }
    if taken.rows.is_empty() {
        return refused("the conversion made nothing of it");
    }
    let rows = taken.rows.into_iter();
    Ok(rows.filter(|row| row.is_made || !has_own || is_own(&row.root)).collect())
}

/// [`taken_alone`]; that a function refuses is a reason like any other.
fn taken(plan: &Plan, kept: &Kept, stopped_at: &StoppedAt, raw: &str) -> Result<Taken> {
    match taken_alone(plan, kept, stopped_at, raw) {
        Err(error) if error.kind() == ErrorKind::Migration => {
            refused(error.what()).map_err(|refusal: Error| refusal.because(error))
        }
        taken => taken,
    }
}

/// Takes a row or entry alone to the epoch of the code.
fn taken_alone(plan: &Plan, kept: &Kept, stopped_at: &StoppedAt, raw: &str) -> Result<Taken> {
    let take = |rows: RowsOf<'_>| {
        let mut taken = Taken { to: plan.to, rows: Vec::new(), rejected: Vec::new() };
        let source = Source::alone(kept.edit.from, plan.from, rows);
        prepare(plan, source, false, &|_| {}, &mut taken)?.pour(&mut taken)?;
        Ok(taken)
    };
    match Root::parse(&stopped_at.root) {
        Some(Root::Table(name)) => {
            let Some(table_idx) = plan.from.table_idx(&name) else {
                return refused(&format!("epoch {} has no table `{name}`", stopped_at.epoch));
            };
            let table = &plan.from.tables[table_idx];
            let row = SourceRow {
                key: (table.read_key)(&stopped_at.key),
                key_text: stopped_at.key.clone(),
                base: Base::Parts(Arc::new(kept.key.parts.clone())),
                content: Content::Text(raw.into()),
            };
            if !plan.is_identity() {
                return take(RowsOf::One(table_idx, Box::new(row)));
            }
            match convert_row(table, 0, table.name, &row)? {
                Ok(row) => Ok(Taken::one(plan, Root::Table(name), row.key_text, row.json)),
                Err(failure) => refused(&describe(&failure)),
            }
        }
        Some(Root::Group(name)) => {
            let Some(group_idx) = plan.from.group_idx(&name) else {
                return refused(&format!("epoch {} has no kv group `{name}`", stopped_at.epoch));
            };
            if plan.is_identity() {
                return Ok(Taken::one(
                    plan,
                    Root::Group(name),
                    stopped_at.key.clone(),
                    raw.to_owned(),
                ));
            }
            let base = Base::Parts(Arc::new(kept.key.parts.clone()));
            let entries = vec![(stopped_at.key.clone(), base, raw.to_owned())];
            let mut with = take(RowsOf::Group(group_idx, entries))?;
            // Rows that come without it, too, are not of it.
            let without = take(RowsOf::Group(group_idx, Vec::new()))?.rows;
            let is_same = |a: &Accepted, b: &Accepted| {
                (&a.root, &a.key, &a.json) == (&b.root, &b.key, &b.json)
            };
            with.rows.retain(|row| !without.iter().any(|other| is_same(row, other)));
            Ok(with)
        }
        _ => refused("it does not belong to a table"),
    }
}

/// The rows that a row or entry becomes on its way.
struct Taken {
    to: StoreDef,
    rows: Vec<Accepted>,
    rejected: Vec<Rejected>,
}

impl Taken {
    fn one(plan: &Plan, root: Root, key: String, json: String) -> Self {
        let rows = vec![Accepted { root, key, json, is_made: false }];
        Self { to: plan.to, rows, rejected: Vec::new() }
    }
}

impl Sink for Taken {
    fn row(&mut self, table_idx: TableIdx, row: NewRow) -> Result<()> {
        let root = Root::Table(self.to.tables[table_idx].name.to_owned());
        let (key, json, is_made) = (row.key_text, row.json, row.base == Base::Made);
        self.rows.push(Accepted { root, key, json, is_made });
        Ok(())
    }

    fn entry(&mut self, group_idx: GroupIdx, name: &str, base: &Base, json: &str) -> Result<()> {
        let root = Root::Group(self.to.groups[group_idx].name.to_owned());
        let (key, json, is_made) = (name.to_owned(), json.to_owned(), *base == Base::Made);
        self.rows.push(Accepted { root, key, json, is_made });
        Ok(())
    }

    fn reject(&mut self, rejected: Rejected) -> Result<()> {
        self.rejected.push(rejected);
        Ok(())
    }
}

fn refused<T>(reason: &str) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidRow, format!("it still cannot be converted: {reason}"))
        .help("store a corrected row with `put`, and then `dismiss` this one"))
}

fn gone(kept: &Kept) -> Error {
    Error::new(ErrorKind::NotFound, "it is not in quarantine any more, or has changed")
        .at_key(kept.key.at.key.clone())
        .help("list the quarantine again")
}

//! Bringing a file of format 1 to the current format: documents, which it keeps as records of updates, become
//! tables.
//!
//! A record can be damaged. What it held is then missing from the document, though readers still see its
//! rows, which the file keeps beside it. To refuse such a file would make it read-only for good, and to drop
//! those rows would lose them without a peer that has them. So the upgrade takes what can be read, and makes
//! up for the rest by what readers see: a row whose item is missing is written again, a row that is missing
//! there is removed. That is sound because it is done as any user would, in new writes after whatever the
//! document holds, under a device id that is new: the missing clocks of the old one are known to peers and
//! must not be given out again. A peer that has what is missing sends it as it would to any device; of its
//! write and ours, all devices then choose the same. Of documents that are not current readers see nothing;
//! there, what is missing stays missing until a peer sends it. All of that is reported.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use serde::Deserialize;

use super::documents::DocName;
use super::internal_writes::show;
use super::late_edits::{Copies, LateEdits, StoredEdit};
use super::open::{Engine, key_forms};
use super::progress::{Progress, REPORT_EVERY_ROWS};
use super::writer::Writer;
use crate::disk::{
    Commit, HEAD_DOCUMENT, OldRows, StagedDocument, StoredDocument, StoredRow, View,
};
use crate::doc::items::ReadItems;
use crate::doc::{ChangedKeys, Entry, EntryOp, EntryWrite, Root, merge, write};
use crate::error::{ErrorKind, Result};
use crate::row::{Content, EntryRef, ItemId, KeyForm};
use crate::schema::descriptor::{StoreDef, TableDef, TableIdx};

/// The facts that only files of format 1 have.
const COVERAGE: &str = "coverage";
const DAMAGE: &str = "damage";

/// Which tables a file of format 1 has for readers. Every table of the current document is either in
/// `tables`, and then readers see all of it, or in `absent`.
/// The word for the kind of a table's key; format 1 had none for a key of several fields.
fn kind_of(table: &TableDef) -> &'static str {
    match table.key {
        [kind] => kind.name(),
        _ => "several",
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Coverage {
    /// Tables that are up to date, with the kind of their key.
    #[serde(default)]
    tables: BTreeMap<String, String>,
    /// Tables that changed while the running code did not declare them.
    #[serde(default)]
    absent: BTreeSet<String>,
}

impl Coverage {
    pub(super) fn of(view: &View) -> Result<Self> {
        let meta = view.meta()?;
        Ok(meta.text(COVERAGE).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default())
    }

    /// The declared tables that cannot be read before the file is upgraded.
    pub(super) fn to_rebuild(&self, def: &StoreDef) -> Vec<TableIdx> {
        let is_ready = |table: &TableDef| {
            let kind_changed =
                self.tables.get(table.name).is_some_and(|kind| kind != kind_of(table));
            !kind_changed && !self.absent.contains(table.name)
        };
        def.tables_by_idx().filter(|(_, table)| !is_ready(table)).map(|(idx, _)| idx).collect()
    }

    /// How the keys of a table are written; `None` for one whose rows are out of date.
    fn form(&self, table: &str, declared: Option<&TableDef>) -> Option<KeyForm> {
        if self.absent.contains(table) {
            return None;
        }
        let kind = self.tables.get(table).map(String::as_str);
        match declared {
            Some(declared) if kind.is_none_or(|kind| kind == kind_of(declared)) => {
                Some(KeyForm::of(declared))
            }
            // Of a table that the code does not declare, or otherwise, only its name tells the prefix.
            _ if kind == Some("id") => Some(KeyForm::ids(table)),
            _ => KeyForm::parse(kind?),
        }
    }
}

/// The facts found out about a file on its way to the current format.
#[derive(Default)]
struct Upgrade {
    /// The code of the epoch of the current document, if this code knows it.
    def: Option<StoreDef>,
    coverage: Coverage,
    done: u64,
    total: u64,
    /// The id under which what is missing is written again.
    device: Option<u64>,
    problems: Vec<String>,
    /// The tables of the current document of which readers see something else than before.
    changed: HashSet<String>,
}

impl Engine {
    /// Brings a file of an earlier format to the current one, in one commit. To be called before a document
    /// is read or anything is written.
    pub(crate) fn upgrade(&self, writer: &mut Writer) -> Result<()> {
        if !self.with_view(View::is_of_older_format) {
            return Ok(());
        }
        self.refuse_to_prepare("only the rows of a file of an earlier format can be read")?;
        let view = self.view();
        let names = view.format_1_documents()?;
        let mut upgrade = Upgrade {
            def: self.def.at_epoch(writer.current.epoch),
            coverage: Coverage::of(&view)?,
            ..Upgrade::default()
        };
        for name in &names {
            upgrade.total += view.format_1_record_count(name)?;
        }
        self.settings.report(Progress::Upgrade { done: 0, total: upgrade.total });
        let before = (writer.documents.clone(), writer.device, writer.unrecorded);
        writer.unrecorded.identity = true;
        let stored = self.store(writer, |writer, commit| {
            for name in &names {
                self.upgrade_document(writer, commit, &view, name, &mut upgrade)?;
            }
            commit.remove_meta(COVERAGE)?;
            commit.remove_meta(DAMAGE)?;
            if let Some(device) = upgrade.device {
                writer.renew_device(device);
            }
            self.begin_indexes_anew(writer, &view, &upgrade)?;
            self.record_indexes(writer, commit)
        });
        if let Err(error) = stored {
            (writer.documents, writer.device, writer.unrecorded) = before;
            return Err(error);
        }
        self.settings.report(Progress::Upgrade { done: upgrade.total, total: upgrade.total });
        for what in upgrade.problems {
            self.settings.report(Progress::Problem { what });
        }
        Ok(())
    }

    /// Indexes are kept, apart from those of tables whose rows they would not give.
    fn begin_indexes_anew(
        &self,
        writer: &mut Writer,
        view: &Arc<View>,
        upgrade: &Upgrade,
    ) -> Result<()> {
        if writer.current.epoch != self.def.epoch {
            return Ok(());
        }
        let mut table_idxs = upgrade.coverage.to_rebuild(&self.def);
        let changed = self.def.tables_by_idx();
        let changed = changed.filter(|(_, table)| upgrade.changed.contains(table.name));
        table_idxs.extend(changed.map(|(table_idx, _)| table_idx));
        if !table_idxs.is_empty() {
            self.cover_indexes(writer, view)?;
            self.reset_indexes(writer, &table_idxs);
        }
        Ok(())
    }

    fn upgrade_document(
        &self,
        writer: &mut Writer,
        commit: &Commit,
        view: &Arc<View>,
        name: &str,
        upgrade: &mut Upgrade,
    ) -> Result<()> {
        let doc_name = DocName::parse(name);
        let is_current = doc_name == Some(writer.current);
        commit.clear_format_1(name)?;
        let base = StoredDocument::to_fill(view.clone(), name);
        let forms = match &upgrade.def {
            Some(def) if is_current => key_forms(def),
            _ => Arc::from([]),
        };
        let mut document = commit.document(&base, forms)?;
        // A peer may hold the same, and is then sent only what comes after.
        document.begin_merge(BTreeSet::new());
        let device = writer.device.unwrap_or_default();
        let (mut last, mut is_whole) = (0, true);
        view.each_format_1_record(name, &mut |record| {
            last = last.max(record.sequence);
            let damage = match record.update {
                Ok(update) => match merge(&mut document, device.into(), &update) {
                    Ok(_) => None,
                    Err(error) if error.kind() == ErrorKind::InvalidUpdate => {
                        Some(error.to_string())
                    }
                    Err(error) => return Err(error),
                },
                Err(why) => Some(why.to_owned()),
            };
            if let Some(why) = damage {
                let (part, sequence) = match record.is_snapshot {
                    true => ("the snapshot up to", record.sequence),
                    false => ("record", record.sequence),
                };
                let problem = format!("{part} {sequence} of document `{name}`: {why}");
                upgrade.problems.push(problem);
                is_whole = false;
            }
            upgrade.done += 1;
            if upgrade.done.is_multiple_of(REPORT_EVERY_ROWS) {
                let (done, total) = (upgrade.done, upgrade.total);
                self.settings.report(Progress::Upgrade { done, total });
            }
            Ok(())
        })?;
        if !is_whole {
            self.device_of(upgrade);
        }
        if is_current || name == HEAD_DOCUMENT {
            let old = OldRows::open(view, name, |table| {
                let declared = upgrade
                    .def
                    .and_then(|def| def.tables.iter().find(|declared| declared.name == table));
                upgrade.coverage.form(table, declared)
            })?;
            let reconciled = self.reconcile(writer, &mut document, &old, is_whole, upgrade)?;
            reconciled.report(name, upgrade);
        }
        if is_current {
            let late_edits = LateEdits::of_staged(&document)?;
            let mut shown = ChangedKeys::new();
            for EntryRef { root, key } in late_edits.entries() {
                shown.entry(root.as_str().into()).or_default().insert(key.as_str().into());
            }
            let copies = self.copies(writer.current, writer.claim());
            show(&late_edits, &mut document, copies, &shown)?;
        }
        // The same number that the file had given its last record: how far late edits were carried and the
        // device got is told by it.
        document.set_commits(last);
        if let Some(fact) = doc_name.and_then(|name| writer.documents.0.get_mut(&name)) {
            fact.set_version(document.version()?);
            fact.waits = document.has_waiting()?;
            writer.unrecorded.documents = true;
        }
        document.finish().map(drop)
    }

    /// The id under which what is missing is written again.
    fn device_of(&self, upgrade: &mut Upgrade) -> u64 {
        *upgrade.device.get_or_insert_with(|| self.new_device())
    }

    /// Holds the document against what readers see, and makes up for what it lacks.
    fn reconcile(
        &self,
        writer: &Writer,
        document: &mut StagedDocument<'_>,
        old: &OldRows,
        is_whole: bool,
        upgrade: &mut Upgrade,
    ) -> Result<Reconciled> {
        let mut found = Reconciled::default();
        let mut late_ids = HashSet::new();
        // First what late edits are made of, since that decides what shows in rows and entries.
        let nothing = LateEdits::default();
        let copies = self.copies(writer.current, writer.claim());
        old.each(|root| !holds_rows(root), &mut |root, key, row| {
            late_ids.insert(row.id());
            let at = EntryRef::new(root, key);
            found.compare(document, (&nothing, copies), &late_ids, &at, row)
        })?;
        self.write_missing(document, &mut found, upgrade)?;
        let late_edits = LateEdits::of_staged(document)?;
        old.each(holds_rows, &mut |root, key, row| {
            let at = EntryRef::new(root, key);
            found.compare(document, (&late_edits, copies), &late_ids, &at, row)
        })?;
        let mut surplus = Vec::new();
        document.each_staged(&mut |root, key| {
            let is_read = match Root::parse(root) {
                Some(Root::Table(table)) => !upgrade.coverage.absent.contains(&table),
                Some(_) => true,
                None => false,
            };
            if is_read && !old.contains(root, key)? {
                surplus.push(EntryRef::new(root, key));
            }
            Ok(())
        })?;
        for at in surplus {
            if is_whole {
                found.differing.push(at);
            } else {
                found.missing.push((at, None));
            }
        }
        self.write_missing(document, &mut found, upgrade)?;
        Ok(found)
    }

    fn write_missing(
        &self,
        document: &mut StagedDocument<'_>,
        found: &mut Reconciled,
        upgrade: &mut Upgrade,
    ) -> Result<()> {
        let missing = std::mem::take(&mut found.missing);
        if missing.is_empty() {
            return Ok(());
        }
        let device = self.device_of(upgrade);
        let ops = missing.iter().map(|(at, json)| EntryOp {
            root: &at.root,
            key: &at.key,
            write: EntryWrite::of(json.as_deref()),
        });
        write(document, device, ops)?;
        found.written.extend(missing.into_iter().map(|(at, _)| at));
        Ok(())
    }
}

/// Whether readers see what stands under a root as rows or entries.
fn holds_rows(root: &str) -> bool {
    matches!(Root::parse(root), Some(Root::Table(_) | Root::Group(_)))
}

/// The differences between a document and what readers see of it.
#[derive(Default)]
struct Reconciled {
    /// The keys that the document lacks: the JSON that readers see, or `None` if they see nothing.
    missing: Vec<(EntryRef, Option<String>)>,
    /// The same, once it is written.
    written: Vec<EntryRef>,
    /// The keys that the document says otherwise, and that are taken from it.
    differing: Vec<EntryRef>,
    /// The keys that the document lacks and that cannot be written again, since another program had
    /// put them there.
    lost: Vec<EntryRef>,
}

impl Reconciled {
    fn compare(
        &mut self,
        document: &StagedDocument<'_>,
        (late_edits, copies): (&LateEdits, Copies<'_>),
        late_ids: &HashSet<ItemId>,
        at: &EntryRef,
        row: &StoredRow<'_>,
    ) -> Result<()> {
        let own = document.value(&at.root, &at.key)?.map(Entry::from);
        let own_id = own.as_ref().map(|own| own.id);
        let content = row.content();
        let shown = late_edits.showing(document, copies, at, own_id)?.map(StoredEdit::shown);
        let now = match &shown {
            Some((id, json)) => Some((*id, Content::Text(json.as_str().into()))),
            None => own.map(|own| (own.id, own.content)),
        };
        let is_same = now.is_some_and(|(id, now)| {
            // How JSON shows what another program wrote may have changed with this code.
            let is_foreign = matches!((&now, &content), (Content::Foreign(_), Content::Foreign(_)));
            id == row.id() && (is_foreign || now == content)
        });
        if is_same {
            return Ok(());
        }
        let is_here = row.id().clock < document.clock(row.id().client)?;
        if is_here {
            self.differing.push(at.clone());
        } else if !(holds_rows(&at.root) && late_ids.contains(&row.id())) {
            match content {
                Content::Text(json) => self.missing.push((at.clone(), Some(json.to_string()))),
                Content::Foreign(_) => self.lost.push(at.clone()),
            }
        }
        Ok(())
    }

    fn report(&self, document: &str, upgrade: &mut Upgrade) {
        let said = [
            (
                &self.written,
                "are missing from its readable part, and were written again as they were seen",
            ),
            (&self.differing, "differ from what readers saw, and were taken from the document"),
            (&self.lost, "are missing from its readable part, and could not be written again"),
        ];
        for (entries, what) in said {
            let Some(EntryRef { root, key }) = entries.first() else { continue };
            let count = entries.len();
            upgrade.problems.push(format!(
                "document `{document}`: {count} of its entries {what}; the first is `{key}` of `{root}`"
            ));
        }
        let entries = self.written.iter().chain(&self.differing).chain(&self.lost);
        let tables = entries.filter_map(|at| at.root.strip_prefix("table:"));
        upgrade.changed.extend(tables.map(str::to_owned));
    }
}

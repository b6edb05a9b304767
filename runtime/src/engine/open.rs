//! An open store without its types, and how it comes to be.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::clock::Clock;
use super::current_view::{CurrentView, OldReaders};
use super::damage::Damage;
use super::documents::DocName;
use super::frontier::Frontier;
use super::head::{Compared, read_claims};
use super::hub::Hub;
use super::ids::IdSource;
use super::indexes::{Indexes, index_names};
use super::lock::{LockUser, WriterGuard, WriterLock};
use super::maintain::usual_history_limit;
use super::meta_keys;
use super::progress::Progress;
use super::read_counts::ReadCounts;
use super::writer::Writer;
use crate::disk::{Disk, FORMAT, IndexFacts, Location, Meta, StorageOptions, View, ViewNames};
use crate::doc::Root;
use crate::error::{Error, ErrorKind, Result};
use crate::row::KeyForm;
use crate::schema::Code;
use crate::schema::descriptor::StoreDef;

/// How a store is opened.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Whether a commit waits for the disk.
    pub(crate) durable: bool,
    pub(crate) progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
    pub(crate) storage: StorageOptions,
    /// The source of ids, in tests.
    pub(crate) ids: Option<IdSource>,
    /// Tells the time, if not the system does.
    pub(crate) clock: Option<Clock>,
    /// Whether a store that newer code has written is refused.
    pub(crate) refuse_newer_schema: bool,
    pub(crate) on_invalid: OnInvalid,
    /// How many bytes the items of the current document may take before it is rebuilt; of an open store, never
    /// `None`.
    pub(crate) history_limit: Option<u64>,
    /// Whether every write of the app is refused, in a store that is filled in memory.
    pub(crate) read_only: bool,
    /// How many lost edits are kept.
    pub(crate) max_lost_edits: u64,
}

/// The choice of what a migration does with rows that do not decode or cannot be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OnInvalid {
    /// Keeps them in [quarantine](crate::Store::quarantine), with their raw JSON and what is wrong;
    /// the rest is migrated. This is the default.
    #[default]
    Quarantine,
    /// Fails the migration; nothing is changed. Use it if an app must not start with a part of its
    /// rows.
    Fail,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            durable: true,
            progress: None,
            storage: StorageOptions::default(),
            ids: None,
            clock: None,
            refuse_newer_schema: false,
            on_invalid: OnInvalid::default(),
            history_limit: None,
            read_only: false,
            max_lost_edits: 10_000,
        }
    }
}

impl Settings {
    pub(crate) fn report(&self, progress: Progress) {
        if let Some(report) = &self.progress {
            report(progress);
        }
    }
}

/// An open store.
pub(crate) struct Engine {
    pub(crate) def: StoreDef,
    pub(crate) code: Code,
    pub(crate) indexes: Indexes,
    pub(crate) read_counts: ReadCounts,
    pub(super) damage: Damage,
    pub(crate) hub: Arc<Hub>,
    pub(crate) disk: Disk,
    pub(crate) settings: Settings,
    pub(super) view: CurrentView,
    /// The number of the view; it counts up with every commit.
    stamp: AtomicU64,
    /// Whether that is of a file which an error has closed, and which did not open again.
    pub(super) is_view_closed: AtomicBool,
    writer: WriterLock,
    /// The frontiers of migrations, as far as they were asked for.
    pub(super) frontiers: Mutex<BTreeMap<DocName, Arc<Frontier>>>,
    /// How the rows of the declared tables are kept, by root.
    pub(super) key_forms: Arc<[(String, KeyForm)]>,
    /// Whether commits wait to be made durable.
    pub(crate) unflushed: AtomicBool,
    /// Whether indexes wait to be built.
    pub(crate) unbuilt: AtomicBool,
    /// Whether the current document takes more than its history may.
    pub(crate) is_outgrown: AtomicBool,
    /// Set when the store closes, so that background work ends early.
    pub(crate) closing: AtomicBool,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("store", &self.def.name).finish_non_exhaustive()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(mut writer) = self.writer.lock(LockUser::Writers)
            && let Some(commits) = writer.loaded.as_ref().map(|loaded| loaded.document.commits())
            && writer.is_marked
        {
            self.mark(&mut writer, commits);
        }
    }
}

impl Engine {
    /// Opens the store at `location`; tells whether it is new, and then nothing is stored yet: the
    /// first transaction must go through [`create`](Self::create).
    pub(crate) fn open(
        code: Code,
        location: &Location,
        mut settings: Settings,
    ) -> Result<(Self, bool)> {
        let def = *code.def();
        let in_store = |error: Error| error.at_store(def.name);
        let (disk, is_new) = Disk::open(location, settings.storage.clone()).map_err(in_store)?;
        let at_file = |error: Error| match disk.path() {
            Some(path) => in_store(error).at_file(path),
            None => in_store(error),
        };
        let whereabouts = disk.whereabouts().0;
        settings.history_limit.get_or_insert(usual_history_limit(whereabouts));
        let view = disk.view().map_err(at_file)?;
        let writer = if is_new {
            Writer::of_new_store(def.epoch)
        } else {
            let refuse_newer = settings.refuse_newer_schema;
            writer_of(&code, &view, whereabouts, refuse_newer).map_err(at_file)?
        };
        let damage = match is_new {
            true => Damage::default(),
            false => Damage::of_file(&view.meta().map_err(at_file)?),
        };
        let names = Arc::new(view_names(&def, writer.current));
        disk.show(names.clone());
        let view = view.with_names(names);
        view.look_at_blocks(damage.recorded_blocks()).map_err(at_file)?;
        // The tables of other epochs are not those of this code.
        let is_readable = writer.current.epoch == def.epoch;
        let engine = Self {
            def,
            code,
            indexes: Indexes::of(&def),
            read_counts: ReadCounts::default(),
            damage,
            hub: Arc::new(Hub::default()),
            disk,
            settings,
            view: CurrentView::new(view),
            stamp: AtomicU64::new(0),
            is_view_closed: AtomicBool::new(false),
            writer: WriterLock::new(writer),
            frontiers: Mutex::default(),
            key_forms: key_forms(&def),
            unflushed: AtomicBool::new(false),
            unbuilt: AtomicBool::new(false),
            is_outgrown: AtomicBool::new(false),
            closing: AtomicBool::new(false),
        };
        if is_readable && !is_new {
            let rekeyed = engine.lock_writer().and_then(|mut writer| {
                let current = writer.current;
                engine.rekey(&mut writer, current)
            });
            rekeyed.map_err(|error| engine.placed(error))?;
        }
        Ok((engine, is_new))
    }

    /// The id under which this copy writes; `None` before it has written anything.
    pub(crate) fn device(&self) -> Result<Option<u64>> {
        let meta = self.view().meta().map_err(|error| self.placed(error))?;
        let is_here = || meta.number(meta_keys::WHEREABOUTS) == Some(self.disk.whereabouts().0);
        let device = meta.number(meta_keys::DEVICE);
        Ok(device.filter(|_| self.disk.path().is_none() || is_here()))
    }

    /// Whether rows, entries or items are withheld from other devices, since they are damaged.
    pub(crate) fn is_damaged(&self) -> Result<bool> {
        let view = self.view();
        let left = self.damage.first_left(&view).map_err(|error| self.placed(error))?;
        Ok(left.is_some() || !view.damaged_blocks().is_empty())
    }

    /// Returns the view that readers see.
    pub(crate) fn view(&self) -> Arc<View> {
        self.view.get()
    }

    /// [`view`](Self::view) for a short look, without counting a reference.
    pub(crate) fn with_view<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        self.view.with(look)
    }

    /// The readers of what was before the last commit.
    pub(crate) fn old_readers(&self) -> OldReaders {
        self.view.old_readers()
    }

    /// Shows readers what was committed last.
    pub(crate) fn refresh_view(&self) -> Result<()> {
        let view = self.view_of_disk(self.stamp() + 1)?;
        view.look_at_blocks(self.view().damaged_blocks())?;
        self.stamp.store(view.stamp, Ordering::Release);
        self.view.replace(view);
        Ok(())
    }

    pub(super) fn stamp(&self) -> u64 {
        self.stamp.load(Ordering::Acquire)
    }

    /// Returns the newest commit as the view of a number.
    pub(super) fn view_of_disk(&self, stamp: u64) -> Result<View> {
        self.is_view_closed.store(true, Ordering::Release);
        let mut view = self.disk.view()?;
        self.is_view_closed.store(false, Ordering::Release);
        view.stamp = stamp;
        Ok(view)
    }

    /// After a commit that failed, and with which earlier ones may be gone that were not on disk yet: what
    /// the writer knows is read from the file again. If even that fails, it keeps what it knows but the
    /// documents.
    pub(super) fn reread(&self, writer: &mut Writer) {
        // The file may have been opened again, and then readers need it, too.
        let _ = self.refresh_view();
        writer.forget_loaded();
        writer.is_recorded = false;
        let view = self.view();
        let is_stored = view.meta().is_ok_and(|meta| identity(&meta).is_ok());
        let read = is_stored.then(|| {
            let whereabouts = self.disk.whereabouts().0;
            writer_of(&self.code, &view, whereabouts, self.settings.refuse_newer_schema)
        });
        if let Some(Ok(read)) = read {
            // Readers still see a view that is made by the claim from before.
            *writer = Writer { is_claim_new: writer.is_claim_new, ..read };
        }
        self.reread_indexes(writer);
    }

    /// Refuses to write to a store that is there to be read.
    pub(crate) fn refuse_if_read_only(&self) -> Result<()> {
        if self.disk.is_read_only() {
            return Err(Error::new(ErrorKind::ReadOnly, "the store was opened read-only")
                .at_store(self.def.name)
                .help("nothing was changed; open it without `read_only` to write"));
        }
        if !self.settings.read_only {
            return Ok(());
        }
        Err(Error::new(ErrorKind::ReadOnly, "the store is a view of an earlier epoch")
            .at_store(self.def.name)
            .help("write to the store of the current epoch instead"))
    }

    /// Refuses what reading needs to be written first, such as the file in another format.
    pub(crate) fn refuse_to_prepare(&self, what: impl Into<String>) -> Result<()> {
        if !self.disk.is_read_only() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::ReadOnly, what)
            .at_store(self.def.name)
            .help("nothing was changed; open the store once without `read_only`, which brings it up to date"))
    }

    /// Waits for other writers.
    pub(crate) fn lock_writer(&self) -> Result<WriterGuard<'_>> {
        self.lock_for(LockUser::Writers)
    }

    /// Waits for other writers, as one who comes back often: writers and upkeep take turns.
    pub(super) fn lock_for_upkeep(&self) -> Result<WriterGuard<'_>> {
        self.lock_for(LockUser::Upkeep)
    }

    fn lock_for(&self, user: LockUser) -> Result<WriterGuard<'_>> {
        let mut writer = self.writer.lock(user).ok_or_else(|| {
            Error::new(
                ErrorKind::NestedTransaction,
                "a write was started inside a transaction of the same store",
            )
            .at_store(self.def.name)
            .help("inside `transaction`, write through its transaction: `tx.insert(…)`")
        })?;
        if std::mem::take(&mut writer.is_flushed_later) {
            // The thread that had it before has panicked.
            self.hub.release();
        }
        if self.is_view_closed.load(Ordering::Acquire) {
            // If it still does not open, the next step says so.
            let _ = self.refresh_view();
        }
        Ok(writer)
    }

    /// Remembers what an error says to be damaged, so that other devices are asked for it.
    pub(crate) fn notice_damage(&self, error: &Error) {
        if error.kind() == ErrorKind::Corrupt {
            self.damage.notice(error);
        }
    }

    /// The error with the store and its file.
    pub(crate) fn placed(&self, error: Error) -> Error {
        if error.kind() == ErrorKind::Custom {
            return error;
        }
        self.notice_damage(&error);
        let error = error.at_store(self.def.name);
        // The file says where to look when the storage is at fault; elsewhere it is noise.
        let about_file = matches!(
            error.kind(),
            ErrorKind::Storage | ErrorKind::Corrupt | ErrorKind::Locked | ErrorKind::NewerFormat
        );
        match self.disk.path() {
            Some(path) if about_file => error.at_file(path),
            _ => error,
        }
    }
}

/// Reads the facts of a file that its writer needs.
fn writer_of(
    code: &Code,
    view: &View,
    whereabouts: u64,
    refuse_newer_schema: bool,
) -> Result<Writer> {
    let meta = view.meta()?;
    check_identity(code.def(), &meta)?;
    let compared = Compared::with_file(code, &meta, view, refuse_newer_schema)?;
    let current = current_document(&meta)?;
    let claims = read_claims(view)?;
    Ok(Writer::of_existing(&meta, current, claims, whereabouts, compared))
}

/// How the rows of a store's tables are kept, by root.
pub(super) fn key_forms(def: &StoreDef) -> Arc<[(String, KeyForm)]> {
    let tables = def.tables.iter();
    tables.map(|table| (Root::Table(table.name.to_owned()).name(), KeyForm::of(table))).collect()
}

/// The tables of a store's code in a document.
pub(crate) fn view_names(def: &StoreDef, document: DocName) -> ViewNames {
    let document = document.to_string();
    ViewNames::new(
        &document,
        def.tables.iter().map(|table| table.name),
        def.groups.iter().map(|group| group.name),
    )
    .with_indexes(index_names(def, &document))
}

/// Reads the recorded facts about the indexes of a file.
pub(crate) fn index_facts_of(meta: &Meta) -> IndexFacts {
    meta.bytes(meta_keys::INDEXES).map(IndexFacts::parse).unwrap_or_default()
}

/// The data document that is current in a file.
pub(crate) fn current_document(meta: &Meta) -> Result<DocName> {
    let name = meta.text(meta_keys::DOCUMENT).unwrap_or_default();
    DocName::parse(name).ok_or_else(|| {
        Error::new(ErrorKind::Corrupt, "the file does not say which document is current")
            .expecting("the name of a document, such as `0`")
            .finding(format!("`{name}`"))
            .help("restore a backup, or start a new file and let another device's changes fill it")
    })
}

fn check_identity(def: &StoreDef, meta: &Meta) -> Result<()> {
    let (_, store) = identity(meta)?;
    if store != def.name {
        return Err(Error::new(ErrorKind::WrongStore, "the file belongs to another store")
            .expecting(format!("the store `{}`", def.name))
            .finding(format!("the store `{store}`"))
            .help("check the path; the file was not changed"));
    }
    Ok(())
}

/// The format of a file, and the name of its store.
pub(crate) fn identity(meta: &Meta) -> Result<(u64, &str)> {
    let (Some(format), Some(store)) = (meta.number(meta_keys::FORMAT), meta.text(meta_keys::STORE))
    else {
        return Err(Error::new(
            ErrorKind::WrongStore,
            "the file is a redb database of another program, not a heirloom store",
        )
        .help("check the path"));
    };
    if format == 0 {
        return Err(Error::new(
            ErrorKind::Corrupt,
            "the file says of itself that it has no format",
        )
        .expecting(format!("a file format from 1 to {FORMAT}"))
        .finding("0")
        .help("the file is damaged: restore a backup"));
    }
    if format > FORMAT {
        return Err(Error::new(
            ErrorKind::NewerFormat,
            "the file was written by a newer version of heirloom",
        )
        .expecting(format!("file format {FORMAT} or older"))
        .finding(format!("file format {format}"))
        .help("update the app; the file was not changed"));
    }
    Ok((format, store))
}

//! Migrations, and what comes of them, interrupted at every storage operation: the old epoch stays
//! whole, and what was interrupted is done again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use crate::faults::{Disk, Fault};
use crate::stores::{is_done, text_of, v0, v1, v2};
use crate::support::{assert_sound, child, rows};
use heirloom::__private::{StorageHook, StorageOp};
use heirloom::sync::{Changes, Summary};
use heirloom::{Durability, Id, Result, Store};
use uuid::Uuid;

/// A row that cannot be taken to the next epoch.
const NOBODY: u32 = 5;

fn fill(app: &v0::App) {
    let tag_id = |number: u32| Id::from_uuid(Uuid::from_u128(u128::from(number)));
    app.transaction(|tx| {
        for id in 0..20 {
            let legacy = Some("old".to_owned());
            tx.put(&v0::Note { id, text: text_of(id), done: is_done(id), legacy })?;
        }
        for number in 1..4 {
            tx.put(&v0::Tag { id: tag_id(number), name: text_of(number) })?;
        }
        for number in [1, NOBODY] {
            tx.put(&v0::Person { id: number.to_string(), name: text_of(number) })?;
        }
        tx.set(&app.settings.ui_language, &text_of(7))?;
        tx.set(&app.settings.volume, &7)
    })
    .unwrap();
}

/// The texts of a store, by table and key, whatever the epoch calls them.
type Texts = BTreeMap<(&'static str, String), String>;

trait Texted: Store {
    fn texts(&self) -> Texts;
}

macro_rules! texted {
    ($app:ty, $text:ident, $labels:ident, $language:ident) => {
        impl Texted for $app {
            fn texts(&self) -> Texts {
                let mut texts = Texts::new();
                for note in rows(&self.notes) {
                    texts.insert(("note", note.id.to_string()), note.$text);
                }
                for tag in rows(&self.$labels) {
                    texts.insert(("tag", tag.id.uuid().to_string()), tag.name);
                }
                for person in rows(&self.people) {
                    texts.insert(("person", person.id.clone()), person.name);
                }
                let settings = self.settings.get().unwrap();
                texts.insert(("language", String::new()), settings.$language);
                texts.insert(("volume", String::new()), settings.volume.to_string());
                texts
            }
        }
    };
}

texted!(v0::App, text, tags, ui_language);
texted!(v1::App, title, labels, language);
texted!(v2::App, title, labels, language);

/// Returns the texts that [`fill`] writes, as they are in the first epoch, and in all later ones.
fn filled() -> (Texts, Texts) {
    let app = v0::App::in_memory().unwrap();
    fill(&app);
    let before = app.texts();
    let mut after = before.clone();
    after.remove(&("person", NOBODY.to_string()));
    (before, after)
}

/// The old epoch is current and whole, or was left; the newest has everything.
#[track_caller]
fn assert_whole(path: &Path, at: &str) {
    let (before, after) = filled();
    {
        let old = v0::App::open(path).unwrap();
        assert_eq!(old.texts(), before, "{at}: with old code");
        assert_eq!(old.status().unwrap().epoch(), 0);
    }
    assert_sound::<v0::App>(path);
    {
        let new = v2::App::open(path).unwrap();
        assert_eq!(new.texts(), after, "{at}: with new code");
        assert_eq!(new.details.len().unwrap(), 20, "{at}");
        let kept = new.quarantine().unwrap();
        assert_eq!(kept.len(), 1, "{at}: {kept:?}");
        assert!(kept[0].theirs().contains("e5"), "{at}: {kept:?}");
        assert_eq!(new.status().unwrap().uncarried_documents(), 0, "{at}");
    }
    assert_sound::<v2::App>(path);
}

fn killing(kill_at: u64) -> StorageHook {
    let count = AtomicU64::new(0);
    Arc::new(move |_| {
        if count.fetch_add(1, SeqCst) + 1 == kill_at {
            std::process::abort();
        }
        Ok(())
    })
}

#[test]
fn a_migration_killed_at_any_storage_operation_is_done_again() {
    if let Some(role) = child::role() {
        let (kill_at, path) = role.split_once(' ').unwrap();
        let hook = killing(kill_at.parse().unwrap());
        let app = v2::App::builder().storage_hook(hook).open(path).unwrap();
        assert_eq!(app.notes.len().unwrap(), 20);
        println!("said: migrated");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.redb");
    fill(&v0::App::open(&path).unwrap());
    let name =
        concat!(module_path!(), "::a_migration_killed_at_any_storage_operation_is_done_again");
    let mut killed = 0;
    for kill_at in 1.. {
        let copy = folder.path().join(format!("{kill_at}.redb"));
        fs::copy(&path, &copy).unwrap();
        let output = child::run(name, &format!("{kill_at} {}", copy.display()));
        assert_whole(&copy, &format!("killed at {kill_at}"));
        fs::remove_file(&copy).unwrap();
        if output.status.success() {
            break;
        }
        killed += 1;
    }
    assert!(killed > 5, "{killed}");
}

/// How a store is opened on a disk with a fault.
struct Opening {
    durability: Durability,
    disk: Arc<Disk>,
    fault: Fault,
}

impl Opening {
    fn open<S: Store>(&self, path: &Path) -> Result<S> {
        S::builder().durability(self.durability).storage_hook(self.disk.hook()).open(path)
    }

    /// From now on, the disk has the fault.
    fn arm(&self) {
        self.disk.arm(self.fault);
    }

    /// Ends the fault.
    fn make_room(&self) {
        self.disk.disarm_quietly();
    }
}

/// Does something on a file while a storage operation fails, first the first and then ever later
/// ones, until all are behind it: once so that only this one fails, once so that all after it do.
fn at_every_operation(
    prepare: impl Fn(&Path),
    act: impl Fn(&Path, &Opening) -> Result<()>,
    verify: impl Fn(&Path, &str),
) {
    for (durability, lasts) in [Durability::Immediate, Durability::Eventual]
        .into_iter()
        .flat_map(|durability| [(durability, Some(1)), (durability, None)])
    {
        let mut failed = 0;
        for after in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("app.redb");
            prepare(&path);
            let disk = Arc::<Disk>::default();
            let opening = Opening { durability, disk, fault: Fault { after, lasts } };
            let outcome = act(&path, &opening);
            let was_met = opening.disk.disarm();
            let error = outcome.as_ref().err();
            let at = format!("operation {after}, lasts {lasts:?}, {durability:?}: {error:?}");
            assert!(was_met || outcome.is_ok(), "{at}");
            failed += u32::from(outcome.is_err());
            verify(&path, &at);
            if !was_met {
                break;
            }
        }
        // A write that need not be durable is not refused.
        let may_succeed = durability == Durability::Eventual;
        assert!(failed > 3 || may_succeed, "it failed at {failed} operations only");
    }
}

#[test]
fn a_migration_that_the_disk_refuses_changes_nothing() {
    at_every_operation(
        |path| fill(&v0::App::open(path).unwrap()),
        |path, opening| {
            opening.arm();
            opening.open::<v2::App>(path).map(drop)
        },
        assert_whole,
    );
}

/// Everything that `to` lacks of `from`.
fn changes<A: Store, B: Store>(from: &A, to: &B) -> Changes {
    let summary = Summary::from_bytes(&to.summary().unwrap().to_bytes()).unwrap();
    Changes::from_bytes(&from.changes_since(&summary).unwrap().to_bytes()).unwrap()
}

/// Takes in changes on a disk with a fault, and, where that fails, once more.
fn take_in<S: Texted>(path: &Path, opening: &Opening, changes: &Changes) -> Result<()> {
    let app: S = opening.open(path).unwrap();
    let before = app.texts();
    opening.arm();
    let taken = app.apply(changes).map(drop);
    opening.make_room();
    if taken.is_err() {
        // Read as it was before, or, where a part was taken in, with that.
        assert_eq!(app.texts().len(), before.len());
        app.apply(changes).unwrap();
    }
    taken
}

#[test]
fn an_adoption_that_the_disk_refuses_is_done_again() {
    // Two devices migrate on their own, and each has an edit the other does not know.
    let claims = |number: u128| -> heirloom::__private::IdSource {
        let count = AtomicU64::new(1);
        Arc::new(move || number << 120 | u128::from(count.fetch_add(1, SeqCst)))
    };
    let first = v0::App::in_memory().unwrap();
    fill(&first);
    let first = changes(&first, &v0::App::in_memory().unwrap());
    let migrated = |path: &Path, number: u128| {
        v0::App::open(path).unwrap().apply(&first).unwrap();
        v2::App::builder().id_source(claims(number)).open(path).unwrap()
    };
    let winner = {
        let folder = tempfile::tempdir().unwrap();
        let app = migrated(&folder.path().join("winner.redb"), 1);
        app.notes.update(&1, |note| note.title = "winner's".into()).unwrap();
        changes(&app, &v2::App::in_memory().unwrap())
    };
    at_every_operation(
        |path| {
            let app = migrated(path, 2);
            app.notes.update(&2, |note| note.title = "loser's".into()).unwrap();
            app.notes.remove(&3).unwrap();
        },
        |path, opening| take_in::<v2::App>(path, opening, &winner),
        |path, at| {
            let app = v2::App::open(path).unwrap();
            let title = |id| app.notes.get(&id).unwrap().map(|note| note.title);
            assert_eq!(title(1).as_deref(), Some("winner's"), "{at}");
            assert_eq!(title(2).as_deref(), Some("loser's"), "{at}");
            assert_eq!(title(3), None, "{at}");
            assert_eq!(app.status().unwrap().uncarried_documents(), 0, "{at}");
            drop(app);
            assert_sound::<v2::App>(path);
        },
    );
}

#[test]
fn late_edits_that_the_disk_refuses_are_carried_again() {
    let old = v0::App::in_memory().unwrap();
    fill(&old);
    let early = changes(&old, &v0::App::in_memory().unwrap());
    old.notes.update(&1, |note| note.text = "late".into()).unwrap();
    old.notes.update(&2, |note| note.text = "too late".into()).unwrap();
    old.notes.remove(&3).unwrap();
    old.settings.ui_language.set("late").unwrap();
    let late = changes(&old, &v0::App::in_memory().unwrap());
    at_every_operation(
        |path| {
            v0::App::open(path).unwrap().apply(&early).unwrap();
            let app = v1::App::open(path).unwrap();
            app.notes.update(&2, |note| note.title = "edited".into()).unwrap();
        },
        |path, opening| {
            let app: v1::App = opening.open(path).unwrap();
            opening.arm();
            let taken = app.apply(&late).map(drop);
            if taken.is_ok() {
                opening.make_room();
            } else {
                drop(app);
                opening.make_room();
                // The edits that were taken in are carried on opening, the rest with the next exchange.
                v1::App::open(path).unwrap().apply(&late).unwrap();
            }
            taken
        },
        |path, at| {
            let app = v1::App::open(path).unwrap();
            let title = |id| app.notes.get(&id).unwrap().map(|note| note.title);
            assert_eq!(title(1).as_deref(), Some("late"), "{at}");
            assert_eq!(title(2).as_deref(), Some("edited"), "{at}");
            assert_eq!(title(3), None, "{at}");
            assert_eq!(app.settings.language.get().unwrap(), "late", "{at}");
            let kept = app.quarantine().unwrap();
            assert!(kept.iter().any(|kept| kept.theirs().contains("too late")), "{at}: {kept:?}");
            assert_eq!(app.status().unwrap().uncarried_documents(), 0, "{at}");
            drop(app);
            assert_sound::<v1::App>(path);
        },
    );
}

#[test]
fn a_rebuild_that_the_disk_refuses_changes_nothing() {
    at_every_operation(
        |path| {
            fill(&v0::App::open(path).unwrap());
            drop(v1::App::open(path).unwrap());
        },
        |path, opening| {
            let app: v1::App = opening.open(path).unwrap();
            opening.arm();
            let rebuilt = app.compact_history();
            opening.make_room();
            if rebuilt.is_err() {
                assert_eq!(app.texts(), filled().1);
                app.notes.update(&1, |note| note.title = "after".into()).unwrap();
                app.notes.update(&1, |note| note.title = text_of(1)).unwrap();
            }
            rebuilt
        },
        |path, at| {
            assert_sound::<v1::App>(path);
            let app = v1::App::open(path).unwrap();
            assert_eq!(app.texts(), filled().1, "{at}");
            app.compact_history().unwrap();
            assert_eq!(app.texts(), filled().1, "{at}");
            drop(app);
            assert_whole(path, at);
        },
    );
}

#[test]
fn giving_up_documents_that_the_disk_refuses_loses_nothing() {
    at_every_operation(
        |path| {
            fill(&v0::App::open(path).unwrap());
            drop(v2::App::open(path).unwrap());
        },
        |path, opening| {
            let app: v2::App = opening.open(path).unwrap();
            opening.arm();
            app.prune_epochs().map(drop)
        },
        |path, at| {
            let app = v2::App::open(path).unwrap();
            assert_eq!(app.texts(), filled().1, "{at}");
            assert_eq!(app.quarantine().unwrap().len(), 1, "{at}");
            app.prune_epochs().unwrap();
            assert_eq!(app.texts(), filled().1, "{at}");
            drop(app);
            assert_sound::<v2::App>(path);
        },
    );
}

/// Whether bytes were written that were not made durable since.
#[derive(Default)]
struct Sync(AtomicU64);

impl Sync {
    fn hook(self: &Arc<Self>) -> StorageHook {
        let this = self.clone();
        Arc::new(move |op| {
            match op {
                StorageOp::Sync => this.0.store(0, SeqCst),
                _ => drop(this.0.fetch_add(1, SeqCst)),
            }
            Ok(())
        })
    }
}

/// Opens the file at a path as the disk has it now, whatever the process still has in memory.
fn on_disk<S: Store>(path: &Path) -> S {
    let copy = path.with_extension("copy");
    fs::copy(path, &copy).unwrap();
    S::builder().read_only(true).open(&copy).unwrap()
}

#[test]
fn a_new_store_and_another_document_are_durable_whatever_the_setting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.redb");
    let sync = Arc::<Sync>::default();
    let durable = |what: &str| assert_eq!(sync.0.load(SeqCst), 0, "{what}: not synced");

    let eventual = v0::App::builder().durability(Durability::Eventual).storage_hook(sync.hook());
    let seed = v0::Person { id: "1".into(), name: text_of(1) };
    let app = eventual.on_create(move |tx| tx.put(&seed)).open(&path).unwrap();
    durable("made");
    assert_eq!(on_disk::<v0::App>(&path).people.len().unwrap(), 1);
    fill(&app);
    app.compact_history().unwrap();
    durable("rebuilt");
    let there: v0::App = on_disk(&path);
    assert_eq!((there.status().unwrap().generation(), there.texts()), (1, filled().0));
    let other = v0::App::in_memory().unwrap();
    other.apply(&changes(&app, &other)).unwrap();
    drop(app);

    let eventual = v2::App::builder().durability(Durability::Eventual).storage_hook(sync.hook());
    let app = eventual.open(&path).unwrap();
    durable("migrated");
    let there: v2::App = on_disk(&path);
    assert_eq!((there.status().unwrap().epoch(), there.texts()), (2, filled().1));
    drop(app);

    // Another device has rebuilt the store as it was before.
    let eventual = v0::App::builder().durability(Durability::Eventual).storage_hook(sync.hook());
    let path = folder.path().join("third.redb");
    let app = eventual.open(&path).unwrap();
    app.apply(&changes(&other, &app)).unwrap();
    other.compact_history().unwrap();
    app.apply(&changes(&other, &app)).unwrap();
    durable("adopted");
    let there: v0::App = on_disk(&path);
    assert_eq!((there.status().unwrap().generation(), there.texts()), (2, filled().0));
}

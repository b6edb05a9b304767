//! The first write of a new version, interrupted anywhere: version and rows are kept together, or
//! neither is.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use crate::apps::{first, second};
use crate::support::{Heard, assert_sound, child, exchange, place};
use heirloom::__private::StorageHook;
use heirloom::{ErrorKind, inspect};

/// How many versions the file has, and whether it has the row that came with the second.
#[track_caller]
fn kept(path: &Path) -> (usize, bool) {
    assert_sound::<second::App>(path);
    let versions = inspect::open(path).unwrap().versions().unwrap().len();
    (versions, second::App::open(path).unwrap().songs.contains(&2).unwrap())
}

fn write_until_killed(path: &Path, kill_at: u64) {
    let count = AtomicU64::new(0);
    let hook: StorageHook = Arc::new(move |_| {
        if count.fetch_add(1, SeqCst) + 1 == kill_at {
            std::process::abort();
        }
        Ok(())
    });
    let app = second::App::builder().storage_hook(hook).open(path).unwrap();
    app.songs.insert(&second::song(2)).unwrap();
    println!("said: written");
}

#[test]
fn a_kill_at_any_storage_operation_keeps_version_and_row_together() {
    if let Some(role) = child::role() {
        let (kill_at, path) = role.split_once(' ').unwrap();
        return write_until_killed(Path::new(path), kill_at.parse().unwrap());
    }
    let (folder, path) = place();
    first::App::open(&path).unwrap().songs.insert(&first::song(1)).unwrap();
    let mut outcomes = [0, 0];
    for kill_at in 1.. {
        let copy = folder.path().join(format!("{kill_at}.redb"));
        fs::copy(&path, &copy).unwrap();
        let name = concat!(
            module_path!(),
            "::a_kill_at_any_storage_operation_keeps_version_and_row_together"
        );
        let output = child::run(name, &format!("{kill_at} {}", copy.display()));
        let written = child::said(&output).iter().any(|line| line == "written");
        let (versions, has_row) = kept(&copy);
        assert_eq!(versions, 1 + usize::from(has_row), "killed at {kill_at}");
        assert!(has_row || !written, "killed at {kill_at}: what was acknowledged is gone");
        outcomes[usize::from(has_row)] += 1;
        if output.status.success() {
            break;
        }
    }
    assert!(outcomes[0] > 3 && outcomes[1] > 0, "{outcomes:?}");
}

/// Fails the `nth` storage operation from now on, and all after it until there is room again.
#[derive(Default)]
struct Disk {
    count: AtomicU64,
    from: AtomicU64,
}

impl Disk {
    fn hook(self: &Arc<Self>) -> StorageHook {
        let disk = self.clone();
        Arc::new(move |_| {
            let (count, from) = (disk.count.fetch_add(1, SeqCst) + 1, disk.from.load(SeqCst));
            if from > 0 && count >= from { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }

    fn fail(&self, nth: u64) {
        self.from.store(self.count.load(SeqCst) + nth, SeqCst);
    }

    fn make_room(&self) {
        self.from.store(0, SeqCst);
    }
}

#[test]
fn a_disk_that_refuses_the_first_write_of_a_version_leaves_no_trace_of_it() {
    for nth in 1.. {
        let (_folder, path) = place();
        first::App::open(&path).unwrap().songs.insert(&first::song(1)).unwrap();
        let disk = Arc::new(Disk::default());
        let app = second::App::builder().storage_hook(disk.hook()).open(&path).unwrap();
        disk.fail(nth);
        let outcome = app.songs.insert(&second::song(2));
        let failed = outcome.is_err();
        if let Err(error) = outcome {
            assert_eq!(error.kind(), ErrorKind::Storage, "operation {nth}: {error}");
            assert_eq!(app.status().unwrap().versions().len(), 1, "operation {nth}");
            assert!(!app.songs.contains(&2).unwrap());
            disk.make_room();
            let head = app.changes_since(&Default::default()).unwrap();
            let copy = first::App::in_memory().unwrap();
            copy.apply(&head).unwrap();
            assert_eq!(copy.status().unwrap().newer_version(), None, "operation {nth}");
            app.songs.insert(&second::song(2)).unwrap();
        }
        disk.make_room();
        assert_eq!(app.status().unwrap().versions().len(), 2, "operation {nth}");
        exchange(&app, &second::App::in_memory().unwrap());
        drop(app);
        assert_eq!(kept(&path), (2, true), "operation {nth}");
        if !failed {
            assert!(nth > 3, "only {nth} operations");
            break;
        }
    }
}

#[test]
fn a_merge_of_a_version_that_the_disk_refuses_tells_nobody_and_can_be_repeated() {
    let newer = second::App::in_memory().unwrap();
    newer.songs.insert(&second::song(2)).unwrap();
    for nth in 1.. {
        let (_folder, path) = place();
        first::App::open(&path).unwrap().songs.insert(&first::song(1)).unwrap();
        let disk = Arc::new(Disk::default());
        let app = first::App::builder().storage_hook(disk.hook()).open(&path).unwrap();
        let seen = Heard::default();
        let log = seen.clone();
        let _sub = app.on_newer_schema(move |version| log.note(version.to_string())).unwrap();
        let changes = newer.changes_since(&app.summary().unwrap()).unwrap();
        disk.fail(nth);
        let failed = match app.apply(&changes) {
            Ok(_) => false,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Storage, "operation {nth}: {error}");
                assert_eq!(app.songs.len().unwrap(), 1, "operation {nth}");
                assert_eq!(app.status().unwrap().newer_version(), None, "operation {nth}");
                assert_eq!(seen.take().len(), 0, "operation {nth}");
                disk.make_room();
                app.apply(&changes).unwrap();
                assert_eq!(seen.take().len(), 1, "operation {nth}");
                true
            }
        };
        disk.make_room();
        assert_eq!(seen.take().len(), usize::from(!failed), "operation {nth}");
        exchange(&app, &newer);
        assert_eq!(app.songs.len().unwrap(), 2);
        drop(app);
        assert_sound::<first::App>(&path);
        if !failed {
            break;
        }
    }
}

#[test]
fn a_store_that_does_not_wait_for_the_disk_records_its_version_as_well() {
    let (_folder, path) = place();
    first::App::open(&path).unwrap().songs.insert(&first::song(1)).unwrap();
    {
        let durability = heirloom::Durability::Eventual;
        let app = second::App::builder().durability(durability).open(&path).unwrap();
        app.songs.insert(&second::song(2)).unwrap();
    }
    assert_eq!(kept(&path), (2, true));
}

//! A store whose process ends in its first moments: there is no file, or a whole one.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use crate::support::history::{after, commits_in, transaction};
use crate::support::{Notebook, assert_sound, child, content, place};
use heirloom::__private::StorageHook;
use heirloom::{Builder, Durability};

/// Makes the store with its first transaction.
fn creating(durability: Durability) -> Builder<Notebook> {
    let seed = |tx: &mut heirloom::Transaction<'_, Notebook>| {
        let size = tx.store().settings.size.clone();
        tx.set(&size, &77)
    };
    Notebook::builder().durability(durability).on_create(seed)
}

fn durability(role: &str) -> Durability {
    if role == "eventual" { Durability::Eventual } else { Durability::Immediate }
}

/// Makes a store, writes to it, and waits for its end.
fn write_and_wait(path: &Path, durability: Durability) {
    let app = creating(durability).open(path).unwrap();
    println!("said: made");
    (0..90).for_each(|number| transaction(&app, number).unwrap());
    thread::sleep(Duration::from_secs(600));
}

/// There is a whole store, which holds a beginning of what was written, and it goes on.
#[track_caller]
fn assert_goes_on(path: &Path, at: &str) {
    assert_sound::<Notebook>(path);
    {
        let app = Notebook::open(path).unwrap();
        if app.notes.is_empty().unwrap() {
            assert_eq!(app.settings.size.get().unwrap(), 77, "{at}: the first transaction is lost");
            transaction(&app, 0).unwrap();
        }
        let number = app.settings.size.get().unwrap();
        transaction(&app, number).unwrap();
        assert!(content(&app) == after(number + 1), "{at}");
    }
    commits_in(path);
}

#[test]
fn a_kill_within_a_tenth_of_a_second_leaves_no_unusable_file() {
    let name =
        concat!(module_path!(), "::a_kill_within_a_tenth_of_a_second_leaves_no_unusable_file");
    if let Some(role) = child::role() {
        let (role, path) = role.split_once(' ').unwrap();
        return write_and_wait(Path::new(path), durability(role));
    }
    let (mut made, mut early) = (0, 0);
    for round in 0..80_u64 {
        let role = if round % 2 == 0 { "eventual" } else { "immediate" };
        let (_folder, path) = place();
        let mut command = child::command(name, &format!("{role} {}", path.display()));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        // Half of them from the moment on at which the store is there, half from the start.
        if round % 4 < 2 {
            let mut line = String::new();
            while !line.contains("said: made") {
                line.clear();
                assert!(output.read_line(&mut line).unwrap() > 0, "it ended by itself");
            }
            assert!(path.exists());
        }
        thread::sleep(Duration::from_micros(round * 7919 % 100_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        let at = format!("round {round}, {role}");
        if path.exists() {
            made += 1;
            assert_goes_on(&path, &at);
        } else {
            early += 1;
            assert!(!rest.contains("said: made"), "{at}: it was made, and there is no file");
            assert_eq!(Notebook::open(&path).unwrap().notes.len().unwrap(), 0, "{at}");
        }
    }
    assert!(made >= 40, "{made} files, {early} killed before");
}

#[test]
fn a_kill_at_any_storage_operation_leaves_no_unusable_file() {
    let name = concat!(module_path!(), "::a_kill_at_any_storage_operation_leaves_no_unusable_file");
    if let Some(role) = child::role() {
        let [role, kill_at, path] = *role.split(' ').collect::<Vec<_>>() else { panic!("{role}") };
        let (count, kill_at) = (AtomicU64::new(0), kill_at.parse::<u64>().unwrap());
        let hook: StorageHook = Arc::new(move |_| {
            if count.fetch_add(1, SeqCst) == kill_at {
                std::process::abort();
            }
            Ok(())
        });
        let app = creating(durability(role)).storage_hook(hook).open(path).unwrap();
        println!("said: made");
        (0..3).for_each(|number| transaction(&app, number).unwrap());
        drop(app);
        println!("said: finished");
        return;
    }
    for role in ["eventual", "immediate"] {
        for kill_at in 0.. {
            let (_folder, path) = place();
            let role = format!("{role} {kill_at} {}", path.display());
            let said = child::said(&child::run(name, &role));
            if path.exists() {
                assert_goes_on(&path, &role);
            } else {
                assert!(said.is_empty(), "{role}: {said:?}");
            }
            if said.iter().any(|said| said == "finished") {
                assert!(kill_at > 8, "{kill_at} storage operations");
                break;
            }
        }
    }
}

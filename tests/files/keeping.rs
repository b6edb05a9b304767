//! A process that is killed at any storage operation has lost nothing that it acknowledged.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use crate::support::history::{commits_in, transaction};
use crate::support::{Notebook, assert_sound, child, place};
use heirloom::__private::StorageHook;

/// How many transactions the child makes.
const COMMITS: u32 = 6;

/// Aborts the process before storage operation `at`.
fn killing(at: u64) -> StorageHook {
    let count = AtomicU64::new(0);
    Arc::new(move |_| {
        if count.fetch_add(1, SeqCst) + 1 == at {
            std::process::abort();
        }
        Ok(())
    })
}

fn write_until_killed(path: &Path, kill_at: u64) {
    let app = Notebook::builder().storage_hook(killing(kill_at)).open(path).unwrap();
    let first = if app.notes.is_empty().unwrap() { 0 } else { app.settings.size.get().unwrap() };
    println!("said: opened");
    for number in first..COMMITS {
        transaction(&app, number).unwrap();
        println!("said: {}", number + 1);
    }
    drop(app);
    println!("said: finished");
}

#[test]
fn a_kill_at_any_storage_operation_loses_no_acknowledged_commit() {
    if let Some(role) = child::role() {
        let (kill_at, path) = role.split_once(' ').unwrap();
        return write_until_killed(Path::new(path), kill_at.parse().unwrap());
    }
    let mut kills = 0;
    for kill_at in 1.. {
        let (folder, path) = place();
        let run = |kill_at: u64| {
            let role = format!("{kill_at} {}", path.display());
            let name = concat!(
                module_path!(),
                "::a_kill_at_any_storage_operation_loses_no_acknowledged_commit"
            );
            let output = child::run(name, &role);
            let said = child::said(&output);
            let finished = said.last().is_some_and(|last| last == "finished");
            assert_eq!(finished, output.status.success(), "{output:?}");
            let acknowledged = said.iter().filter_map(|line| line.parse::<u32>().ok()).max();
            (finished, acknowledged.unwrap_or(0), said)
        };
        let (finished, acknowledged, said) = run(kill_at);
        if path.exists() {
            assert_sound::<Notebook>(&path);
            let kept = commits_in(&path);
            assert!(
                (acknowledged..=acknowledged + 1).contains(&kept),
                "killed at {kill_at}: {acknowledged} commits acknowledged, {kept} kept"
            );
        } else {
            assert!(said.is_empty(), "killed at {kill_at}: {said:?}, and there is no file");
        }
        // Once more, from where it stands, killed while it repairs or goes on, and then to the end.
        if kill_at % 5 == 0 {
            run(kill_at / 5);
            if path.exists() {
                assert_sound::<Notebook>(&path);
            }
        }
        if !finished {
            kills += 1;
            assert!(run(0).0, "killed at {kill_at}: the next start cannot finish");
        }
        assert_eq!(commits_in(&path), COMMITS);
        drop(folder);
        if finished {
            break;
        }
    }
    assert!(kills > 20, "only {kills} storage operations in {COMMITS} commits");
}

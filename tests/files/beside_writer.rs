//! Stores that are read while another process has them open to write.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::support::random::Random;
use crate::support::{Notebook, assert_sound, child, content, give, note, place, refused};
use heirloom::{Durability, ErrorKind, Kv, Store, Table, inspect};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "accounts", index(balance))]
struct Account {
    #[key]
    id: u32,
    balance: i64,
    /// The transaction that changed it last.
    changed: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "papers")]
struct Paper {
    #[key]
    id: u32,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "clock")]
struct Clock {
    #[evolve(default)]
    transactions: u64,
    #[evolve(default)]
    papers: u64,
}

#[derive(Store)]
#[store(name = "bank")]
struct Bank {
    accounts: Table<Account>,
    papers: Table<Paper>,
    clock: Kv<Clock>,
}

const ACCOUNTS: u32 = 50;
const PAPERS: u32 = 300;

const TOTAL: i64 = ACCOUNTS as i64 * 1000;

fn below(random: &mut Random, end: u32) -> u32 {
    random.below(end as usize) as u32
}

fn paper(id: u32, random: &mut Random) -> Paper {
    Paper { id, text: format!("{:x}", random.next()).repeat(2500) }
}

/// Makes transactions until it is killed: money is moved, papers are rewritten, the file grows and shrinks.
fn write_for_ever(path: &Path, is_durable: bool) {
    let durability = if is_durable { Durability::Immediate } else { Durability::Eventual };
    let app = Bank::builder().durability(durability).open(path).unwrap();
    let first = app.clock.transactions.get().unwrap();
    let mut random = Random::new(first);
    if first == 0 {
        let accounts = (0..ACCOUNTS).map(|id| Account { id, balance: 1000, changed: 0 });
        let papers: Vec<Paper> = (0..PAPERS).map(|id| paper(id, &mut random)).collect();
        app.transaction(|tx| {
            tx.insert_many(accounts)?;
            tx.insert_many(papers)?;
            tx.set(&app.clock.papers, &u64::from(PAPERS))
        })
        .unwrap();
        // Changes are given only once they are durable.
        app.changes_since(&app.summary().unwrap()).unwrap();
    }
    println!("said: ready");
    for number in first + 1.. {
        let papers = u64::from(PAPERS - 10 + below(&mut random, 20));
        app.transaction(|tx| {
            let amount = i64::from(below(&mut random, 100));
            let (from, to) = (below(&mut random, ACCOUNTS), below(&mut random, ACCOUNTS));
            for (id, change) in [(from, -amount), (to, amount)] {
                tx.update::<Account>(&id, |account| {
                    account.balance += change;
                    account.changed = number;
                })?;
            }
            for _ in 0..below(&mut random, 4) {
                let id = below(&mut random, PAPERS - 10);
                tx.put(&paper(id, &mut random))?;
            }
            // Now and then many come or go.
            if number % 8 == 0 {
                for id in PAPERS - 10..PAPERS + 10 {
                    if u64::from(id) < papers {
                        tx.put(&paper(id, &mut random))?;
                    } else {
                        tx.remove::<Paper>(&id)?;
                    }
                }
                tx.set(&app.clock.papers, &papers)?;
            }
            tx.set(&app.clock.transactions, &number)
        })
        .unwrap();
        if number % 16 == 0 {
            // Refused while the file is copied.
            let _ = app.compact();
        }
        if !is_durable && number % 4 == 0 {
            app.changes_since(&app.summary().unwrap()).unwrap();
        }
    }
}

fn start(name: &str, path: &Path, durability: &str) -> Child {
    let mut command = child::command(name, &format!("{durability} {}", path.display()));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap().contains("said: ready")));
    child
}

/// Compares what one commit must leave, and gives its number.
fn assert_whole(app: &Bank) -> u64 {
    let number = app.clock.transactions.get().unwrap();
    let accounts = app.accounts.query().all().unwrap();
    assert_eq!(accounts.len(), ACCOUNTS as usize);
    assert_eq!(accounts.iter().map(|account| account.balance).sum::<i64>(), TOTAL);
    assert_eq!(accounts.iter().map(|account| account.changed).max(), Some(number));
    let indexed = app.accounts.filter(Account::BALANCE.gt(i64::MIN));
    assert_eq!(indexed.count().unwrap(), ACCOUNTS as usize);
    assert_eq!(app.papers.len().unwrap() as u64, app.clock.papers.get().unwrap());
    number
}

fn read_beside_a_writer(name: &str, durability: &str, opens: u32) {
    if let Some(role) = child::role() {
        let (durability, path) = role.split_once(' ').unwrap();
        return write_for_ever(Path::new(path), durability == "immediate");
    }
    let (_folder, path) = place();
    let mut writer = start(name, &path, durability);
    assert!(fs::metadata(&path).unwrap().len() > 10 << 20);
    let open = || Bank::builder().read_only(true).open(&path).unwrap();
    let mut last = 0;
    // Of those that were seen; a machine with other work gives a writer less time than its reader.
    let mut commits = 0;
    for nth in 1.. {
        let number = assert_whole(&open());
        assert!(number >= last, "transaction {number} is seen after {last}");
        commits += u32::from(number > last);
        last = number;
        if nth >= opens && commits >= opens / 4 {
            break;
        }
        if nth % 20 == 0 {
            Bank::check(&path).unwrap();
            writer.kill().unwrap();
            // Beside a writer that is just being killed, and beside none.
            assert!(assert_whole(&open()) >= last);
            writer.wait().unwrap();
            last = assert_whole(&open());
            writer = start(name, &path, durability);
        }
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    assert!(assert_whole(&Bank::open(&path).unwrap()) >= last);
    assert_sound::<Bank>(&path);
}

#[test]
fn a_reader_beside_a_process_that_writes_sees_whole_commits() {
    let name =
        concat!(module_path!(), "::a_reader_beside_a_process_that_writes_sees_whole_commits");
    read_beside_a_writer(name, "immediate", 100);
}

#[test]
fn a_reader_beside_a_process_that_flushes_sees_whole_commits() {
    let name =
        concat!(module_path!(), "::a_reader_beside_a_process_that_flushes_sees_whole_commits");
    read_beside_a_writer(name, "eventual", 30);
}

#[test]
fn a_reader_beside_a_writer_keeps_what_it_opened_and_writes_nothing() {
    let (folder, path) = place();
    let writer = Notebook::open(&path).unwrap();
    writer.notes.insert_many([note(1, "milk"), note(2, "bread")]).unwrap();
    let reader = Notebook::builder().read_only(true).open(&path).unwrap();
    let before = content(&reader);
    assert_eq!(before, content(&writer));

    writer.notes.remove(&1).unwrap();
    writer.notes.insert(&note(3, "salt")).unwrap();
    assert_eq!(content(&reader), before);
    let error = refused(reader.notes.insert(&note(4, "refused")));
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
    let again = Notebook::builder().read_only(true).open(&path).unwrap();
    assert_eq!(content(&again), content(&writer));

    assert_eq!(Notebook::check(&path).unwrap().rows(), 2);
    Notebook::preview_migration(&path).unwrap();
    assert_eq!(inspect::open(&path).unwrap().store(), "notebook");
    let peer = Notebook::in_memory().unwrap();
    give(&again, &peer);
    assert_eq!(content(&peer), content(&writer));
    let backup = folder.path().join("backup.redb");
    again.backup(&backup).unwrap();
    assert_eq!(content(&Notebook::open(&backup).unwrap()), content(&writer));

    // A reader of a copy is in no one's way.
    writer.compact().unwrap();
    drop(writer);
    let writer = Notebook::open(&path).unwrap();
    assert_eq!(content(&reader), before);
    assert_eq!(content(&writer), content(&again));
    assert_eq!(refused(Notebook::open(&path)).kind(), ErrorKind::Locked);
}

//! The code of the tables for readers who know SQL, diesel or Dexie: each piece of their last column stands here.

use heirloom::query::Collation;
use heirloom::transfer::OnExisting;
use heirloom::{ErrorKind, Id, Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(index(a, b))]
struct Task {
    #[key]
    number: u32,
    title: String,
    #[index(unique)]
    mail: String,
    kind: u8,
    done: bool,
    stars: i64,
    due: Option<String>,
    #[index(each)]
    tags: Vec<String>,
    #[check(x >= 0)]
    x: i64,
    a: u8,
    b: u8,
    #[created]
    made: i64,
    #[updated]
    changed: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(key(a, b))]
struct Pair {
    a: u8,
    b: u8,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(computed(initial: String = name.chars().take(1).collect()), index(initial))]
struct Person {
    #[key]
    name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "accounts")]
struct Account {
    id: Id<Account>,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "txns")]
struct Txn {
    #[key]
    number: u32,
    #[reference(on_remove = "cascade")]
    account: Ref<Account>,
}

#[derive(Store)]
struct Known {
    tasks: Table<Task>,
    pairs: Table<Pair>,
    people: Table<Person>,
    accounts: Table<Account>,
    txns: Table<Txn>,
}

fn task(number: u32) -> Task {
    Task {
        number,
        title: format!("a task {number}"),
        mail: format!("{number}@example.org"),
        kind: (number % 3) as u8,
        done: number.is_multiple_of(2),
        stars: i64::from(number),
        due: (number > 4).then(|| format!("2026-01-{number:02}")),
        tags: vec!["home".into()],
        x: 0,
        a: 1,
        b: number as u8,
        made: 0,
        changed: 0,
    }
}

#[test]
fn conditions_and_orders() -> heirloom::Result<()> {
    let app = Known::in_memory()?;
    assert_eq!(app.tasks.insert_many((0..10).map(task))?, 10);
    let tasks = app.tasks.query();
    let count = |query: heirloom::Query<Task>| query.count().unwrap();
    assert_eq!(count(tasks.clone().filter(Task::DONE.eq(true) & Task::STARS.gt(3))), 3);
    assert_eq!(count(tasks.clone().filter(Task::TITLE.starts_with("a"))), 10);
    assert_eq!(count(tasks.clone().filter(Task::TITLE.like("a%"))), 10);
    assert_eq!(count(tasks.clone().filter(Task::NUMBER.is_in([1, 2, 70]))), 2);
    assert_eq!(app.tasks.get_many(&[1, 2, 70])?.iter().flatten().count(), 2);
    assert_eq!(count(tasks.clone().filter(Task::STARS.between(2, 5))), 4);
    assert_eq!(count(tasks.clone().filter(Task::DUE.is_none())), 5);
    assert_eq!(count(app.tasks.filter_by(|row| row.number.is_multiple_of(5))), 2);
    let first = tasks.clone().order_by(Task::DUE.desc()).limit(20).first()?;
    assert_eq!(first, app.tasks.filter(Task::NUMBER.eq(9)).one().map(Some)?);
    let last = task(7);
    assert_eq!(count(tasks.clone().after(&last).limit(20)), 2);
    let german = tasks.clone().order_by(Task::TITLE.asc_in(&Collation::new("de")?));
    assert_eq!(german.offset(1).limit(1).one()?.number, 1);
    assert_eq!(tasks.clone().select((Task::TITLE, Task::DUE)).all()?.len(), 10);
    assert_eq!(tasks.clone().select(Task::KIND).distinct().all()?, [0, 1, 2]);
    assert!(tasks.exists()?);
    assert_eq!(tasks.count()?, 10);
    assert_eq!(tasks.count_distinct(Task::KIND)?, 3);
    assert_eq!((tasks.sum(Task::STARS)?, tasks.avg(Task::STARS)?), (45, Some(4.5)));
    assert_eq!((tasks.min(Task::STARS)?, tasks.max(Task::STARS)?), (Some(0), Some(9)));
    let sums = tasks.clone().group_by(Task::KIND).aggregate(Task::STARS.sum());
    assert_eq!(sums.having(|_, sum| *sum > 12).all()?, [(0, 18), (2, 15)]);
    assert_eq!(count(tasks.clone().filter(Task::TAGS.contains("home"))), 10);
    assert!(tasks.clone().filter(Task::A.eq(1)).explain().starts_with("index (a, b)"));
    let initial = app.people.filter(Person::INITIAL.eq("E"));
    assert!(initial.explain().starts_with("index (initial)"));
    Ok(())
}

#[test]
fn writes() -> heirloom::Result<()> {
    let app = Known::in_memory()?;
    app.tasks.insert(&task(1))?;
    app.tasks.put(&task(1))?;
    assert!(!app.tasks.insert_or_ignore(&task(1))?);
    app.tasks.upsert_by(Task::MAIL, &task(1))?;
    assert_eq!(app.tasks.get_by(Task::MAIL, "1@example.org")?.map(|task| task.number), Some(1));
    app.tasks.update(&1, |task| task.stars = 8)?;
    app.tasks.filter(Task::STARS.gt(7)).update_all(|task| task.stars -= 1)?;
    let refused = app.tasks.update(&1, |task| task.x = -1).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::CheckFailed);
    assert!(app.tasks.get(&1)?.is_some_and(|task| task.made > 0 && task.changed >= task.made));
    app.pairs.insert(&Pair { a: 1, b: 2 })?;
    app.transaction(|tx| tx.insert(&task(2)))?;
    let refused: Result<(), Box<dyn std::error::Error>> = app.try_transaction(|_| Err("no".into()));
    assert!(refused.is_err());
    let watch = app.tasks.query().watch()?;
    assert_eq!(watch.recv()?.inserted().len(), 2);
    assert_eq!(app.tasks.remove_many(&[1, 70])?, 1);
    assert_eq!(app.tasks.query().remove_all()?, 1);
    Ok(())
}

#[test]
fn rows_that_belong_together() -> heirloom::Result<()> {
    let app = Known::in_memory()?;
    let account = Account { id: Id::new(), name: "Giro".into() };
    let txn = Txn { number: 1, account: Ref::to(&account) };
    app.accounts.insert(&account)?;
    app.txns.insert(&txn)?;
    assert_eq!(app.txns.referrers(Txn::ACCOUNT, &account.id).count()?, 1);
    assert_eq!(app.txns.query().with(Txn::ACCOUNT)?[0].1.as_ref(), Some(&account));
    assert_eq!(app.accounts.query().with_many(Txn::ACCOUNT)?[0].1, std::slice::from_ref(&txn));
    assert_eq!(app.txns.filter(Txn::ACCOUNT.is(Account::NAME.eq("Giro"))).count()?, 1);
    assert_eq!(txn.account.get(&app)?, Some(account));
    assert!(app.dangling()?.is_empty());
    Ok(())
}

#[test]
fn upkeep() -> heirloom::Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let app = Known::open(folder.path().join("app.redb"))?;
    app.tasks.insert(&task(1))?;
    let mut lines = Vec::new();
    app.export(&mut lines)?;
    assert_eq!(app.import(lines.as_slice(), OnExisting::Skip)?.skipped(), 1);
    app.backup(folder.path().join("copy.redb"))?;
    app.compact()?;
    drop(app);
    assert!(Known::check(folder.path().join("app.redb"))?.is_ok());
    Ok(())
}

//! Sums, references, items of lists and pages of a ledger: heirloom beside SQLite with the same indexes.

use std::hint::black_box;
use std::path::Path;

use heirloom::{Durability, Ref, Store, Table};
use rusqlite::{Connection, Row as Found, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::plan::{Size, Unit};
use crate::query::{Line, compare, time};
use crate::results::Figure;
use crate::stage::Stage;
use crate::{Result, report};

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "accounts")]
struct Account {
    #[key]
    number: u32,
    name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "txns", index(date, cents))]
struct Txn {
    #[key]
    number: u32,
    #[reference(unchecked)]
    account: Ref<Account>,
    date: String,
    text: String,
    #[index]
    cents: i64,
    #[index(each)]
    tags: Vec<String>,
}

#[derive(Store)]
#[store(name = "ledger")]
struct Ledger {
    accounts: Table<Account>,
    txns: Table<Txn>,
}

const SCHEMA: &str = "CREATE TABLE accounts (number INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE txns (number INTEGER PRIMARY KEY, account INTEGER NOT NULL, date TEXT NOT NULL,
    text TEXT NOT NULL, cents INTEGER NOT NULL);
CREATE TABLE tags (tag TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (tag, number)) WITHOUT ROWID;
CREATE INDEX tags_of ON tags (number);
CREATE INDEX by_date ON txns (date, cents);
CREATE INDEX by_cents ON txns (cents);
CREATE INDEX by_account ON txns (account);";

const ACCOUNTS: u32 = 1_000;

/// The measurements, for `--only`.
const IDS: [&str; 6] = [
    "ledger-months",
    "ledger-range",
    "ledger-pages",
    "ledger-references",
    "ledger-items",
    "ledger-watch",
];

fn txns(count: u32) -> impl Iterator<Item = Txn> {
    (0..count).map(move |number| Txn {
        number,
        account: Ref::new(number % ACCOUNTS),
        date: format!("20{:02}-{:02}-{:02}", 10 + number % 4, 1 + number % 12, 1 + number % 28),
        text: format!("payment number {number} to somewhere"),
        // A step that shares no divisor with powers of ten visits every number once.
        cents: (u64::from(number) * 7_919 % u64::from(count)) as i64,
        tags: vec![format!("tag {}", number % 100), format!("other {}", number % 7)],
    })
}

fn accounts() -> impl Iterator<Item = Account> {
    (0..ACCOUNTS).map(|number| Account { number, name: format!("account {number}") })
}

fn sqlite(path: &Path, count: u32) -> Result<Connection> {
    let mut db = Connection::open(path)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "cache_size", -65_536)?;
    db.execute_batch(SCHEMA)?;
    let tx = db.transaction()?;
    {
        let mut insert = tx.prepare("INSERT INTO accounts VALUES (?, ?)")?;
        for account in accounts() {
            insert.execute(params![account.number, account.name])?;
        }
        let mut insert = tx.prepare("INSERT INTO txns VALUES (?, ?, ?, ?, ?)")?;
        let mut tag = tx.prepare("INSERT INTO tags VALUES (?, ?)")?;
        for txn in txns(count) {
            let account = txn.number % ACCOUNTS;
            insert.execute(params![txn.number, account, txn.date, txn.text, txn.cents])?;
            for name in txn.tags {
                tag.execute(params![name, txn.number])?;
            }
        }
    }
    tx.commit()?;
    Ok(db)
}

/// A row as SQLite has it.
type Plain = (u32, u32, String, String, i64);

fn plain(row: &Found<'_>) -> rusqlite::Result<Plain> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

/// All rows of a query, each as `read` makes it.
fn all<T>(
    db: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
    read: impl Fn(&Found<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query(values)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(black_box(all))
}

/// Takes all six measurements.
pub fn run(args: &Args, stage: &Stage) -> Result<Vec<Line>> {
    if !IDS.iter().any(|id| args.wants(id)) || !args.wants_peer("heirloom") {
        return Ok(Vec::new());
    }
    let mut lines = Vec::new();
    let mut add = |label, name, at_most, (ours, other): (Figure, Figure)| {
        eprintln!("{:>16} {}  {label}", "ledger", report::spread(&ours, Unit::Time));
        eprintln!("{:>16} {}  {name}", "", report::spread(&other, Unit::Time));
        lines.push(Line { label, ours, other, name, at_most, unit: Unit::Time });
    };
    let count = Size::Main.rows(args.quick) as u32;
    let at = |name: &str| stage.dir().join(format!("ledger-{name}"));
    let app = Ledger::open(at("ours"))?;
    app.accounts.insert_many(accounts())?;
    app.txns.insert_many(txns(count))?;
    let db = sqlite(&at("other"), count)?;
    let txns_of = &app.txns;
    let same = |ours: usize, other: usize| assert_eq!(ours, other, "both give the same");

    let month = Txn::DATE.map(|date| date.get(..7).unwrap_or_default().to_owned());
    let grouped =
        || Ok(txns_of.query().group_by(month.clone()).aggregate(Txn::CENTS.sum()).all()?);
    let by_month = "SELECT substr(date, 1, 7), SUM(cents) FROM txns GROUP BY 1 ORDER BY 1";
    let pair = |row: &Found<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
    if args.wants("ledger-months") {
        assert_eq!(grouped()?, all(&db, by_month, [], pair)?, "both give the same");
        let figures = compare(|| time(grouped), || time(|| all(&db, by_month, [], pair)), 15)?;
        add("sum and group by month over everything", "SQLite", 1.3, figures);
    }

    let (low, high) = (i64::from(count / 2), i64::from(count / 2 + count / 10 - 1));
    let sum = || Ok(txns_of.filter(Txn::CENTS.between(low, high)).sum(Txn::CENTS)?);
    let of_range = "SELECT SUM(cents) FROM txns WHERE cents BETWEEN ? AND ?";
    let number = |row: &Found<'_>| row.get::<_, i64>(0);
    if args.wants("ledger-range") {
        assert_eq!([sum()?], all(&db, of_range, [low, high], number)?[..], "both give the same");
        let figures =
            compare(|| time(sum), || time(|| all(&db, of_range, [low, high], number)), 31)?;
        add("sum of an index range of 10k", "SQLite", 1.0, figures);
    }

    let pages = if args.quick { 100 } else { 2_000 };
    let ours = || {
        let (mut last, mut seen) = (None::<Txn>, 0);
        for _ in 0..pages {
            let query = txns_of.order_by((Txn::DATE, Txn::CENTS)).limit(20);
            let page = match &last {
                Some(last) => query.after(last).all()?,
                None => query.all()?,
            };
            seen += page.len();
            last = page.into_iter().next_back();
        }
        Ok(seen)
    };
    let page = "SELECT number, account, date, text, cents FROM txns
        WHERE (date, cents, number) > (?, ?, ?) ORDER BY date, cents, number LIMIT 20";
    let other = || {
        let (mut last, mut seen) = ((String::new(), 0, 0), 0);
        for _ in 0..pages {
            let rows = all(&db, page, params![last.0, last.1, last.2], plain)?;
            seen += rows.len();
            if let Some((number, _, date, _, cents)) = rows.into_iter().next_back() {
                last = (date, cents, i64::from(number));
            }
        }
        Ok(seen)
    };
    if args.wants("ledger-pages") {
        same(ours()?, other()?);
        let figures = compare(|| time(ours), || time(other), 5)?;
        add("2,000 pages of 20 rows by `after`", "SQLite's keyset query", 1.2, figures);
    }

    let ours = || Ok(txns_of.filter(Txn::CENTS.between(low, high)).with(Txn::ACCOUNT)?.len());
    let join = "SELECT t.number, t.account, t.date, t.text, t.cents, a.number, a.name FROM txns t
        JOIN accounts a ON a.number = t.account WHERE t.cents BETWEEN ? AND ? ORDER BY t.number";
    let both =
        |row: &Found<'_>| Ok((plain(row)?, (row.get::<_, u32>(5)?, row.get::<_, String>(6)?)));
    let other = || Ok(all(&db, join, [low, high], both)?.len());
    if args.wants("ledger-references") {
        same(ours()?, other()?);
        let figures = compare(|| time(ours), || time(other), 15)?;
        add("10k rows with one reference each", "SQLite's join", 1.3, figures);
    }

    let ours = || Ok(txns_of.filter(Txn::TAGS.contains("tag 3")).all()?.len());
    let tagged = "SELECT t.number, t.account, t.date, t.text, t.cents FROM tags g
        JOIN txns t ON t.number = g.number WHERE g.tag = ? ORDER BY g.number";
    let other = || Ok(all(&db, tagged, ["tag 3"], plain)?.len());
    // The rows above lack their tags, which heirloom's have with them.
    let whole = "SELECT t.number, t.account, t.date, t.text, t.cents,
        (SELECT group_concat(o.tag, char(31)) FROM tags o WHERE o.number = t.number) FROM tags g
        JOIN txns t ON t.number = g.number WHERE g.tag = ? ORDER BY g.number";
    let with_tags = |row: &Found<'_>| {
        let tags = row.get_ref(5)?.as_str()?.split('\u{1f}').map(str::to_owned);
        Ok((plain(row)?, tags.collect::<Vec<_>>()))
    };
    let other_whole = || Ok(all(&db, whole, ["tag 3"], with_tags)?.len());
    if args.wants("ledger-items") {
        same(ours()?, other()?);
        let label = "`contains` on an index over each item, 1k of 100k";
        add(label, "SQLite's join table", 1.0, compare(|| time(ours), || time(other), 31)?);
        same(ours()?, other_whole()?);
        let figures = compare(|| time(ours), || time(other_whole), 31)?;
        add(label, "SQLite's join table, each row with its tags", 1.0, figures);
    }
    drop(app);
    if !args.wants("ledger-watch") {
        return Ok(lines);
    }

    // The disk takes longer by far in one moment than in the next, and hides what a watch costs.
    let app = Ledger::builder().durability(Durability::Eventual).open(at("big"))?;
    app.accounts.insert_many(accounts())?;
    app.txns.insert_many(txns(Size::Big.rows(args.quick) as u32))?;
    let mut turn = 0;
    let mut commit = || {
        turn += 1;
        time(|| Ok(app.txns.update(&7, |txn| txn.cents = turn)?))
    };
    let watched = || {
        let watch = app.txns.query().group_by(month.clone()).aggregate(Txn::CENTS.sum()).watch()?;
        watch.recv()?;
        Ok::<_, crate::Error>(watch)
    };
    // Rounds take turns, and each gives its medians and their ratio, so that what else the machine does meets both.
    let (mut with, mut without, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..if args.quick { 5 } else { 41 } {
        let mut medians = [0.0; 2];
        for turn in 0..2 {
            let is_watched = (round + turn) % 2 == 0;
            let watch = is_watched.then(&watched).transpose()?;
            // The first one notices that the watch of the turn before is over.
            commit()?;
            let samples = (0..101).map(|_| commit()).collect::<Result<Vec<_>>>()?;
            medians[usize::from(is_watched)] = Figure::of(samples, 1, false).median();
            drop(watch);
        }
        without.push(medians[0]);
        with.push(medians[1]);
        ratios.push(medians[1] / medians[0]);
    }
    let ratios = Figure::of(ratios, 1, false);
    let [low, median, high] = [0.1, 0.5, 0.9].map(|share| ratios.quantile(share));
    eprintln!("ratio of a round: {median:.2} ({low:.2} to {high:.2}, {} rounds)", ratios.count());
    let figures = (Figure::of(with, 1, false), Figure::of(without, 1, false));
    let label = "one commit with a watched sum by month, at 1M, not waiting for the disk";
    add(label, "the same without", 1.3, figures);
    Ok(lines)
}

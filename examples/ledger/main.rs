//! A ledger over three versions of its app and one epoch: accounts, categories as a tree, tags, rules, splits.
//!
//! ```sh
//! cargo run --release -p heirloom-examples --example ledger                # 50,000 lines of a bank
//! cargo run -p heirloom-examples --example ledger -- --rows 2000           # fewer of them
//! ```
//!
//! It writes a file as the first version did, and opens it with the others. It imports a bank's CSV with a bar,
//! follows the sums of months while rules, edits and another device change them, and searches.

mod first;
mod ledger;
mod second;

use std::error::Error;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use heirloom::ErrorKind;
use heirloom::query::count;
use heirloom::transfer::OnExisting;

use first::{Account, Category};
use ledger::{Ledger, Months, Split, Txn};

/// Lines of the bank without an argument: debug builds are slow.
const ROWS: u32 = if cfg!(debug_assertions) { 2_000 } else { 50_000 };

/// Keeps the books of an invented household
#[derive(Debug, Parser)]
#[command(name = "ledger")]
struct Args {
    /// How many lines the bank's file has
    #[arg(long, default_value_t = ROWS)]
    rows: u32,
}

fn main() -> ExitCode {
    let run = tempfile::tempdir()
        .map_err(Into::into)
        .and_then(|folder| run(&Args::parse(), folder.path()));
    match run {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ledger: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Everything in turn; returns the last sums of months.
fn run(args: &Args, folder: &Path) -> Result<Months, Box<dyn Error>> {
    let path = folder.join("ledger.redb");
    first::write(&path)?;
    second::write(&path)?;

    let app = Ledger::builder().on_progress(|progress| eprintln!("  {progress}")).open(&path)?;
    println!("Opened a file of two versions; amounts are numbers now:");
    for txn in app.txns.query().all()? {
        println!("  {} {:>9} {} {:?}", txn.date, euros(txn.cents), txn.text, txn.tags);
    }

    let bank = folder.join("bank.csv");
    std::fs::write(&bank, bank_file(&app, args.rows)?)?;
    let file = File::open(&bank)?;
    let told = Told { len: file.metadata()?.len(), from: file, read: 0, shown: 0 };
    let imported = app.txns.import_csv(told, OnExisting::Skip)?;
    println!("\nImported {} lines of the bank.", imported.inserted());

    // Grouped by month, live: first all of them, then what commits change.
    let sums = app.txns.query().group_by(Txn::MONTH).aggregate((count(), Txn::CENTS.sum()));
    let watch = sums.watch()?;
    show("All months:", &watch.recv()?);
    app.txns.update("old-2", |txn| txn.cents = -85_000)?;
    show("The rent of December was higher:", &watch.recv()?[..1]);

    println!("\nRules gave {} transactions a category.", app.apply_rules()?);
    if let Some(food) = app.categories.get_by(Category::NAME, "Food")? {
        let spent = app.of_branch(&food)?.sum(Txn::CENTS)?;
        println!("Food, with all of its parts: {}", euros(spent));
    }
    let found = app.txns.filter(Txn::TEXT.contains_ignore_case("CAFÉ") & Txn::CENTS.lt(-900));
    println!("Dear coffees: {}", found.count()?);
    let fixed = app.txns.filter(Txn::TAGS.contains_all(["fixed", "monthly"]));
    println!("Fixed and monthly: {} ({})", fixed.count()?, fixed.explain());

    split(&app)?;
    two_devices(&app, folder)?;
    let months = app.months()?;
    let mut last = watch.recv()?;
    while let Some(newer) = watch.try_recv()? {
        last = newer;
    }
    assert_eq!(last, months, "what is watched is what is asked for");
    show("At the end:", &months);
    Ok(months)
}

/// Splits a transaction between two categories.
fn split(app: &Ledger) -> heirloom::Result<()> {
    let names = ["Groceries", "Home"].map(|name| app.categories.get_by(Category::NAME, name));
    let [Ok(Some(groceries)), Ok(Some(home))] = names else { return Ok(()) };
    let parts = |first, second| {
        vec![
            Split { category: groceries.id, cents: first },
            Split { category: home.id, cents: second },
        ]
    };
    let refused = app.split("old-1", parts(-1_000, -1)).err().map(|error| error.kind());
    assert_eq!(refused, Some(ErrorKind::CheckFailed), "these do not make up the amount");
    assert!(app.split("old-1", parts(-1_000, -250))?.is_some());
    Ok(())
}

/// A second device, from a backup, edits while the first does; both end with the same.
fn two_devices(app: &Ledger, folder: &Path) -> heirloom::Result<()> {
    let copy = folder.join("laptop.redb");
    app.backup(&copy)?;
    let laptop = Ledger::open(&copy)?;
    laptop.txns.update("old-1", |txn| txn.tags.push("party".into()))?;
    app.txns.update("old-2", |txn| txn.cents = -81_000)?;
    for (from, to) in [(&laptop, app), (app, &laptop)] {
        to.apply(&from.changes_since(&to.summary()?)?)?;
    }
    let tagged = |app: &Ledger| app.txns.filter(Txn::TAGS.contains("party")).keys();
    assert_eq!(tagged(app)?, tagged(&laptop)?);
    assert_eq!(app.months()?, laptop.months()?);
    println!(
        "\nTwo devices have edited, and have the same: {:?} has the tag `party`.",
        tagged(app)?
    );
    Ok(())
}

/// Makes the file that a bank gives out, the first line naming the columns.
fn bank_file(app: &Ledger, rows: u32) -> Result<String, Box<dyn Error>> {
    let account = app.accounts.get_by(Account::NAME, "Giro")?.ok_or("there is no account")?;
    let mut text = String::from("\u{feff}reference,account,date,text,cents,tags\n");
    for row in 0..rows {
        let (shop, cents) = match row % 5 {
            0 => ("REWE, Berlin", 2_340 + i64::from(row % 900)),
            1 => ("Café \"Zur Mühle\"", 420 + i64::from(row % 700)),
            2 => ("Farmers' market", 1_200),
            3 => ("Pizzeria Vesuvio", 2_900),
            _ => ("Something else", 100),
        };
        let (month, day) = (1 + row % 12, 1 + row % 28);
        let (quoted, tags) =
            (shop.replace('"', "\"\""), if row % 10 == 1 { "[\"treat\"]" } else { "[]" });
        let tags = tags.replace('"', "\"\"");
        writeln!(
            text,
            "bank-{row:06},{},2024-{month:02}-{day:02},\"{quoted}\",-{cents},\"{tags}\"",
            account.id
        )?;
    }
    Ok(text)
}

/// A reader that draws how far it is.
struct Told<R> {
    from: R,
    len: u64,
    read: u64,
    shown: u64,
}

impl<R: Read> Read for Told<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.read += read as u64;
        let part = 30 * self.read / self.len.max(1);
        if part > self.shown {
            self.shown = part;
            let full = part as usize;
            eprint!("\r  {}{}", "█".repeat(full), "░".repeat(30_usize.saturating_sub(full)));
        }
        Ok(read)
    }
}

fn show(title: &str, months: &[(String, (usize, i64))]) {
    println!("\n{title}");
    for (month, (count, cents)) in months {
        println!("  {month} {count:>6} {:>14}", euros(*cents));
    }
}

fn euros(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_books_are_kept_over_versions_and_devices() {
        let folder = tempfile::tempdir().expect("a folder");
        let months = run(&Args { rows: 240 }, folder.path()).expect("a run");
        assert_eq!(months.len(), 13);
        assert_eq!(months[0], ("2023-12".to_owned(), (2, -82_250)));
        let count: usize = months.iter().map(|(_, (count, _))| count).sum();
        assert_eq!(count, 242);
        let report = Ledger::check(folder.path().join("ledger.redb")).expect("a report");
        assert!(report.is_ok(), "{report:?}");
    }

    #[test]
    fn amounts_are_shown_with_their_sign() {
        assert_eq!([euros(-5), euros(12_345), euros(0)], ["-0.05", "123.45", "0.00"]);
    }
}

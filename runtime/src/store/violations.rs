//! The rules of rows and kv groups: checked with each write, and what is stored and breaks them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::kv::Kv;
use super::read::{EntriesOf, group_of, scanned_key, typed_in_scan};
use super::table::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::evolve::snippet;
use crate::row::{Group, Key, Object, Row};
use crate::schema::descriptor::{CheckDef, ComputedDef, GroupTexts};

/// A rule that a row or a kv group breaks.
struct Broken {
    /// As it is written.
    rule: &'static str,
    /// The stored names of the fields that it reads.
    reads: &'static [&'static str],
    why: Why,
}

enum Why {
    IsFalse,
    HasPanicked,
    /// A computed column of this name has no value, since computing it panics.
    NotComputed(&'static str),
}

/// The rules that a row or a kv group breaks, which says itself whether it keeps one.
fn broken_rules<'k>(
    checks: &'static [CheckDef],
    keeps: &'k dyn Fn(usize) -> bool,
) -> impl Iterator<Item = Broken> + use<'k> {
    checks.iter().enumerate().filter_map(move |(number, &CheckDef { code, reads })| {
        // It is code of the app, which may divide by zero.
        let why = match catch_unwind(AssertUnwindSafe(|| keeps(number))) {
            Ok(true) => return None,
            Ok(false) => Why::IsFalse,
            Err(_) => Why::HasPanicked,
        };
        Some(Broken { rule: code, reads, why })
    })
}

/// The same of a row, and the columns that cannot be computed of it.
fn broken_row<'k>(
    (checks, keeps): (&'static [CheckDef], &'k dyn Fn(usize) -> bool),
    (computed, is_computed): (&'static [ComputedDef], &'k dyn Fn(usize) -> bool),
) -> impl Iterator<Item = Broken> + use<'k> {
    let computed = computed.iter().enumerate().filter_map(move |(number, computed)| {
        let &ComputedDef { name, code, reads, .. } = computed;
        let broken = Broken { rule: code, reads, why: Why::NotComputed(name) };
        (!is_computed(number)).then_some(broken)
    });
    broken_rules(checks, keeps).chain(computed)
}

/// The values of the fields that a rule reads.
fn values(reads: &[&str], text: &mut dyn FnMut(&str) -> Option<String>) -> String {
    let values = reads.iter().map(|name| {
        let value = text(name).map_or_else(|| "nothing".to_owned(), |text| snippet(&text));
        format!("{name} = {value}")
    });
    values.collect::<Vec<_>>().join(", ")
}

/// The same of the JSON text of a row.
fn values_of_row(reads: &[&str], json: &str) -> String {
    let object = Object::parse(json).unwrap_or_default();
    values(reads, &mut |name| object.get(name).map(str::to_owned))
}

impl Broken {
    /// The refusal of a write.
    fn refusal(&self, it: &str, values: String) -> Error {
        let Self { rule, reads, why } = self;
        let (what, expected, help) = match why {
            Why::IsFalse => (
                format!("{it} breaks the rule `{rule}`"),
                format!("values for which `{rule}` holds"),
                format!("correct the values, or change the `#[check(…)]` of {it}"),
            ),
            Why::HasPanicked => (
                format!("the rule `{rule}` panicked"),
                format!("values for which `{rule}` holds"),
                "make the rule hold or not for all values, without a panic".to_owned(),
            ),
            Why::NotComputed(name) => (
                format!("the computed column `{name}` panicked"),
                format!("values of which `{rule}` can be computed"),
                "correct the values, or make the expression compute a value for all of them, \
                 without a panic"
                    .to_owned(),
            ),
        };
        Error::new(ErrorKind::CheckFailed, what)
            .at_field(reads.join(", "))
            .expecting(expected)
            .finding(values)
            .help(format!("nothing was written: {help}"))
    }
}

/// Refuses a row that breaks a rule, and is to be stored as this JSON text.
pub(super) fn refuse_broken<R: Row>(row: &R, json: &str) -> Result<()> {
    let (keeps, is_computed) = (|number| row.keeps(number), |number| row.is_computed(number));
    let mut broken = broken_row((R::CHECKS, &keeps), (R::COMPUTED, &is_computed));
    let Some(broken) = broken.next() else { return Ok(()) };
    let refusal = broken.refusal("the row", values_of_row(broken.reads, json));
    Err(refusal.at_table(R::TABLE).at_key(row.key().to_text()))
}

/// Refuses entries that break a rule which reads one that was written. While an entry does not decode, there
/// is no group for rules to be about.
pub(crate) fn refuse_broken_group<G: Group>(texts: &GroupTexts<'_>) -> Result<()> {
    let Ok(group) = group_of::<G>(texts.text) else { return Ok(()) };
    let is_written = |stored: &&str| {
        let field = G::FIELDS.iter().find(|field| field.name == *stored);
        let names = field.into_iter().flat_map(|field| field.aliases).chain([stored]);
        names.into_iter().any(|name| (texts.is_written)(name))
    };
    // A computed default may read an entry that was written.
    let touches = |stored: &&str| {
        let field = G::FIELDS.iter().find(|field| field.name == *stored);
        is_written(stored) || field.is_some_and(|field| field.reads.iter().any(&is_written))
    };
    let keeps = |number| group.keeps(number);
    let mut broken = broken_rules(G::CHECKS, &keeps);
    let broken = broken.find(|broken| broken.reads.iter().any(touches));
    match broken {
        None => Ok(()),
        Some(broken) => {
            let values = values_of_group::<G>(broken.reads, texts.text);
            Err(broken.refusal("the group", values).at_group(G::GROUP))
        }
    }
}

fn values_of_group<G: Group>(
    reads: &[&str],
    text: &dyn Fn(&str) -> Result<Option<String>>,
) -> String {
    values(reads, &mut |stored| {
        let field = G::FIELDS.iter().find(|field| field.name == stored)?;
        let names = std::iter::once(&field.name).chain(field.aliases);
        names.filter_map(|name| text(name).ok().flatten()).next()
    })
}

/// A stored row that breaks a rule of its table, or a kv group that breaks one of its own.
///
/// Listed by [`Table::violations`](crate::Table::violations) and [`Kv::violations`](crate::Kv::violations).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    table: &'static str,
    /// Nothing for a group.
    key: Option<String>,
    rule: &'static str,
    values: String,
}

impl Violation {
    /// Returns the stored name of the table, or of the kv group.
    pub fn table(&self) -> &str {
        self.table
    }

    /// Returns the text of the row's key; it is empty for a kv group.
    pub fn key(&self) -> &str {
        self.key.as_deref().unwrap_or_default()
    }

    /// Returns the key of the row; `None` if `R` is the row of another table.
    pub fn key_of<R: Row>(&self) -> Option<R::Key> {
        if R::TABLE != self.table {
            return None;
        }
        R::Key::from_text(self.key.as_deref()?).ok()
    }

    /// Returns the rule as it is written; of a computed column that has no value, since computing it panics,
    /// its expression.
    pub fn rule(&self) -> &str {
        self.rule
    }

    /// Returns the fields that the rule reads, with their values: `amount = -5`.
    pub fn values(&self) -> &str {
        &self.values
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, key, rule, values } = self;
        match key {
            Some(key) => {
                write!(f, "row `{key}` of table `{table}` breaks the rule `{rule}`: {values}")
            }
            None => write!(f, "the kv group `{table}` breaks the rule `{rule}`: {values}"),
        }
    }
}

impl<R: Row> Table<R> {
    /// Returns the rows that break a rule of `#[check(…)]`, once for each rule.
    ///
    /// Local writes keep the rules, so these rows have come from another device, from a migration, or were
    /// written before there was the rule. They are read as any row. Rows that do not decode are listed by
    /// [`invalid`](Self::invalid) alone. It reads the whole table, unless there is no rule.
    ///
    /// ```
    /// use heirloom::{Store, Table};
    /// # use schemars::JsonSchema;
    /// # use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
    /// struct Account {
    ///     #[key]
    ///     name: String,
    ///     #[check(cents >= 0)]
    ///     cents: i64,
    /// }
    /// # #[derive(Store)]
    /// # struct Bank { accounts: Table<Account> }
    ///
    /// # let app = Bank::in_memory()?;
    /// let refused = app.accounts.insert(&Account { name: "ada".into(), cents: -5 }).unwrap_err();
    /// assert_eq!(refused.kind(), heirloom::ErrorKind::CheckFailed);
    ///
    /// for violation in app.accounts.violations()? {
    ///     println!("{} {} {}", violation.key(), violation.rule(), violation.values());
    /// }
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Storage`](crate::ErrorKind::Storage) if the file cannot be read or written.
    pub fn violations(&self) -> Result<Vec<Violation>> {
        let mut violations = Vec::new();
        if R::CHECKS.is_empty() && R::COMPUTED.is_empty() {
            return Ok(violations);
        }
        let view = self.handle.engine().view();
        let mut rows = self.placed(view.rows(self.table_idx))?;
        while let Some(found) = rows.next_with(|key, stored| {
            let Ok(row) = typed_in_scan::<R>(key, stored) else { return Vec::new() };
            let json = String::from_utf8_lossy(stored.json());
            let violation = |Broken { rule, reads, .. }: Broken| Violation {
                table: R::TABLE,
                key: Some(scanned_key::<R>(key)),
                rule,
                values: values_of_row(reads, &json),
            };
            let (keeps, is_computed) =
                (|number| row.keeps(number), |number| row.is_computed(number));
            let broken = broken_row((R::CHECKS, &keeps), (R::COMPUTED, &is_computed));
            broken.map(violation).collect()
        }) {
            violations.extend(self.placed(found)?);
        }
        Ok(violations)
    }
}

impl<G: Group> Kv<G> {
    /// Returns the rules of `#[check(…)]` that the entries break, as they are stored.
    ///
    /// Local writes keep the rules, so these entries have come from another device, from a migration, or were
    /// written before there was the rule. They are read as any others.
    ///
    /// ```
    /// use heirloom::{ErrorKind, Kv, Store};
    /// # use schemars::JsonSchema;
    /// # use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    /// #[kv(name = "window")]
    /// #[check(width >= height)]
    /// struct Window {
    ///     #[evolve(default = 800)]
    ///     width: u32,
    ///     #[evolve(default = 600)]
    ///     height: u32,
    /// }
    /// # #[derive(Store)]
    /// # struct App { window: Kv<Window> }
    ///
    /// # let app = App::in_memory()?;
    /// let refused = app.window.height.set(&900).unwrap_err();
    /// assert_eq!(refused.kind(), ErrorKind::CheckFailed);
    ///
    /// // Rules are checked once all writes of a transaction are made.
    /// app.transaction(|tx| {
    ///     tx.set(&app.window.height, &900)?;
    ///     tx.set(&app.window.width, &1600)
    /// })?;
    /// assert!(app.window.violations()?.is_empty());
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidRow`](crate::ErrorKind::InvalidRow) if an entry does not decode.
    pub fn violations(&self) -> Result<Vec<Violation>> {
        let violations = self.engine().with_view(|view| {
            let entries = EntriesOf { view, batch: None, group_idx: self.group_idx() };
            let text = |name: &str| entries.text(name);
            let violation = |Broken { rule, reads, .. }: Broken| Violation {
                table: G::GROUP,
                key: None,
                rule,
                values: values_of_group::<G>(reads, &text),
            };
            let group = entries.group::<G>()?;
            let keeps = |number| group.keeps(number);
            Ok(broken_rules(G::CHECKS, &keeps).map(violation).collect())
        });
        violations.map_err(|error| self.placed(error))
    }
}

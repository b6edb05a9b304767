//! The rules of rows: checked with each write, and which stored rows break them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::read::{scanned_key, typed_in_scan};
use super::table::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::evolve::snippet;
use crate::row::{Key, Object, Row};
use crate::schema::descriptor::CheckDef;

/// A rule that a row breaks.
struct Broken {
    check: &'static CheckDef,
    has_panicked: bool,
}

/// The rules that a row breaks.
fn broken<R: Row>(row: &R) -> impl Iterator<Item = Broken> {
    R::CHECKS.iter().enumerate().filter_map(|(number, check)| {
        // It is code of the app, which may divide by zero.
        match catch_unwind(AssertUnwindSafe(|| row.keeps(number))) {
            Ok(true) => None,
            outcome => Some(Broken { check, has_panicked: outcome.is_err() }),
        }
    })
}

/// The values of the fields that a rule reads, in the JSON text of a row.
fn values(check: &CheckDef, json: &str) -> String {
    let object = Object::parse(json).unwrap_or_default();
    let values = check.reads.iter().map(|name| {
        let value = object.get(name).map_or_else(|| "nothing".to_owned(), snippet);
        format!("{name} = {value}")
    });
    values.collect::<Vec<_>>().join(", ")
}

/// Refuses a row that breaks a rule, and is to be stored as this JSON text.
pub(super) fn refuse_broken<R: Row>(row: &R, json: &str) -> Result<()> {
    let Some(Broken { check, has_panicked }) = broken(row).next() else { return Ok(()) };
    let rule = check.code;
    let what = match has_panicked {
        true => format!("the rule `{rule}` panicked"),
        false => format!("the row breaks the rule `{rule}`"),
    };
    let error = Error::new(ErrorKind::CheckFailed, what)
        .at_table(R::TABLE)
        .at_key(row.key().to_text())
        .at_field(check.reads.join(", "))
        .expecting(format!("values for which `{rule}` holds"))
        .finding(values(check, json));
    Err(error.help(match has_panicked {
        true => "nothing was written: make the rule hold or not for every row, without a panic",
        false => "nothing was written: correct the values, or change the `#[check(…)]` of the row",
    }))
}

/// A stored row that breaks a rule of its table.
///
/// Listed by [`Table::violations`](crate::Table::violations).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    table: &'static str,
    key: String,
    rule: &'static str,
    values: String,
}

impl Violation {
    /// Returns the stored name of the table.
    pub fn table(&self) -> &str {
        self.table
    }

    /// Returns the text of the row's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the key of the row; `None` if `R` is the row of another table.
    pub fn key_of<R: Row>(&self) -> Option<R::Key> {
        if R::TABLE != self.table {
            return None;
        }
        R::Key::from_text(&self.key).ok()
    }

    /// Returns the rule as it is written.
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
        write!(f, "row `{key}` of table `{table}` breaks the rule `{rule}`: {values}")
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
        if R::CHECKS.is_empty() {
            return Ok(violations);
        }
        let view = self.handle.engine().view();
        let mut rows = self.placed(view.rows(self.table_idx))?;
        while let Some(found) = rows.next_with(|key, stored| {
            let Ok(row) = typed_in_scan::<R>(key, stored) else { return Vec::new() };
            let json = String::from_utf8_lossy(stored.json());
            let violation = |Broken { check, .. }: Broken| Violation {
                table: R::TABLE,
                key: scanned_key::<R>(key),
                rule: check.code,
                values: values(check, &json),
            };
            broken(&row).map(violation).collect()
        }) {
            violations.extend(self.placed(found)?);
        }
        Ok(violations)
    }
}

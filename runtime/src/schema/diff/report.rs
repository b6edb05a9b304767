//! [`Diff`]: all differences between two schemas, for people and for programs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Change, Class, Operation};

/// The changes from one [`Schema`](super::super::Schema) to another, returned by
/// [`Schema::diff`](super::super::Schema::diff).
///
/// Displayed, it is a table with a line of advice for each change that needs one. Serialized, it is
/// the list of changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Diff(Vec<Change>);

impl Diff {
    pub(super) fn of(changes: Vec<Change>) -> Self {
        Self(changes)
    }

    /// Whether the two schemas say the same about what is stored.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of changes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Iterates over the changes: the epoch first, then table by table and group by group.
    pub fn iter(&self) -> std::slice::Iter<'_, Change> {
        self.0.iter()
    }

    /// Returns the class of the worst change; [`Additive`](Class::Additive) if there is none.
    pub fn class(&self) -> Class {
        self.iter().map(Change::class).max().unwrap_or(Class::Additive)
    }

    /// Iterates over the changes that need an epoch or are never allowed.
    pub fn breaking(&self) -> impl Iterator<Item = &Change> {
        self.iter().filter(|change| change.class() >= Class::Breaking)
    }

    /// Only what keeps new code from reading rows of the old schema whole.
    pub(crate) fn into_unread(self) -> Self {
        Self(self.into_iter().filter(|change| !change.reads_old()).collect())
    }

    /// Whether a change is breaking and the epoch is the same.
    ///
    /// A change of the class [`Error`](Class::Error) is not cured by an epoch.
    pub fn needs_epoch(&self) -> bool {
        let same_epoch = self.iter().all(|change| change.operation() != Operation::ChangeEpoch);
        same_epoch && self.iter().any(|change| change.class() == Class::Breaking)
    }
}

impl IntoIterator for Diff {
    type Item = Change;
    type IntoIter = std::vec::IntoIter<Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diff {
    type Item = &'a Change;
    type IntoIter = std::slice::Iter<'a, Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The table: class, rule, where, what was and is.
impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no changes");
        }
        let head = ["class", "rule", "where", "change"].map(str::to_owned);
        let row = |change: &Change| {
            [change.class().to_string(), change.rule().to_owned(), change.place(), change.step()]
        };
        let rows: Vec<[String; 4]> = self.iter().map(row).collect();
        let widest = |column: usize| {
            let cells = rows.iter().chain([&head]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths = [widest(0), widest(1), widest(2)];
        let line = |[class, rule, path, step]: &[String; 4]| {
            let [first, second, third] = widths;
            let line = format!("{class:first$}  {rule:second$}  {path:third$}  {step}");
            line.trim_end().to_owned()
        };
        f.write_str(&line(&head))?;
        for (change, row) in self.iter().zip(&rows) {
            write!(f, "\n{}", line(row))?;
            if change.class() >= Class::Warn
                && let Some(advice) = change.advice()
            {
                write!(f, "\n{:width$}  {advice}", "", width = widths[0])?;
            }
        }
        Ok(())
    }
}

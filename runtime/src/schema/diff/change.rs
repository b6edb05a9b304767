//! [`Change`]: one difference between two schemas, typed.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Class, Operation, Rule};

/// A difference between two schemas: the place, what was and is, and how safe it is.
///
/// Serializable, and readable even if a newer heirloom has recorded operations, rules and classes
/// that this one does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    operation: Operation,
    rule: Cow<'static, str>,
    class: Class,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    new: Option<String>,
}

impl Change {
    /// Returns what the change does.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Returns the id of the [`Rule`] that judged it.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// Returns how safe it is.
    pub fn class(&self) -> Class {
        self.class
    }

    /// Returns the table it concerns.
    pub fn table(&self) -> Option<&str> {
        self.table.as_deref()
    }

    /// Returns the kv group it concerns.
    pub fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// Returns the stored name of the field or entry, and the path inside its value:
    /// `address.street`, `tags[]` for the items of a list, `by_day{}` for the values of a map,
    /// `status.Failed` for a variant.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// Returns what was, in words.
    pub fn old(&self) -> Option<&str> {
        self.old.as_deref()
    }

    /// Returns what is, in words.
    #[expect(clippy::new_ret_no_self, reason = "the opposite of `old`")]
    pub fn new(&self) -> Option<&str> {
        self.new.as_deref()
    }

    /// Whether it says only that a name may have been renamed.
    ///
    /// Removing the one and adding the other are changes of their own, and safe or not by
    /// themselves.
    pub fn is_candidate(&self) -> bool {
        let rename = matches!(
            self.operation,
            Operation::RenameTable
                | Operation::RenameGroup
                | Operation::RenameField
                | Operation::RenameVariant
        );
        rename && self.rule != super::rules::FIELD_RENAMED_WITH_ALIAS.id
    }

    /// Whether new code reads all that the old schema allows.
    pub(super) fn reads_old(&self) -> bool {
        super::rules::READ_OLD.iter().any(|rule| rule.id == self.rule) || self.is_candidate()
    }

    /// Returns what to do instead; `None` if nothing needs to be done.
    pub fn advice(&self) -> Option<String> {
        let rule = Rule::find(&self.rule).filter(|rule| !rule.advice.is_empty())?;
        let name = self.field().and_then(|path| path.split(['.', '[', '{']).next());
        let or = |text: Option<&str>| text.unwrap_or("…").to_owned();
        Some(
            rule.advice
                .replace("{old}", &or(self.old()))
                .replace("{new}", &or(self.new()))
                .replace("{name}", &or(name)),
        )
    }

    pub(super) fn of(rule: &'static Rule) -> Self {
        Self {
            operation: rule.operation,
            rule: Cow::Borrowed(rule.id),
            class: rule.class,
            table: None,
            group: None,
            field: None,
            old: None,
            new: None,
        }
    }

    pub(super) fn operating(mut self, operation: Operation) -> Self {
        self.operation = operation;
        self
    }

    pub(super) fn at_table(mut self, table: &str) -> Self {
        self.table = Some(table.to_owned());
        self
    }

    pub(super) fn at_group(mut self, group: &str) -> Self {
        self.group = Some(group.to_owned());
        self
    }

    pub(super) fn at_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    pub(super) fn old_is(mut self, old: impl Into<String>) -> Self {
        self.old = Some(old.into());
        self
    }

    pub(super) fn new_is(mut self, new: impl Into<String>) -> Self {
        self.new = Some(new.into());
        self
    }

    /// Its place as shown to people: `recordings.title`.
    pub(super) fn place(&self) -> String {
        match (self.table().or(self.group()), self.field()) {
            (Some(table), Some(field)) => format!("{table}.{field}"),
            (Some(name), None) => name.to_owned(),
            (None, Some(field)) => field.to_owned(),
            (None, None) => String::new(),
        }
    }

    /// The old and the new value as shown to people: `text → integer`.
    pub(super) fn step(&self) -> String {
        let step = match (self.old(), self.new()) {
            (Some(old), Some(new)) => format!("{old} → {new}"),
            (Some(old), None) => format!("{old} → –"),
            (None, Some(new)) => format!("– → {new}"),
            (None, None) => String::new(),
        };
        if self.is_candidate() { format!("{step} (perhaps renamed)") } else { step }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.rule)?;
        if let Some(table) = self.table() {
            write!(f, ", table `{table}`")?;
        }
        if let Some(group) = self.group() {
            write!(f, ", kv group `{group}`")?;
        }
        if let Some(field) = self.field() {
            write!(f, ", field `{field}`")?;
        }
        match self.step() {
            step if step.is_empty() => Ok(()),
            step => write!(f, ": {step}"),
        }
    }
}

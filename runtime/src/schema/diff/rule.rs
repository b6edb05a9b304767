//! [`Rule`]: what a kind of change is judged by.

use super::{Class, Operation, rules};

/// A rule by which a kind of change is judged: a stable id, a class, and the reason for it.
///
/// ```
/// use heirloom::schema::{Class, Rule};
///
/// let rule = Rule::find("field-added-required").unwrap();
/// assert_eq!(rule.class(), Class::Breaking);
/// println!("{}: {}", rule.id(), rule.reason());
/// assert!(Rule::all().iter().all(|rule| !rule.reason().is_empty()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub(super) id: &'static str,
    pub(super) operation: Operation,
    pub(super) class: Class,
    pub(super) rows: &'static [u8],
    pub(super) reason: &'static str,
    pub(super) advice: &'static str,
}

impl Rule {
    /// Returns all rules that schemas are compared by.
    pub fn all() -> &'static [Self] {
        rules::ALL
    }

    /// Returns the rule with an id; `None` if this heirloom has none.
    pub fn find(id: &str) -> Option<&'static Self> {
        Self::all().iter().find(|rule| rule.id == id)
    }

    /// Returns its id, such as `field-removed`: never changed, and never used for another rule.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// Returns the class of the changes it judges.
    pub fn class(&self) -> Class {
        self.class
    }

    /// Returns why they have this class, in a sentence.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// Which rows of the catalogue of schema changes it covers.
    #[doc(hidden)]
    pub fn rows(&self) -> &'static [u8] {
        self.rows
    }
}

//! The reading of fields that are absent or `null`, and whether two versions agree on it.

use std::borrow::Cow;

use serde_json::Value;

use super::{Rule, rules};
use crate::schema::FieldDefault;

/// The reading of a field that is absent, and whether it may be `null`.
#[derive(Debug)]
pub(super) struct Presence<'a> {
    pub(super) fill: Fill<'a>,
    pub(super) has_null: bool,
}

/// The value of an absent field.
#[derive(Debug, PartialEq)]
pub(super) enum Fill<'a> {
    /// Nothing: it must be there.
    Required,
    /// This value; `null` for an `Option`.
    Value(Cow<'a, Value>),
    /// The result of this code, which the derives write down always in the same way.
    Computed(&'a str),
    /// Another value each time.
    Unstable,
    /// A default that the schema does not show.
    Hidden,
}

impl<'a> Fill<'a> {
    pub(super) fn of_default(default: &'a FieldDefault) -> Self {
        match default {
            FieldDefault::Required => Self::Required,
            FieldDefault::Optional => Self::Value(Cow::Owned(Value::Null)),
            FieldDefault::Constant { value } => Self::Value(Cow::Borrowed(value)),
            FieldDefault::Computed { code } => Self::Computed(code),
            FieldDefault::Unstable => Self::Unstable,
        }
    }

    fn is_required(&self) -> bool {
        matches!(self, Self::Required)
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Required => "required".into(),
            Self::Value(value) if value.is_null() => "optional".into(),
            Self::Value(value) => {
                format!("default {}", value.to_string().chars().take(60).collect::<String>())
            }
            Self::Computed(code) => {
                format!("default {}", code.chars().take(60).collect::<String>())
            }
            Self::Unstable => "a default that is another each time".into(),
            Self::Hidden => "a default".into(),
        }
    }
}

/// The rule for a field that is new.
pub(super) fn added(new: &Presence<'_>) -> &'static Rule {
    match &new.fill {
        Fill::Required => &rules::FIELD_ADDED_REQUIRED,
        Fill::Unstable => &rules::DEFAULT_UNSTABLE,
        Fill::Value(value) if value.is_null() => &rules::FIELD_ADDED_OPTIONAL,
        Fill::Value(_) | Fill::Computed(_) | Fill::Hidden => &rules::FIELD_ADDED_WITH_DEFAULT,
    }
}

/// The rule for a field that is gone.
pub(super) fn removed(old: &Presence<'_>) -> &'static Rule {
    match old.fill.is_required() {
        true => &rules::FIELD_REMOVED_REQUIRED,
        false => &rules::FIELD_REMOVED,
    }
}

/// The rule for the `null` of a field that is in both, if only one version has it.
pub(super) fn nullness(old: &Presence<'_>, new: &Presence<'_>) -> Option<&'static Rule> {
    match (old.has_null, new.has_null) {
        (true, false) => Some(match (old.fill.is_required(), new.fill.is_required()) {
            (true, _) => &rules::NULL_REFUSED,
            (false, true) => &rules::OPTIONAL_TO_REQUIRED,
            (false, false) => &rules::OPTIONAL_TO_DEFAULT,
        }),
        (false, true) => Some(match (old.fill.is_required(), new.fill.is_required()) {
            (true, false) => &rules::REQUIRED_TO_OPTIONAL,
            _ => &rules::NULL_ALLOWED,
        }),
        (true, true) | (false, false) => None,
    }
}

/// The rule for what fills a field that is in both.
pub(super) fn filling(old: &Presence<'_>, new: &Presence<'_>) -> Option<&'static Rule> {
    match (&old.fill, &new.fill) {
        (Fill::Unstable, Fill::Unstable) => None,
        (_, Fill::Unstable) => Some(&rules::DEFAULT_UNSTABLE),
        (Fill::Required, Fill::Required) | (Fill::Hidden, _) | (_, Fill::Hidden)
            if old.fill.is_required() == new.fill.is_required() =>
        {
            None
        }
        // The change of `null` says it already.
        _ if old.has_null != new.has_null => None,
        (Fill::Required, _) => Some(&rules::DEFAULT_ADDED),
        (_, Fill::Required) => Some(&rules::DEFAULT_REMOVED),
        (Fill::Value(old), Fill::Value(new)) if agree(old, new) => None,
        (old, new) => (old != new).then_some(&rules::DEFAULT_CHANGED),
    }
}

/// Whether two values are the same as far as both versions have their fields: a struct that has got
/// a field has one more in its default, too.
fn agree(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            old.iter().all(|(name, value)| new.get(name).is_none_or(|new| agree(value, new)))
        }
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| agree(old, new))
        }
        (old, new) => old == new,
    }
}

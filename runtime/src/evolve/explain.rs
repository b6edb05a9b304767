//! Why a stored value does not decode, in words that help to repair it.

use std::fmt::Display;

use crate::error::{Error, ErrorKind};
use crate::row::{DefaultError, Object};
use crate::schema::descriptor::FieldDef;
use crate::schema::step::Failure;

/// How much of a stored value an error shows, in characters.
const SNIPPET_CHARS: usize = 80;

/// Why a stored object does not decode.
#[derive(Debug, Clone)]
pub(crate) struct Invalid {
    /// The stored name of the field, or a path into it.
    pub(crate) field: Option<String>,
    pub(crate) expected: Option<String>,
    pub(crate) found: Option<String>,
    pub(crate) reason: String,
}

impl Invalid {
    /// The value as a whole is at fault.
    pub(crate) fn whole(json: &str, reason: impl Display) -> Self {
        Self {
            field: None,
            expected: Some("a JSON object".into()),
            found: Some(snippet(json)),
            reason: reason.to_string(),
        }
    }

    /// A value that is not one of its type.
    pub(crate) fn of_value(expected: &str, json: &str, reason: impl Display) -> Self {
        Self {
            field: None,
            expected: Some(expected.into()),
            found: Some(snippet(json)),
            reason: reason.to_string(),
        }
    }

    /// A field is missing, and its default cannot be computed.
    pub(super) fn no_default(field: &FieldDef, error: &DefaultError) -> Self {
        Self {
            field: Some(field.name.into()),
            expected: Some(field.rust_type.into()),
            found: Some("nothing".into()),
            reason: format!("the field is missing, and its default fails: {error}"),
        }
    }

    /// The same as data.
    pub(crate) fn into_failure(self) -> Failure {
        let Self { field, expected, found, reason } = self;
        Failure { field, expected, found, reason }
    }

    /// The error to report, to which the caller adds the place.
    pub(crate) fn into_error(self) -> Error {
        self.into_error_of(ErrorKind::InvalidRow)
    }

    /// [`into_error`](Self::into_error) for a value that cannot be stored.
    pub(crate) fn into_refusal(self) -> Error {
        self.into_error_of(ErrorKind::InvalidValue).help("nothing was changed")
    }

    /// The reason of a [`Failure`].
    pub(crate) fn of_failure(failure: Failure) -> Self {
        let Failure { field, expected, found, reason } = failure;
        Self { field, expected, found, reason }
    }

    fn into_error_of(self, kind: ErrorKind) -> Error {
        let mut error = Error::new(kind, self.reason);
        if let Some(field) = self.field {
            error = error.at_field(field);
        }
        if let Some(expected) = self.expected {
            error = error.expecting(expected);
        }
        if let Some(found) = self.found {
            error = error.finding(found);
        }
        error
    }
}

/// The beginning of a stored value.
pub(crate) fn snippet(json: &str) -> String {
    let mut chars = json.chars();
    let mut text: String = chars.by_ref().take(SNIPPET_CHARS).collect();
    if chars.next().is_some() {
        text.push('…');
    }
    text
}

/// Finds the field at fault in a stored object, which did not decode for this reason; `traced` is the
/// same with the path to it, if that could be found.
pub(super) fn explain(
    fields: &[FieldDef],
    stored: &str,
    error: &serde_json::Error,
    traced: Option<serde_path_to_error::Error<serde_json::Error>>,
) -> Invalid {
    let Some(object) = Object::parse(stored) else {
        return Invalid::whole(stored, error);
    };
    let (path, reason) = match traced {
        Some(error) => (error.path().to_string(), error.into_inner().to_string()),
        None => (".".to_owned(), error.to_string()),
    };
    // serde appends the place in the text, which says nothing to the reader of the error.
    let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();

    let top = path.split(['.', '[']).next().unwrap_or_default();
    let at_fault = fields.iter().find(|field| field.answers_to(top)).or_else(|| {
        // At the root it is a missing field, which serde names only in its message.
        let named = |field: &&FieldDef| reason.contains(&format!("`{}`", field.name));
        let absent = |field: &&FieldDef| !object.iter().any(|(name, _)| field.answers_to(name));
        fields.iter().filter(absent).find(named)
    });
    let Some(field) = at_fault else {
        let count =
            |field: &&FieldDef| object.iter().filter(|(name, _)| field.answers_to(name)).count();
        if let Some(field) = fields.iter().find(|field| count(field) > 1) {
            return Invalid {
                field: Some(field.name.to_owned()),
                expected: Some(format!("one {}", field.rust_type)),
                found: Some(snippet(stored)),
                reason,
            };
        }
        return Invalid { expected: None, ..Invalid::whole(stored, reason) };
    };
    let value = object.iter().find_map(|(name, value)| field.answers_to(name).then_some(value));
    let nested = field.answers_to(top) && path.len() > top.len();
    Invalid {
        field: Some(if nested { path } else { field.name.to_owned() }),
        expected: Some(field.rust_type.to_owned()),
        found: Some(value.map_or_else(|| "nothing".to_owned(), snippet)),
        reason,
    }
}

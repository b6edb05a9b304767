//! The two forms of a key without its type: the text that names an entry of a document, and the bytes
//! under which the file keeps the row.

use uuid::Uuid;

use super::id::{prefixed_bits, prefixed_text};
use crate::schema::descriptor::{KeyKind, TableDef};

/// How the keys of a table are written in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyForm {
    /// As their text.
    Text,
    /// Eight bytes of an unsigned integer, big-endian.
    Unsigned,
    /// The same of a signed one, with the sign bit flipped.
    Signed,
    /// The sixteen bytes of a UUID.
    Uuid,
    /// The sixteen bytes of an id, whose text begins with this prefix.
    Id(String),
}

impl KeyForm {
    /// Returns the form of a table's keys.
    pub(crate) fn of(table: &TableDef) -> Self {
        match table.key {
            KeyKind::Text => Self::Text,
            KeyKind::Unsigned => Self::Unsigned,
            KeyKind::Signed => Self::Signed,
            KeyKind::Uuid => Self::Uuid,
            KeyKind::Id => {
                // The id may be that of another table's row.
                let nil = (table.key_text)(&[0; 16]).unwrap_or_default();
                let prefix = nil.rsplit_once('_').map_or("", |(prefix, _)| prefix);
                Self::Id(prefix.to_owned())
            }
        }
    }

    /// Returns the bytes of a key; `None` for a text that is no such key.
    pub(crate) fn bytes_of(&self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Text => Some(text.as_bytes().to_vec()),
            Self::Unsigned => {
                let number = text.parse::<u64>().ok()?;
                (number.to_string() == text).then(|| number.to_be_bytes().to_vec())
            }
            Self::Signed => {
                let number = text.parse::<i64>().ok()?;
                (number.to_string() == text).then(|| (number ^ i64::MIN).to_be_bytes().to_vec())
            }
            Self::Uuid => uuid_of(text).map(|uuid| uuid.as_bytes().to_vec()),
            Self::Id(prefix) => prefixed_bits(prefix, text).map(|bits| bits.to_be_bytes().to_vec()),
        }
    }

    /// Returns the text of a key; `None` for bytes that are no such key.
    pub(crate) fn text_of(&self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Text => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Self::Unsigned => Some(u64::from_be_bytes(bytes.try_into().ok()?).to_string()),
            Self::Signed => {
                Some((i64::from_be_bytes(bytes.try_into().ok()?) ^ i64::MIN).to_string())
            }
            Self::Uuid => Some(Uuid::from_slice(bytes).ok()?.hyphenated().to_string()),
            Self::Id(prefix) => {
                Some(prefixed_text(prefix, u128::from_be_bytes(bytes.try_into().ok()?)))
            }
        }
    }

    /// Returns the word under which the form is recorded in a file.
    pub(crate) fn to_word(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Unsigned => "unsigned".to_owned(),
            Self::Signed => "signed".to_owned(),
            Self::Uuid => "uuid".to_owned(),
            Self::Id(prefix) => format!("id {prefix}"),
        }
    }

    /// Parses the word under which a form is recorded.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "text" => Self::Text,
            "unsigned" => Self::Unsigned,
            "signed" => Self::Signed,
            "uuid" => Self::Uuid,
            _ => Self::Id(word.strip_prefix("id ")?.to_owned()),
        })
    }
}

/// The UUID of a text in its one canonical spelling.
pub(crate) fn uuid_of(text: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(text).ok()?;
    (*uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == *text).then_some(uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_and_the_bytes_of_a_key_say_the_same() {
        let forms = [
            (KeyForm::Text, vec!["", "é", "a/b"], vec![]),
            (KeyForm::Unsigned, vec!["0", "18446744073709551615"], vec!["007", "-1", "", "x"]),
            (KeyForm::Signed, vec!["-5", "0", "9223372036854775807"], vec!["+1", "-0", "1.0"]),
            (KeyForm::Uuid, vec!["0189a4c2-7c1e-7c55-8c3a-0f7a3d0c2b11"], vec!["", "0189A4C2"]),
            (
                KeyForm::Id("tags".into()),
                vec!["tags_01h455vb4pex5vsknk084sn02q"],
                vec!["notes_01h455vb4pex5vsknk084sn02q", "tags_", "tags"],
            ),
        ];
        for (form, keys, others) in forms {
            assert_eq!(KeyForm::parse(&form.to_word()), Some(form.clone()));
            for key in keys {
                let bytes = form.bytes_of(key).unwrap();
                assert_eq!(form.text_of(&bytes).as_deref(), Some(key), "{form:?}");
            }
            for other in others {
                assert_eq!(form.bytes_of(other), None, "{form:?} {other}");
            }
        }
    }
}

//! The two forms of a key without its type: the text that names an entry of a document, and the bytes
//! under which the file keeps the row.

use std::borrow::Cow;

use uuid::Uuid;

use super::composite::{join_texts, split_text};
use super::id::{prefixed_bits, prefixed_text};
use super::key::Key;
use super::order::{encode_key_bytes, split_keys};
use crate::schema::descriptor::{KeyKind, TableDef};

/// How the keys of a table are written in the file: one kind, or one for each part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyForm(Cow<'static, [KeyKind]>);

impl KeyForm {
    /// Keys that are written as their text.
    pub(crate) const TEXT: Self = Self(Cow::Borrowed(&[KeyKind::Text]));

    /// Keys that are written as UUIDs.
    pub(crate) const UUID: Self = Self(Cow::Borrowed(&[KeyKind::Uuid]));

    /// Returns the form of a table's keys.
    pub(crate) fn of(table: &TableDef) -> Self {
        Self(Cow::Borrowed(table.key))
    }

    /// Returns the form of keys of this type.
    pub(crate) fn of_key<K: Key>() -> Self {
        Self(Cow::Borrowed(K::KINDS))
    }

    /// Returns the form of ids whose text begins with this prefix.
    pub(crate) fn ids(prefix: &str) -> Self {
        Self(Cow::Owned(vec![KeyKind::Id(Cow::Owned(prefix.to_owned()))]))
    }

    /// Returns the bytes of a key; `None` if the text does not parse as such a key.
    pub(crate) fn bytes_of(&self, text: &str) -> Option<Vec<u8>> {
        if let [kind] = &*self.0 {
            return kind.bytes_of(text);
        }
        let parts = split_text(text, self.0.len())?;
        let mut bytes = Vec::new();
        for (kind, part) in self.0.iter().zip(&parts) {
            let part = kind.bytes_of(part)?;
            encode_key_bytes(std::slice::from_ref(kind), &part, &mut bytes);
        }
        // Each key has one spelling.
        (join_texts(self.0.iter().zip(parts)) == text).then_some(bytes)
    }

    /// Returns the text of a key; `None` if the bytes do not parse as such a key.
    pub(crate) fn text_of(&self, bytes: &[u8]) -> Option<String> {
        if let [kind] = &*self.0 {
            return kind.text_of(bytes);
        }
        let parts = split_keys(&self.0, bytes)?;
        let texts = self.0.iter().zip(parts).map(|(kind, part)| kind.text_of(&part));
        let texts: Vec<String> = texts.collect::<Option<_>>()?;
        Some(join_texts(self.0.iter().zip(texts)))
    }

    /// Returns the words under which the form is recorded in a file.
    pub(crate) fn to_word(&self) -> String {
        let words: Vec<String> = self.0.iter().map(KeyKind::to_word).collect();
        words.join(",")
    }

    /// Parses the words under which a form is recorded.
    pub(crate) fn parse(words: &str) -> Option<Self> {
        let kinds = words.split(',').map(KeyKind::parse).collect::<Option<Vec<_>>>()?;
        Some(Self(Cow::Owned(kinds)))
    }
}

impl KeyKind {
    fn bytes_of(&self, text: &str) -> Option<Vec<u8>> {
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

    fn text_of(&self, bytes: &[u8]) -> Option<String> {
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

    fn to_word(&self) -> String {
        match self {
            Self::Id(prefix) => format!("id {prefix}"),
            other => other.name().to_owned(),
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "text" => Self::Text,
            "unsigned" => Self::Unsigned,
            "signed" => Self::Signed,
            "uuid" => Self::Uuid,
            _ => Self::Id(Cow::Owned(word.strip_prefix("id ")?.to_owned())),
        })
    }
}

/// Whether keys of these kinds are the same values, whatever their ids begin with.
pub(crate) fn are_alike(before: &[KeyKind], now: &[KeyKind]) -> bool {
    before.iter().map(KeyKind::name).eq(now.iter().map(KeyKind::name))
}

/// Returns the text of a key after the tables that its ids belong to have been renamed.
pub(crate) fn renamed(before: &[KeyKind], now: &[KeyKind], text: &str) -> Option<String> {
    if before == now || !are_alike(before, now) {
        return Some(text.to_owned());
    }
    let rename = |before: &KeyKind, now: &KeyKind, text: &str| match (before, now) {
        (KeyKind::Id(before), KeyKind::Id(now)) => {
            Some(format!("{now}{}", text.strip_prefix(&**before)?))
        }
        _ => Some(text.to_owned()),
    };
    if let ([before], [now]) = (before, now) {
        return rename(before, now, text);
    }
    let parts = split_text(text, before.len())?;
    let parts =
        before.iter().zip(now).zip(&parts).map(|((before, now), part)| rename(before, now, part));
    let parts: Vec<String> = parts.collect::<Option<_>>()?;
    Some(join_texts(now.iter().zip(parts)))
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
        let of = |words| KeyForm::parse(words).unwrap();
        let forms = [
            (KeyForm::TEXT, vec!["", "é", "a/b"], vec![]),
            (of("unsigned"), vec!["0", "18446744073709551615"], vec!["007", "-1", "", "x"]),
            (of("signed"), vec!["-5", "0", "9223372036854775807"], vec!["+1", "-0", "1.0"]),
            (KeyForm::UUID, vec!["0189a4c2-7c1e-7c55-8c3a-0f7a3d0c2b11"], vec!["", "0189A4C2"]),
            (
                KeyForm::ids("tags"),
                vec!["tags_01h455vb4pex5vsknk084sn02q"],
                vec!["notes_01h455vb4pex5vsknk084sn02q", "tags_", "tags"],
            ),
            (
                of("text,signed"),
                vec![r#"["",0]"#, r#"["a\"\\,[]\u0001\u0000é",-5]"#],
                vec![
                    r#"["a", 5]"#,
                    r#"["a",5,6]"#,
                    r#"["a"]"#,
                    r#"["a","5"]"#,
                    r#"[5,5]"#,
                    r#"["\u0061",5]"#,
                    r#"["a",5.0]"#,
                    r#"["a",-0]"#,
                    r#"["a",null]"#,
                    "a",
                    "",
                ],
            ),
            (
                of("id tags,uuid,unsigned"),
                vec![
                    r#"["tags_01h455vb4pex5vsknk084sn02q","0189a4c2-7c1e-7c55-8c3a-0f7a3d0c2b11",18446744073709551615]"#,
                ],
                vec![r#"["tags_","0189a4c2-7c1e-7c55-8c3a-0f7a3d0c2b11",1]"#],
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

//! A JSON object taken apart one level deep, its values left as the text they are.

use std::borrow::Cow;

use super::json::{Json, Kind, scan_members};

/// The members of a JSON object in their order. Values stay text, so that what this code does not
/// know is written back to the letter, numbers beyond 64 bits included.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object<'a> {
    members: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Object<'a> {
    /// Takes an object apart; `None` if the text is something else.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        if !Self::is_json(text) {
            return None;
        }
        let mut members = Vec::new();
        let mut see =
            |name: &'a str, value: &'a str| members.push((Cow::from(name), Cow::from(value)));
        if scan_members(text, &mut see).is_some() {
            return Some(Self { members });
        }
        // A name is written with escapes, if it is an object.
        let json = Json::parse(text)?;
        if json.root().kind() != Kind::Object {
            return None;
        }
        let members = json.root().members().map(|member| {
            let value = text.get(member.value.start()..member.end())?;
            Some((Cow::Owned(member.name().into_owned()), value.into()))
        });
        Some(Self { members: members.collect::<Option<_>>()? })
    }

    /// Returns whether a text is one JSON value of any kind.
    pub(crate) fn is_json(text: &str) -> bool {
        serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|(name, value)| (&**name, &**value))
    }

    pub(crate) fn into_members(self) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        self.members
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(found, value)| (found == name).then_some(value))
    }

    pub(crate) fn push(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        self.members.push((name.into(), value.into()));
    }

    /// Returns the object as text.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::from("{");
        for (name, value) in self.iter() {
            if text.len() > 1 {
                text.push(',');
            }
            push_quoted(&mut text, name);
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        text
    }
}

/// Adds a name as JSON text.
fn push_quoted(text: &mut String, name: &str) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if name.bytes().all(is_plain) {
        text.push('"');
        text.push_str(name);
        text.push('"');
    } else {
        text.push_str(&serde_json::Value::from(name).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_with_and_without_escapes() {
        let plain = r#"{"a":1,"é 🦀":{"x":"}"},"":[]}"#;
        let escaped = r#" {"a" : 1, "b\"\\\u0001é":[{"x":"}"}], "\u0061":2}"#;
        for (text, names) in [(plain, ["a", "é 🦀", ""]), (escaped, ["a", "b\"\\\u{1}é", "a"])]
        {
            let object = Object::parse(text).expect("it is an object");
            assert!(object.iter().map(|(name, _)| name).eq(names));
            let written = object.to_text();
            let again = Object::parse(&written).expect("it is an object");
            assert!(again.iter().eq(object.iter()), "{written}");
        }
        assert_eq!(Object::parse(plain).map(|object| object.to_text()).as_deref(), Some(plain));
        for text in ["[]", "1", "", "{", r#"{"a":1}x"#, r#"{"a"}"#, r#"{"a\"#] {
            assert!(Object::parse(text).is_none(), "{text}");
        }
    }
}

//! A JSON object taken apart one level deep, its values left as the text they are.

use std::borrow::Cow;

use super::json::{Json, Kind};

/// The members of a JSON object in their order. Values stay text, so that what this code does not
/// know is written back to the letter, numbers beyond 64 bits included.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object<'a> {
    members: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Object<'a> {
    /// Takes an object apart; `None` if the text is something else.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
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
            text.push_str(&serde_json::Value::from(name).to_string());
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        text
    }
}

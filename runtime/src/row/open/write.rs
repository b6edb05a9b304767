//! JSON text, written to any serializer.

use serde::ser::{self, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::super::Object;

/// Writes a JSON text.
pub(super) fn json<S: Serializer>(json: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let invalid = || ser::Error::custom("it is not JSON");
    let literal = |json: &str| serde_json::from_str::<Literal>(json).ok();
    match json.bytes().next() {
        Some(b'{') => {
            let object = Object::parse(json).ok_or_else(invalid)?;
            // As the entries of a map are stored, so that equal variants have one text.
            let mut members: Vec<_> = object.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let mut map = serializer.serialize_map(Some(members.len()))?;
            for (name, value) in members {
                map.serialize_entry(name, &Json(value))?;
            }
            map.end()
        }
        Some(b'[') => {
            let whole = super::super::json::Json::parse(json).ok_or_else(invalid)?;
            let items: Vec<_> = whole.root().elements().map(|item| item.text()).collect();
            let mut list = serializer.serialize_seq(Some(items.len()))?;
            for item in items {
                list.serialize_element(&Json(item))?;
            }
            list.end()
        }
        Some(b'-' | b'0'..=b'9') => number(json, serializer),
        _ => match literal(json).ok_or_else(invalid)? {
            Literal::Null => serializer.serialize_none(),
            Literal::Bool(value) => serializer.serialize_bool(value),
            Literal::Text(text) => serializer.serialize_str(&text),
        },
    }
}

struct Json<'j>(&'j str);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json(self.0, serializer)
    }
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Literal {
    Null,
    Bool(bool),
    Text(String),
}

/// A number as the type that writes it with the same digits; if there is none, as the nearest float.
fn number<S: Serializer>(json: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let is_as_written = |text: String| text == json;
    if let Ok(value) = json.parse::<u64>()
        && is_as_written(value.to_string())
    {
        return serializer.serialize_u64(value);
    }
    if let Ok(value) = json.parse::<i64>()
        && is_as_written(value.to_string())
    {
        return serializer.serialize_i64(value);
    }
    if let Ok(value) = json.parse::<u128>()
        && is_as_written(value.to_string())
    {
        return serializer.serialize_u128(value);
    }
    if let Ok(value) = json.parse::<i128>()
        && is_as_written(value.to_string())
    {
        return serializer.serialize_i128(value);
    }
    let value: f64 = json.parse().map_err(ser::Error::custom)?;
    serializer.serialize_f64(value)
}

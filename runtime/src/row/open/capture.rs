//! Any value that serde reads, as JSON text.

use std::fmt;
use std::sync::LazyLock;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Asked for a newtype of this name, the deserializers of serde_json give the text as it stands, in
/// a map with the same name as its key. If that is not available, numbers lose what is beyond 64
/// bits, as they do in whatever serde buffers.
const RAW: &str = "$serde_json::private::RawValue";

/// The key under which serde_json shows a number, as a map with its text, if another crate of the
/// build has switched on `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// Whether numbers come that way: only then are those beyond an `f64` numbers.
static NUMBERS_ARE_MAPS: LazyLock<bool> =
    LazyLock::new(|| serde_json::from_str::<serde_json::Number>("1e999").is_ok());

/// How deep a value may be nested, as for all that serde_json reads.
const MAX_DEPTH: usize = 127;

/// The JSON text of the value that comes next.
pub(super) fn json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let mut json = String::new();
    deserializer.deserialize_newtype_struct(RAW, Raw(&mut json))?;
    match depth(&json) {
        0..=MAX_DEPTH => Ok(json),
        _ => Err(de::Error::custom("it is nested too deep")),
    }
}

/// How deep lists and objects are nested in a JSON text.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut is_text, mut is_escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match (is_text, byte) {
            (true, _) if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (_, b'"') => is_text = !is_text,
            (false, b'[' | b'{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The text as it stands if it comes in a map under [`RAW`], else whatever comes, written anew.
struct Raw<'j>(&'j mut String);

impl<'de> Visitor<'de> for Raw<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a variant of an enum")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match map.next_key::<String>()? {
            Some(key) if key == RAW => map.next_value::<String>().map(|json| *self.0 = json),
            first => Json { json: self.0, depth: 0 }.object(first, map),
        }
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        Json { json: self.0, depth: 0 }.deserialize(deserializer)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        Json { json: self.0, depth: 0 }.visit_str(text)
    }
}

/// Writes a value as JSON.
struct Json<'j> {
    json: &'j mut String,
    depth: usize,
}

impl Json<'_> {
    fn push<E: de::Error>(self, value: &(impl serde::Serialize + ?Sized)) -> Result<(), E> {
        let json = serde_json::to_string(value).map_err(E::custom)?;
        self.json.push_str(&json);
        Ok(())
    }

    fn inner(&mut self) -> Json<'_> {
        Json { json: &mut *self.json, depth: self.depth + 1 }
    }

    fn object<'de, A: MapAccess<'de>>(
        mut self,
        first: Option<String>,
        mut map: A,
    ) -> Result<(), A::Error> {
        if first.as_deref() == Some(NUMBER) && *NUMBERS_ARE_MAPS {
            let number = map.next_value::<String>()?;
            // A user's own map may have that key, too.
            serde_json::from_str::<serde_json::Number>(&number).map_err(de::Error::custom)?;
            self.json.push_str(&number);
            return Ok(());
        }
        self.json.push('{');
        let mut key = first;
        let mut separator = "";
        while let Some(name) = key {
            self.json.push_str(separator);
            separator = ",";
            self.inner().push(&name)?;
            self.json.push(':');
            map.next_value_seed(self.inner())?;
            key = map.next_key()?;
        }
        self.json.push('}');
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Json<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth > MAX_DEPTH {
            return Err(de::Error::custom("it is nested too deep"));
        }
        deserializer.deserialize_any(self)
    }
}

macro_rules! scalars {
    ($($method:ident($type:ty);)*) => {
        $(fn $method<E: de::Error>(self, value: $type) -> Result<(), E> {
            self.push(&value)
        })*
    };
}

impl<'de> Visitor<'de> for Json<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a variant of an enum")
    }

    scalars! {
        visit_bool(bool);
        visit_i64(i64);
        visit_i128(i128);
        visit_u64(u64);
        visit_u128(u128);
        visit_str(&str);
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        match value.is_finite() {
            true => self.push(&value),
            false => Err(E::custom("it holds a number that is not finite")),
        }
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.push(&())
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        self.push(&())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.json.push('[');
        let mut end = self.json.len();
        while items.next_element_seed(self.inner())?.is_some() {
            end = self.json.len();
            self.json.push(',');
        }
        self.json.truncate(end);
        self.json.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let first = map.next_key()?;
        self.object(first, map)
    }
}

// A row is a struct.

use heirloom::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Table)]
union Note {
    text: [u8; 4],
    number: u32,
}

impl Serialize for Note {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Note {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Note { number: 0 })
    }
}

impl JsonSchema for Note {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Note".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<u32>()
    }
}

fn main() {}

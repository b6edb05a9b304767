// serde reads a missing `Option` through a function only with a default.

use heirloom::Kv;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &Option<String>, s: S) -> Result<S::Ok, S::Error> {
        value.serialize(s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
        Option::deserialize(d)
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
struct Settings {
    #[serde(with = "text")]
    #[schemars(with = "Option<String>")]
    theme: Option<String>,
}

fn main() {}

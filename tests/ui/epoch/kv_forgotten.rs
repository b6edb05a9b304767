// An entry of the previous group is taken over or given up.

use heirloom::Kv;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod v0 {
    use heirloom::Kv;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        pub theme: Option<String>,
        #[evolve(default)]
        pub volume: u8,
    }
}

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings", previous = v0::Settings)]
struct Settings {
    theme: Option<String>,
    #[evolve(default)]
    loudness: u8,
}

fn main() {}

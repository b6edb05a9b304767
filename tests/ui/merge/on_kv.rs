// Entries of a kv group merge by themselves already.

use heirloom::{Kv, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[kv(merge = "fields")]
struct Settings {
    #[evolve(default)]
    size: u32,
}

#[derive(Store)]
struct App {
    settings: Kv<Settings>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.settings.size.get()?;
    Ok(())
}

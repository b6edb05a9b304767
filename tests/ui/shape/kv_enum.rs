// A kv group is a struct.

use heirloom::{Kv, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
enum Settings {
    Dark,
    Light,
}

#[derive(Store)]
struct App {
    settings: Kv<Settings>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.settings.get()?;
    Ok(())
}

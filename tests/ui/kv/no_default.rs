// An entry has a value before it is set.

use heirloom::{Kv, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
struct Settings {
    theme: Option<String>,
    volume: u8,
    language: String,
}

#[derive(Store)]
struct App {
    settings: Kv<Settings>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.settings.theme.get()?;
    let settings: Settings = app.settings.get()?;
    drop(settings.theme);
    Ok(())
}

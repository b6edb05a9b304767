// Groups of newer code stay readable.

use heirloom::{Kv, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
#[serde(deny_unknown_fields)]
struct Settings {
    theme: Option<String>,
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

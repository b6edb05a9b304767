// A kv group derives `JsonSchema`.

use heirloom::{Kv, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Tag {
    text: String,
}

#[derive(Serialize, Deserialize, Kv)]
struct Settings {
    theme: Option<String>,
    tag: Option<Tag>,
}

#[derive(Store)]
struct App {
    settings: Kv<Settings>,
}

// None of this is wrong, so none of it is reported.
fn main() -> heirloom::Result<()> {
    let app = App::in_memory()?;
    app.settings.theme.get()?;
    app.transaction(|tx| tx.reset(&app.settings.theme))?;
    Ok(())
}

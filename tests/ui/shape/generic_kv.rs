// A kv group has one stored form.

use heirloom::{Kv, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Kv)]
struct Settings<T> {
    theme: Option<T>,
}

#[derive(Store)]
struct Notebook {
    settings: Kv<Settings<String>>,
}

fn main() -> heirloom::Result<()> {
    let notebook = Notebook::in_memory()?;
    notebook.settings.theme.set(&Some("dark".to_owned()))?;
    Ok(())
}

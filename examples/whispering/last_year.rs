//! The app as it was last year: fewer fields, and no idea of what will come.

use std::path::Path;

use heirloom::{Id, Kv, Result, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
// A user's own edit should not be lost beside what a device adds to the same recording.
#[table(name = "recordings", merge = "fields")]
pub struct Recording {
    pub id: Id<Recording>,
    pub title: String,
    pub transcript: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
pub struct Settings {
    #[evolve(default = "en")]
    pub language: String,
}

#[derive(Store)]
#[store(name = "whispering")]
pub struct Whispering {
    pub recordings: Table<Recording>,
    pub settings: Kv<Settings>,
}

/// Records three things, and gives their ids.
pub fn record(path: &Path) -> Result<[Id<Recording>; 3]> {
    // The first `open` creates the file. Dropping the store, at the end of this function, closes it.
    let app = Whispering::open(path)?;
    let recordings = [
        ("Standup", None),
        ("Interview with Ada", Some("I was never really bored.")),
        ("Shopping list", Some("Milk, bread, batteries.")),
    ]
    .map(|(title, transcript)| Recording {
        id: Id::new(),
        title: title.to_owned(),
        transcript: transcript.map(str::to_owned),
    });
    app.recordings.insert_many(&recordings)?;
    app.settings.language.set("fr")?;

    for recording in &recordings {
        let transcript = recording.transcript.as_deref().unwrap_or("(no transcript)");
        println!("   {:<20} {transcript}", recording.title);
    }
    Ok(recordings.map(|recording| recording.id))
}

/// Gives a recording another title, as last year's code did it.
pub fn rename(path: &Path, id: &Id<Recording>, title: &str) -> Result<()> {
    let app = Whispering::open(path)?;
    app.recordings.update(id, |recording| recording.title = title.to_owned())?;
    if let Some(newer) = app.status()?.newer_version() {
        println!("   It can tell that there is an update of the app: {newer}.");
    }
    Ok(())
}

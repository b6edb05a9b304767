//! The app as it is now: the same store and the same names, with fields that old rows lack.

use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "recordings", merge = "fields")]
pub struct Recording {
    pub id: Id<Recording>,
    pub title: String,
    pub transcript: Option<String>,

    // New this year. A row of last year has none of the three, so each says what it reads as then:
    // a constant,
    #[evolve(default = Source::Microphone)]
    pub source: Source,
    // the type's own default,
    #[evolve(default)]
    pub tags: Vec<String>,
    // or something computed from fields above, which are the closure's parameters.
    #[evolve(default = |transcript| Status::of(transcript.as_deref()))]
    pub status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Microphone,
    Upload,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pending,
    Transcribed,
}

impl Status {
    /// Pure, as a computed default must be: every device and every read gives the same.
    fn of(transcript: Option<&str>) -> Self {
        if transcript.is_some() { Self::Transcribed } else { Self::Pending }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
pub struct Settings {
    #[evolve(default = "en")]
    pub language: String,
    #[evolve(default = true)]
    pub auto_transcribe: bool,
    #[evolve(default)]
    pub transcribed_so_far: u32,
}

#[derive(Store)]
#[store(name = "whispering", history = "whispering/schema.json")]
pub struct Whispering {
    pub recordings: Table<Recording>,
    pub settings: Kv<Settings>,
}

//! A store from end to end.
use heirloom::{ErrorKind, Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pending,
    Transcribed,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "recordings")]
pub struct Recording {
    #[key]
    pub id: Id<Recording>,
    pub title: String,
    pub transcript: Option<String>,
    #[evolve(default = Status::Pending)]
    pub status: Status,
    #[evolve(default)]
    pub duration: f64,
    #[evolve(default = |transcript| u8::from(transcript.is_some()))]
    pub priority: u8,
}

mod old {
    use super::*;
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "recordings")]
    pub struct Recording {
        pub id: Id<Recording>,
        pub title: String,
        pub transcript: Option<String>,
    }
    #[derive(Store)]
    #[store(name = "whispering")]
    pub struct Whispering {
        pub recordings: Table<Recording>,
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
pub struct Settings {
    #[evolve(default = "en")]
    pub language: String,
    #[evolve(default = true)]
    pub auto_transcribe: bool,
    pub last_synced_at: Option<String>,
}

#[derive(Store)]
#[store(name = "whispering", epoch = 0, history = "schema/whispering.json")]
pub struct Whispering {
    pub recordings: Table<Recording>,
    pub settings: Kv<Settings>,
}

#[test]
fn end_to_end() -> heirloom::Result<()> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.redb");
    let id = Id::new();
    {
        let app = old::Whispering::open(&path)?;
        app.recordings.insert(&old::Recording {
            id,
            title: "Standup".into(),
            transcript: Some("hi".into()),
        })?;
    }
    let bytes = std::fs::read(&path).unwrap();
    {
        let app = Whispering::open(&path)?;
        let id = id.cast::<Recording>();
        for _ in 0..100 {
            let r = app.recordings.get(&id)?.unwrap();
            assert_eq!((r.status, r.duration, r.priority), (Status::Pending, 0.0, 1));
        }
        assert_eq!(app.recordings.iter()?.count(), 1);
        assert_eq!(app.settings.language.get()?, "en");
    }
    assert!(bytes == std::fs::read(&path).unwrap());
    let app = Whispering::open(&path)?;
    let id = id.cast::<Recording>();
    assert_eq!(Whispering::open(&path).err().unwrap().kind(), ErrorKind::Locked);
    app.recordings.update(&id, |r| r.title = "Daily".into())?;
    app.settings.language.set(&"fr".into())?;
    app.transact(|tx| {
        tx.set(&app.settings.language, &"de".to_string())?;
        assert_eq!(tx.entry(&app.settings.language)?, "de");
        assert_eq!(app.recordings.remove(&id).unwrap_err().kind(), ErrorKind::Nested);
        Ok(())
    })?;
    let b = Whispering::in_memory()?;
    let changes = app.changes_since(&b.summary()?)?;
    let applied = b.apply(&changes)?;
    assert_eq!((applied.rows(), applied.entries()), (1, 1));
    assert_eq!(b.recordings.get(&id)?, app.recordings.get(&id)?);
    assert_eq!(b.settings.get()?.language, "de");
    assert!(app.changes_since(&b.summary()?)?.is_empty());
    assert_eq!(app.migrate_rows()?, 1);
    assert_eq!(app.migrate_rows()?, 0);
    app.backup(dir.path().join("copy.redb"))?;
    drop(app);
    let report = Whispering::check(&path)?;
    assert!(report.is_ok(), "{report}");
    let report = Whispering::check(dir.path().join("copy.redb"))?;
    assert!(report.is_ok(), "{report}");
    Ok(())
}

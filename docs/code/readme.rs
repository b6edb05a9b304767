//! The code that the README shows, in its order. What stands between `[name]` and `[end]` is shown.

use heirloom::{Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod last_year {
    use heirloom::{Id, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
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

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "recordings")]
// [recording]
pub struct Recording {
    pub id: Id<Recording>,
    pub title: String,
    pub transcript: Option<String>, // absent in an old row: `None`
    #[index]
    #[evolve(default)] // absent: `0.0`
    pub duration: f64,
    #[evolve(default = |transcript| u8::from(transcript.is_some()))] // from fields above
    pub priority: u8,
}
// [end]

#[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
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

fn recording(title: &str, duration: f64) -> Recording {
    Recording { id: Id::new(), title: title.into(), transcript: None, duration, priority: 0 }
}

#[test]
fn this_years_struct_reads_last_years_rows() -> heirloom::Result<()> {
    crate::enter_folder();
    let path = "whispering.redb";
    let id = Id::new();
    let old = last_year::Whispering::open(path)?;
    let row = last_year::Recording { id, title: "Standup".into(), transcript: Some("hi".into()) };
    old.recordings.insert(&row)?;
    drop(old);

    let app = Whispering::open(path)?;
    let row = app.recordings.get(&id.cast())?.unwrap();
    assert_eq!((row.duration, row.priority), (0.0, 1));
    Ok(())
}

#[test]
fn writes_and_queries() -> heirloom::Result<()> {
    let app = Whispering::in_memory()?;
    let standup = recording("Standup", 61.5);
    // [transaction]
    app.transaction(|tx| {
        tx.insert(&standup)?;
        tx.set(&app.settings.language, "de")?;
        Ok(()) // an error or a panic, and nothing happened
    })?;

    let long = app
        .recordings
        .filter(Recording::DURATION.gt(60.0) & Recording::TITLE.starts_with("Stand"))
        .order_by(Recording::DURATION.desc());
    // [end]
    assert_eq!(long.explain(), "index (duration) of `recordings`, 1 range, backwards, filtered");
    Ok(())
}

#[test]
fn two_devices() -> heirloom::Result<()> {
    let (laptop, phone) = (Whispering::in_memory()?, Whispering::in_memory()?);
    laptop.recordings.insert(&recording("Standup", 61.5))?;
    let summary = phone.summary()?;
    let changes = laptop.changes_since(&summary)?;
    let applied = phone.apply(&changes)?;
    assert_eq!(applied.rows(), 1);
    Ok(())
}

mod breaking {
    use heirloom::{Id, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    mod v0 {
        use heirloom::{Id, Store, Table};
        use schemars::JsonSchema;
        use serde::{Deserialize, Serialize};

        #[derive(Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "recordings")]
        pub struct Recording {
            pub id: Id<Recording>,
            pub text: String,
            pub completed: bool,
        }

        #[derive(Store)]
        #[store(name = "archive")]
        pub struct Archive {
            pub recordings: Table<Recording>,
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub enum Status {
        Pending,
        Transcribed,
    }

    #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
    // [epoch]
    #[table(name = "recordings", previous = v0::Recording)]
    pub struct Recording {
        pub id: Id<Recording>,
        #[evolve(renamed_from = "text")]
        pub title: String,
        #[evolve(with = |completed| if completed { Status::Transcribed } else { Status::Pending })]
        pub status: Status,
    }
    // [end]

    #[derive(Store)]
    #[store(name = "archive", epoch = 1, previous = v0::Archive)]
    pub struct Archive {
        pub recordings: Table<Recording>,
    }

    #[test]
    fn a_breaking_change() -> heirloom::Result<()> {
        crate::enter_folder();
        let path = "archive.redb";
        let old = v0::Archive::open(path)?;
        let row = v0::Recording { id: Id::new(), text: "Standup".into(), completed: true };
        old.recordings.insert(&row)?;
        drop(old);
        println!("{}", Archive::preview_migration(path)?);
        let app = Archive::open(path)?;
        assert!(app.quarantine()?.is_empty());
        let row = app.recordings.iter()?.next().unwrap()?;
        assert_eq!((row.title.as_str(), row.status), ("Standup", Status::Transcribed));
        Ok(())
    }
}

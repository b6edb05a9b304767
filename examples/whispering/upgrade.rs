//! One device, over the years: reading what old code wrote, and writing beside it.

use std::path::Path;

use heirloom::{Error, Id, Result};

use crate::last_year;
use crate::this_year::{Recording, Source, Status, Whispering};

/// Old rows read as if they had the new fields, and reading writes nothing.
pub fn read_old_rows(path: &Path, ids: &[Id<Recording>]) -> Result<(), Box<dyn std::error::Error>> {
    let before = std::fs::read(path)?;
    {
        let app = Whispering::open(path)?;
        println!("   {:<20} {:<12} {:<6} status (computed)", "title", "source", "tags");
        for id in ids {
            if let Some(row) = app.recordings.get(id)? {
                let (source, tags) = (format!("{:?}", row.source), format!("{:?}", row.tags));
                println!("   {:<20} {source:<12} {tags:<6} {:?}", row.title, row.status);
            }
        }
        let settings = app.settings.get()?;
        println!(
            "   settings: language {:?} as last year, auto_transcribe {} by default",
            settings.language, settings.auto_transcribe
        );
    }
    let after = std::fs::read(path)?;
    let verdict = if before == after { "not one byte" } else { "something, which is a bug" };
    println!("   What that changed in the file: {verdict}.");
    Ok(())
}

/// Notices, transactions and snapshots.
pub fn write(path: &Path, standup: &Id<Recording>) -> Result<()> {
    let app = Whispering::open(path)?;

    // A notice names the rows that changed. Reading them is up to the observer.
    let recordings = app.recordings.clone();
    let rows = app.recordings.observe(move |changes| {
        for change in changes {
            if let Ok(Some(row)) = recordings.get(change.key()) {
                let (origin, kind) = (changes.origin(), change.kind());
                println!("   [notice] {origin:?}: {kind:?} {:?}, {:?}", row.title, row.status);
            }
        }
    })?;
    let counter = app
        .settings
        .transcribed_so_far
        .observe(|count| println!("   [notice] transcribed so far: {count}"))?;

    println!("   A transaction over a table and the settings:");
    let snapshot = app.snapshot()?;
    app.transaction(|tx| {
        tx.update::<Recording>(standup, |row| {
            row.transcript = Some("Nothing blocks me.".to_owned());
            row.status = Status::Transcribed;
        })?;
        let count = tx.entry(&app.settings.transcribed_so_far)?;
        tx.set(&app.settings.transcribed_so_far, &(count + 1))
    })?;

    println!("   One that fails half way:");
    let failed = app.transaction(|tx| {
        tx.remove::<Recording>(standup)?;
        Err::<(), _>(Error::custom("changed my mind"))
    });
    if let Err(error) = failed {
        let there = app.recordings.contains(standup)?;
        println!("   … {error}; the recording it removed is still there: {there}");
    }

    if let Some(row) = snapshot.get::<Recording>(standup)? {
        println!("   The snapshot from before still says {:?}, {:?}.", row.title, row.status);
    }

    // Dropping a subscription ends it; until then, what the observer holds keeps the store open.
    drop((rows, counter));
    Ok(())
}

/// Old code changes what it knows, and keeps the rest.
pub fn survive_old_code(path: &Path, standup: &Id<Recording>) -> Result<()> {
    {
        let app = Whispering::open(path)?;
        app.recordings.update(standup, |row| {
            row.source = Source::Upload;
            row.tags = vec!["work".to_owned()];
        })?;
    }
    last_year::rename(path, &standup.cast(), "Standup, Monday")?;

    let app = Whispering::open(path)?;
    if let Some(row) = app.recordings.get(standup)? {
        println!("   new title:           {:?}", row.title);
        println!("   fields it never saw: {:?}, {:?}, {:?}", row.source, row.tags, row.status);
    }
    Ok(())
}

//! The code of the guide page on breaking changes.

use heirloom::Store;

#[path = "breaking_changes/back.rs"]
mod back;
#[path = "breaking_changes/v0.rs"]
mod v0;
#[path = "breaking_changes/v1.rs"]
mod v1;
#[path = "breaking_changes/v2.rs"]
mod v2;

fn note(name: &str, text: &str, stars: &str) -> v0::Note {
    v0::Note {
        name: name.into(),
        text: text.into(),
        done: name == "sow",
        stars: stars.into(),
        tag: Some("garden".into()),
        comments: vec!["in rows".into()],
        file: None,
    }
}

fn garden() -> v0::Tag {
    v0::Tag { name: "garden".into(), color: "green".into() }
}

/// A file of epoch 0 with two notes, of which one does not convert to epoch 2, a tag and a draft.
fn old_file(path: &str) -> heirloom::Result<()> {
    crate::enter_folder();
    let app = v0::Notebook::open(path)?;
    app.notes.insert(&note("sow", "Sow peas", "3"))?;
    app.notes.insert(&note("water", "Water the beds", "many"))?;
    app.tags.insert(&garden())?;
    app.drafts.insert(&v0::Draft { number: 1, text: "Mow".into() })?;
    app.settings.size.set(&14)
}

#[test]
fn a_migration_is_previewed() -> heirloom::Result<()> {
    let path = "previewed.redb";
    old_file(path)?;
    // [preview]
    let report = v1::Notebook::preview_migration(path)?;
    println!("{report}");
    assert!(report.is_needed() && report.invalid().is_empty());
    // [end]
    assert_eq!(report.to_string(), include_str!("breaking_changes/preview.txt").trim_end());
    let app = v1::Notebook::open(path)?;
    assert_eq!(app.settings.font_size.get()?, 14);
    drop(app);
    let after = v1::Notebook::preview_migration(path)?;
    assert_eq!(after.to_string(), "epoch 1: nothing to migrate");
    Ok(())
}

#[test]
fn progress_is_shown() -> heirloom::Result<()> {
    let path = "progress.redb";
    old_file(path)?;
    // [progress]
    use heirloom::Progress;

    let app = v1::Notebook::builder()
        .on_progress(|progress| match progress {
            Progress::Migrate { table, done, total, .. } => {
                eprintln!("{table}: {done} of {total}");
            }
            other => eprintln!("{other}"),
        })
        .open(path)?;
    assert_eq!(app.status()?.epoch(), 1);
    // [end]
    Ok(())
}

#[test]
fn a_file_passes_through_both_steps() -> heirloom::Result<()> {
    let path = "both.redb";
    old_file(path)?;
    // [steps]
    use heirloom::ErrorKind;
    use heirloom::migration::OnInvalid;

    // Rather not at all than without a row?
    let refused = v2::Notebook::builder().on_invalid(OnInvalid::Fail).open(path).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Migration);
    assert_eq!((refused.table(), refused.key()), (Some("notes"), Some("water")));

    // By default, a row that cannot be converted is kept aside, for the app and all its devices to see.
    let app = v2::Notebook::open(path)?;
    for kept in app.quarantine()? {
        println!("{kept}\n  {}", kept.theirs());
    }
    assert_eq!((app.notes.len()?, app.labels.len()?, app.comments.len()?), (1, 1, 2));
    // [end]
    let kept = app.quarantine()?.remove(0);
    let said = format!("{kept}\n  {}\n", kept.theirs());
    assert_eq!(said, include_str!("breaking_changes/quarantine.txt"));
    let label = app.labels.iter()?.next().unwrap()?;
    assert_eq!(app.notes.get("sow")?.unwrap().label, Some(label.id));
    let mended = v2::Note {
        name: "water".into(),
        title: "Water the beds".into(),
        status: v1::Status::Open,
        stars: 5,
        label: Some(label.id),
    };
    // [mended]
    // Once a person has said what the row should be:
    app.notes.put(&mended)?;
    kept.dismiss()?;
    // [end]
    assert!(app.quarantine()?.is_empty());
    Ok(())
}

// [meet]
fn meet<A: Store, B: Store>(one: &A, other: &B) -> heirloom::Result<()> {
    other.apply(&one.changes_since(&other.summary()?)?)?;
    one.apply(&other.changes_since(&one.summary()?)?)?;
    Ok(())
}
// [end]

fn titles(app: &v1::Notebook) -> heirloom::Result<Vec<String>> {
    app.notes.iter()?.map(|note| Ok(note?.title)).collect()
}

/// Two files of epoch 0 with the same three notes.
fn two_old_files(one: &str, other: &str) -> heirloom::Result<()> {
    crate::enter_folder();
    let (one, other) = (v0::Notebook::open(one)?, v0::Notebook::open(other)?);
    for name in ["mow", "sow", "water"] {
        one.notes.insert(&v0::Note { tag: None, comments: vec![], ..note(name, name, "3") })?;
    }
    meet(&one, &other)
}

#[test]
fn two_devices_migrate_apart() -> heirloom::Result<()> {
    let (on_laptop, on_phone) = ("laptop.redb", "phone.redb");
    two_old_files(on_laptop, on_phone)?;
    // [devices]
    let laptop = v1::Notebook::open(on_laptop)?;
    laptop.notes.update("sow", |note| note.title = "Sow peas".into())?;
    laptop.notes.remove("mow")?;

    let phone = v1::Notebook::open(on_phone)?;
    phone.notes.update("water", |note| note.title = "Water the beds".into())?;

    meet(&laptop, &phone)?;
    assert_eq!(titles(&laptop)?, ["Sow peas", "Water the beds"]);
    assert_eq!(titles(&phone)?, titles(&laptop)?);
    assert!(laptop.quarantine()?.is_empty());
    // [end]
    Ok(())
}

#[test]
fn a_straggler() -> heirloom::Result<()> {
    let (on_laptop, on_tablet) = ("straggled.redb", "tablet.redb");
    two_old_files(on_laptop, on_tablet)?;
    let laptop = v1::Notebook::open(on_laptop)?;
    let tablet = v0::Notebook::open(on_tablet)?;
    let weed = v0::Note { tag: None, ..note("weed", "Weed", "3") };
    // [straggler]
    laptop.notes.update("water", |note| note.title = "Water the beds".into())?;

    tablet.notes.update("sow", |note| note.text = "Sow beans".into())?;
    tablet.notes.update("water", |note| note.text = "Water the pots".into())?;
    tablet.notes.remove("mow")?;
    tablet.notes.insert(&weed)?;

    meet(&tablet, &laptop)?;

    // Notes that the laptop has not touched are carried over: changes, new notes, removals.
    assert_eq!(titles(&laptop)?, ["Sow beans", "Water the beds", "Weed"]);

    // A note that the laptop has changed itself stands, and the other value is kept.
    for kept in laptop.quarantine()? {
        println!("{kept}\n  {}", kept.theirs());
    }
    // [end]
    let kept = laptop.quarantine()?.remove(0);
    let said = format!("{kept}\n  {}\n", kept.theirs());
    assert_eq!(said, include_str!("breaking_changes/straggler.txt"));
    assert!(kept.ours().unwrap().contains("Water the beds"));
    // [decided]
    // The app, or its user, decides; `dismiss` would leave the laptop's.
    laptop.quarantine()?[0].accept()?;
    assert_eq!(titles(&laptop)?, ["Sow beans", "Water the pots", "Weed"]);

    // The tablet has what it had, and can tell that it is behind.
    assert_eq!(tablet.notes.len()?, 3);
    assert_eq!(tablet.status()?.newer_epoch(), Some(1));
    // [end]
    assert!(laptop.quarantine()?.is_empty());
    meet(&tablet, &laptop)?;
    assert_eq!(titles(&laptop)?, ["Sow beans", "Water the pots", "Weed"]);
    drop(tablet);
    let tablet = v1::Notebook::open(on_tablet)?;
    meet(&tablet, &laptop)?;
    // Once it is updated, it has the same.
    assert_eq!(titles(&tablet)?, titles(&laptop)?);
    assert!(tablet.quarantine()?.is_empty());
    Ok(())
}

#[test]
fn a_fresh_install_of_old_code_is_refused() -> heirloom::Result<()> {
    let new = v1::Notebook::in_memory()?;
    new.tags.insert(&garden())?;
    // [fresh]
    use heirloom::ErrorKind;

    let fresh = v0::Notebook::in_memory()?;
    let refused = fresh.apply(&new.changes_since(&fresh.summary()?)?).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NewerEpoch);
    // [end]
    let old = v0::Notebook::builder().refuse_newer_schema(true).in_memory()?;
    old.tags.insert(&garden())?;
    let refused = old.apply(&new.changes_since(&old.summary()?)?).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::NewerEpoch | ErrorKind::NewerSchema));
    Ok(())
}

#[test]
fn old_epochs_are_read_and_pruned() -> heirloom::Result<()> {
    use heirloom::ErrorKind;

    let path = "pruned.redb";
    old_file(path)?;
    let app = v1::Notebook::open(path)?;
    // [prune]
    let before = app.open_epoch::<v0::Notebook>()?; // a copy in memory
    assert_eq!(before.drafts.len()?, 1);
    let refused = before.drafts.remove(&1).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ReadOnly);

    let pruned = app.prune_epochs()?;
    for document in pruned.gone() {
        println!("gone: {} rows of epoch {}", document.rows(), document.epoch());
    }
    assert!(app.open_epoch::<v0::Notebook>().is_err());
    // [end]
    let gone = pruned.gone().map(|document| (document.rows(), document.epoch()));
    assert_eq!(gone.collect::<Vec<_>>(), [(4, 0)]);
    assert_eq!(pruned.kept().count(), 0);
    Ok(())
}

#[test]
fn history_is_shed() -> heirloom::Result<()> {
    let app = v0::Notebook::in_memory()?;
    for round in 0..40 {
        app.tags.put(&v0::Tag { name: "garden".into(), color: round.to_string() })?;
    }
    // [history]
    if app.status()?.history().items_per_live_row() > 20.0 {
        app.compact_history()?;
    }
    // [end]
    assert_eq!(app.status()?.history().items_per_live_row(), 1.0);
    assert_eq!((app.status()?.epoch(), app.status()?.generation()), (0, 1));
    Ok(())
}

#[test]
fn the_way_on_to_the_old_structs() -> heirloom::Result<()> {
    crate::enter_folder();
    let path = "back.redb";
    let app = v0::Notebook::open(path)?;
    for name in ["sow", "water"] {
        let file = Some(format!("{name}.txt"));
        app.notes.insert(&v0::Note { done: true, file, ..note(name, name, "3") })?;
    }
    app.drafts.insert(&v0::Draft { number: 1, text: "Mow".into() })?;
    drop(app);
    let app = v1::Notebook::open(path)?;
    app.notes.update("sow", |note| note.title = "Sow peas".into())?;
    drop(app);
    // [back]
    // The fields that epoch 1 gave up are still in the document of epoch 0, unless it was pruned.
    let app = back::Notebook::open(path)?;
    let before = app.open_epoch::<v0::Notebook>()?;
    for draft in before.drafts.iter()? {
        app.drafts.put(&draft?)?;
    }
    for note in before.notes.iter()? {
        let v0::Note { name, file, .. } = note?;
        app.notes.update(&name, |note| note.file = file)?;
    }
    // [end]
    let notes = app.notes.iter()?.collect::<heirloom::Result<Vec<_>>>()?;
    assert_eq!(notes.len(), 2);
    assert_eq!((&*notes[0].text, notes[0].done), ("Sow peas", true));
    assert_eq!(notes[0].file.as_deref(), Some("sow.txt"));
    assert_eq!(app.drafts.len()?, 1);
    Ok(())
}

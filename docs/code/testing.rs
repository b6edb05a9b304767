//! The code of the guide on testing. What stands between `[name]` and `[end]` is shown.

use heirloom::{Id, Kv, Open, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum Color {
    Yellow,
    Blue,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "notes")]
pub struct Note {
    pub id: Id<Note>,
    pub text: String,
    #[evolve(default)]
    pub pinned: bool,
    pub color: Option<Open<Color>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
pub struct Settings {
    #[evolve(default = "light")]
    pub theme: String,
}

#[derive(Store)]
#[store(name = "notebook")]
pub struct Notebook {
    pub notes: Table<Note>,
    pub settings: Kv<Settings>,
}

// [app]
/// Pins a note; false if there is no such note.
pub fn pin(app: &Notebook, id: &Id<Note>) -> heirloom::Result<bool> {
    Ok(app.notes.update(id, |note| note.pinned = true)?.is_some())
}
// [end]

fn note(text: &str) -> Note {
    Note { id: Id::new(), text: text.into(), pinned: false, color: None }
}

// [memory]
#[test]
fn a_note_is_pinned() -> heirloom::Result<()> {
    let app = Notebook::in_memory()?;
    let milk = note("milk");
    app.notes.insert(&milk)?;

    assert!(pin(&app, &milk.id)?);
    assert_eq!(app.notes.get(&milk.id)?, Some(Note { pinned: true, ..milk }));
    assert!(!pin(&app, &Id::new())?);
    Ok(())
}
// [end]

// [devices]
/// Both get what they lack of each other.
fn exchange(a: &Notebook, b: &Notebook) -> heirloom::Result<()> {
    a.apply(&b.changes_since(&a.summary()?)?)?;
    b.apply(&a.changes_since(&b.summary()?)?)?;
    Ok(())
}

#[test]
fn two_devices_agree() -> heirloom::Result<()> {
    let (phone, laptop) = (Notebook::in_memory()?, Notebook::in_memory()?);
    let milk = note("milk");
    phone.notes.insert(&milk)?;
    exchange(&phone, &laptop)?;

    // Both edit one note while they are apart.
    phone.notes.update(&milk.id, |note| note.text = "oat milk".into())?;
    pin(&laptop, &milk.id)?;
    exchange(&phone, &laptop)?;
    assert_eq!(phone.notes.get(&milk.id)?, laptop.notes.get(&milk.id)?);
    Ok(())
}
// [end]

// [old]
/// The structs of the version that was released last year.
mod last_year {
    use heirloom::{Id, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        pub id: Id<Note>,
        pub text: String,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    pub struct Notebook {
        pub notes: Table<Note>,
    }
}

#[test]
fn a_file_of_last_year_opens() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("notebook.redb");
    let old = last_year::Notebook::open(&path)?;
    old.notes.insert(&last_year::Note { id: Id::new(), text: "milk".into() })?;
    drop(old);

    let app = Notebook::open(&path)?;
    let notes = app.notes.query().all()?;
    assert_eq!((notes[0].text.as_str(), notes[0].pinned), ("milk", false));
    assert!(app.notes.invalid()?.is_empty());
    drop(app);
    assert!(Notebook::check(&path)?.is_ok());
    Ok(())
}

#[test]
fn last_years_app_goes_on_beside_this_years() -> heirloom::Result<()> {
    let (old, new) = (last_year::Notebook::in_memory()?, Notebook::in_memory()?);
    let blue = Note { color: Some(Color::Blue.into()), pinned: true, ..note("milk") };
    new.notes.insert(&blue)?;
    old.apply(&new.changes_since(&old.summary()?)?)?;

    // It edits what it knows, and keeps the rest.
    old.notes.update(&blue.id.cast(), |note| note.text = "oat milk".into())?;
    new.apply(&old.changes_since(&new.summary()?)?)?;
    let expected = Note { text: "oat milk".into(), ..blue.clone() };
    assert_eq!(new.notes.get(&blue.id)?, Some(expected));
    Ok(())
}
// [end]

// [lint]
#[test]
fn every_enum_may_grow() {
    let lint = Notebook::schema().lint();
    assert!(lint.is_empty(), "{lint}");
}
// [end]

// [link]
#[test]
fn a_bad_connection_loses_nothing() -> heirloom::Result<()> {
    let (phone, laptop) = heirloom::testing::pair::<Notebook>(7)?;
    let mut link = heirloom::testing::Link::new(&phone, &laptop, 7).loses(0.5);
    let milk = note("milk");
    phone.notes.insert(&milk)?;
    for day in 0..20 {
        phone.notes.update(&milk.id, |note| note.text = format!("milk, day {day}"))?;
        laptop.notes.insert(&note("tea"))?;
        link.step()?;
    }
    link.finish()?;
    assert_eq!(phone.notes.query().all()?, laptop.notes.query().all()?);
    assert_eq!(phone.notes.len()?, 21);
    Ok(())
}
// [end]

// [generic]
/// Checks what holds for every table.
fn check<R: heirloom::Row>(table: &heirloom::Table<R>) -> heirloom::Result<()> {
    assert!(table.invalid()?.is_empty());
    assert_eq!(table.query().count()?, table.len()?);
    for key in table.query().keys()? {
        assert!(table.contains(&key)?);
    }
    Ok(())
}
// [end]

// [fixture]
#[test]
fn the_file_of_version_1_opens() -> Result<(), Box<dyn std::error::Error>> {
    let app = heirloom::testing::open_copy::<Notebook>(fixture("notebook-1.redb"))?;
    check(&app.notes)?;
    assert_eq!(app.notes.len()?, 1);
    Ok(())
}
// [end]

/// The path of a file that last year's code has written.
fn fixture(name: &str) -> std::path::PathBuf {
    crate::enter_folder();
    let path = std::path::PathBuf::from(name);
    let old = last_year::Notebook::open(&path).expect("a file");
    let milk = last_year::Note { id: Id::new(), text: "milk".into() };
    old.notes.insert(&milk).expect("a row");
    path
}

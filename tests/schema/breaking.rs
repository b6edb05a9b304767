//! Code whose schema breaks with one that the store has had: refused when it opens the store and
//! when it meets it, in words that say what to do, and nothing is touched.

use std::fs;

use crate::apps::{branch, first, recorded_branch, recorded_second, retyped, second};
use crate::support::{
    Heard, assert_same_bytes, assert_sound, exchange, file, give, place, refused,
};
use heirloom::schema::Version;
use heirloom::{Error, ErrorKind, Store};

/// Declares a store `shop` with these items.
macro_rules! shop {
    ($name:ident: { $($stores:tt)* } $($items:tt)*) => {
        mod $name {
            #[allow(unused_imports)]
            use heirloom::{Id, Kv, Store, Table};
            use schemars::JsonSchema;
            use serde::{Deserialize, Serialize};

            $($items)*

            #[derive(Store)]
            #[store(name = "shop")]
            #[allow(dead_code)]
            pub struct App {
                $($stores)*
            }
        }
    };
}

/// Declares items that are rows.
macro_rules! row {
    ($table:literal $name:ident: $($fields:tt)*) => {
        #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = $table)]
        pub struct $name {
            #[key]
            $($fields)*
        }
    };
}

/// Declares a type of three levels, of which the innermost has these variants.
macro_rules! deep {
    ($($variant:ident)*) => {
        #[derive(Debug, Serialize, Deserialize, JsonSchema)]
        pub struct Origin {
            pub places: Vec<Place>,
        }

        #[derive(Debug, Serialize, Deserialize, JsonSchema)]
        pub struct Place {
            pub kind: Option<Kind>,
        }

        #[derive(Debug, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind {
            $($variant,)*
        }
    };
}

shop!(stored: { pub goods: Table<Good>, pub shelves: Table<Shelf>, }
    row!("goods" Good: pub id: u32, pub name: String, pub origin: Option<Origin>,
        #[evolve(default = 1)] pub count: u32,);
    row!("shelves" Shelf: pub id: u32,);
    deep!(Farm Factory Sea););
shop!(retyped_field: { goods: Table<Good>, shelves: Table<Shelf>, }
    row!("goods" Good: id: u32, name: u64, origin: Option<Origin>,
        #[evolve(default = 1)] count: u32,);
    row!("shelves" Shelf: id: u32,);
    deep!(Farm Factory Sea););
shop!(other_variants: { goods: Table<Good>, shelves: Table<Shelf>, }
    row!("goods" Good: id: u32, name: String, origin: Option<Origin>,
        #[evolve(default = 1)] count: u32,);
    row!("shelves" Shelf: id: u32,);
    deep!(Farm Factory););
shop!(other_key: { goods: Table<Good>, shelves: Table<Shelf>, }
    row!("goods" Good: id: u32, name: String, origin: Option<Origin>,
        #[evolve(default = 1)] count: u32,);
    row!("shelves" Shelf: id: String,);
    deep!(Farm Factory Sea););
shop!(renamed_field: { goods: Table<Good>, shelves: Table<Shelf>, }
    row!("goods" Good: id: u32, title: String, origin: Option<Origin>,
        #[evolve(default = 1)] count: u32,);
    row!("shelves" Shelf: id: u32,);
    deep!(Farm Factory Sea););
shop!(another_table: { goods: Table<Good>, racks: Table<Rack>, }
    row!("goods" Good: id: u32, name: String, origin: Option<Origin>,
        #[evolve(default = 1)] count: u32,);
    row!("racks" Rack: id: u32, height: u32,);
    deep!(Farm Factory Sea););

/// Opens the file of `stored` with the code of `S`, which must be refused; gives the error.
fn refuse<S: Store>() -> Error {
    let (_folder, path) = place();
    let app = stored::App::open(&path).unwrap();
    let good = stored::Good { id: 1, name: "figs".into(), origin: None, count: 3 };
    app.goods.insert(&good).unwrap();
    drop(app);
    let before = fs::read(&path).unwrap();
    let mut errors = vec![
        refused(S::open(&path)),
        refused(S::builder().refuse_newer_schema(true).open(&path)),
        refused(S::check(&path)),
    ];
    assert_same_bytes(&before, &fs::read(&path).unwrap());

    // And when the two meet, either way.
    let ours = S::in_memory().unwrap();
    let theirs = stored::App::open(&path).unwrap();
    let summaries = (ours.summary().unwrap(), theirs.summary().unwrap());
    let met = refused(ours.apply(&theirs.changes_since(&summaries.0).unwrap()));
    assert_eq!((met.kind(), met.field()), (ErrorKind::BreakingChange, errors[0].field()));
    assert!(met.file().is_none() && met.to_string().contains("nothing was changed"), "{met}");
    let met = refused(theirs.apply(&ours.changes_since(&summaries.1).unwrap()));
    assert_eq!(met.kind(), ErrorKind::BreakingChange);
    assert_eq!((ours.summary().unwrap(), theirs.summary().unwrap()), summaries);
    assert_eq!(theirs.status().unwrap().versions().len(), 1);
    drop((ours, theirs));
    assert_sound::<stored::App>(&path);
    let app = stored::App::open(&path).unwrap();
    assert_eq!(app.goods.get(&1).unwrap().unwrap().name, "figs");

    for error in &errors {
        assert_eq!(error.kind(), ErrorKind::BreakingChange);
        assert_eq!((error.store(), error.file()), (Some("shop"), Some(path.as_path())));
        assert!(error.to_string().contains("nothing was changed"), "{error}");
        assert!(error.to_string().contains(&stored::App::schema().fingerprint()), "{error}");
    }
    errors.swap_remove(0)
}

#[test]
fn a_retyped_field_is_refused_by_its_name_and_types() {
    let error = refuse::<retyped_field::App>();
    assert_eq!((error.table(), error.field()), (Some("goods"), Some("name")));
    assert_eq!((error.expected(), error.found()), (Some("text"), Some("uint64")));
    assert!(error.to_string().contains("type-changed"), "{error}");
}

#[test]
fn a_variant_removed_three_types_deep_is_refused_by_its_path() {
    let error = refuse::<other_variants::App>();
    assert_eq!((error.table(), error.field()), (Some("goods"), Some("origin.places[].kind.sea")));
    assert!(error.to_string().contains("variant-removed"), "{error}");
}

#[test]
fn another_key_is_refused() {
    let error = refuse::<other_key::App>();
    assert_eq!((error.table(), error.field()), (Some("shelves"), Some("id")));
    assert!(error.to_string().contains("key-type-changed"), "{error}");
}

#[test]
fn a_renamed_field_is_refused() {
    let error = refuse::<renamed_field::App>();
    assert_eq!(error.table(), Some("goods"));
    let text = error.to_string();
    assert!(text.contains("`name`") && text.contains("title"), "{text}");
}

#[test]
fn a_table_that_is_gone_while_another_came_is_refused() {
    let error = refuse::<another_table::App>();
    assert_eq!(error.table(), Some("shelves"));
    assert!(error.to_string().contains("table-removed"), "{error}");
}

#[test]
fn nothing_of_a_merge_that_brings_a_breaking_version_is_taken_in() {
    let (_folder, path) = place();
    let app = second::App::open(&path).unwrap();
    app.songs.insert(&second::song(1)).unwrap();
    let seen = Heard::default();
    let log = seen.clone();
    let _versions = app.on_newer_schema(move |version| log.note(version.to_string())).unwrap();
    let log = seen.clone();
    let _rows = app.songs.observe(move |_| log.note("rows".to_owned())).unwrap();

    let other = retyped::App::in_memory().unwrap();
    other.songs.insert(&retyped::Song { stars: Some("five".into()), ..retyped::song(2) }).unwrap();
    let before = (app.summary().unwrap(), app.status().unwrap());
    drop(app);
    let bytes = fs::read(&path).unwrap();
    let app = second::App::open(&path).unwrap();
    let changes = other.changes_since(&before.0).unwrap();
    for _ in 0..3 {
        let error = refused(app.apply(&changes));
        assert_eq!((error.kind(), error.field()), (ErrorKind::BreakingChange, Some("stars")));
        assert_eq!(app.summary().unwrap(), before.0);
        assert_eq!(app.status().unwrap().versions(), before.1.versions());
        assert_eq!(app.songs.len().unwrap(), 1);
    }
    drop(app);
    assert_same_bytes(&bytes, &fs::read(&path).unwrap());
    assert!(seen.take().is_empty());
    // It goes on by itself and with others.
    let app = second::App::open(&path).unwrap();
    app.songs.insert(&second::song(3)).unwrap();
    exchange(&app, &second::App::in_memory().unwrap());
    drop(app);
    assert_sound::<second::App>(&path);
}

#[test]
fn a_breaking_version_that_waited_is_refused_when_it_takes_effect() {
    let (_folder, path) = place();
    // One device writes the first version, and then one that breaks with the second.
    drop(first::App::open(&path).unwrap());
    let late = first::App::open(&path).unwrap().changes_since(&Default::default()).unwrap();
    let early = {
        let app = retyped::App::open(&path).unwrap();
        let before = app.summary().unwrap();
        app.songs.insert(&retyped::song(1)).unwrap();
        app.changes_since(&before).unwrap()
    };
    let app = second::App::in_memory().unwrap();
    assert!(app.apply(&early).unwrap().is_pending());
    app.songs.insert(&second::song(5)).unwrap();
    for _ in 0..2 {
        assert_eq!(refused(app.apply(&late)).kind(), ErrorKind::BreakingChange);
        assert_eq!(app.status().unwrap().versions().len(), 1);
    }
    app.songs.insert(&second::song(6)).unwrap();
    give(&second::App::in_memory().unwrap(), &app);
}

#[test]
fn two_branches_are_told_apart_and_live_with_each_other_where_they_can() {
    for is_recorded in [false, true] {
        let (ours, theirs): (Box<dyn Branch>, Box<dyn Branch>) = if is_recorded {
            (
                Box::new(recorded_second::App::in_memory().unwrap()),
                Box::new(recorded_branch::App::in_memory().unwrap()),
            )
        } else {
            (
                Box::new(second::App::in_memory().unwrap()),
                Box::new(branch::App::in_memory().unwrap()),
            )
        };
        theirs.take(&ours.changes());
        ours.take(&theirs.changes());
        let (one, other) = (ours.newer(), theirs.newer());
        // Each lacks what the other has, so that to each the other is newer.
        assert_eq!(one.schema(), &branch::App::schema());
        assert_eq!(other.schema(), &second::App::schema());
        assert_ne!(one.fingerprint(), other.fingerprint());
        let number = is_recorded.then_some(2);
        assert_eq!((one.number(), other.number()), (number, number));
        assert_eq!(one.parent(), other.parent());
    }
}

/// A store, as far as the test of branches needs it.
trait Branch {
    fn changes(&self) -> heirloom::sync::Changes;
    fn take(&self, changes: &heirloom::sync::Changes);
    fn newer(&self) -> Version;
}

impl<S: Store> Branch for S {
    fn changes(&self) -> heirloom::sync::Changes {
        self.changes_since(&Default::default()).unwrap()
    }

    fn take(&self, changes: &heirloom::sync::Changes) {
        self.apply(changes).unwrap();
    }

    fn newer(&self) -> Version {
        self.status().unwrap().newer_version().unwrap().clone()
    }
}

#[test]
fn what_was_never_recorded_is_not_compared() {
    let (_folder, path) = place();
    second::App::open(&path).unwrap().songs.insert(&second::song(1)).unwrap();
    file::forget_versions(&path);
    assert!(retyped::App::open(&path).unwrap().songs.get(&1).unwrap().is_some());
}

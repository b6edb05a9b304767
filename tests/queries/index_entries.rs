//! The entries that an index holds of a row are known, however the row reads: they go with the rows
//! they were written for, and an index is built again only when its own fields have changed.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::channel;

use crate::support::{assert_sound, exchange, place, refused};
use heirloom::{ErrorKind, Progress, Store, Table};
use proptest::prelude::*;
use redb::{ReadableDatabase, ReadableTable, TableHandle};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A clock that stands still unless a test moves it, so that a default which reads it is not refused
/// and still differs between two reads.
static CLOCK: AtomicU64 = AtomicU64::new(0);
/// Held by each test that moves the clock.
static CLOCK_IS_MINE: Mutex<()> = Mutex::new(());

fn now() -> u64 {
    CLOCK.load(SeqCst)
}

fn tick() {
    CLOCK.fetch_add(1, SeqCst);
}

mod early {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "visits")]
    pub struct Visit {
        #[key]
        pub id: u32,
        pub name: String,
    }

    #[derive(Store)]
    #[store(name = "app")]
    pub struct App {
        pub visits: Table<Visit>,
    }
}

mod timed {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "visits")]
    pub struct Visit {
        #[key]
        pub id: u32,
        pub name: String,
        #[index]
        #[serde(default = "now")]
        pub at: u64,
        #[index(unique)]
        #[serde(default = "now")]
        pub ticket: u64,
    }

    #[derive(Store)]
    #[store(name = "app")]
    pub struct App {
        pub visits: Table<Visit>,
    }
}
use timed::Visit;

fn early(id: u32, name: &str) -> early::Visit {
    early::Visit { id, name: name.to_owned() }
}

fn visit(id: u32, ticket: u64) -> Visit {
    Visit { id, name: "new".to_owned(), at: ticket, ticket }
}

/// How many entries the two indexes have.
fn entries(app: &timed::App) -> (usize, usize) {
    let by_at = app.visits.filter(Visit::AT.ge(0_u64));
    let by_ticket = app.visits.filter(Visit::TICKET.ge(0_u64));
    assert!(by_at.explain().starts_with("index (at)"), "{}", by_at.explain());
    assert!(by_ticket.explain().starts_with("index (ticket)"), "{}", by_ticket.explain());
    (by_at.count().unwrap(), by_ticket.count().unwrap())
}

/// A store of code with a default that differs between reads, and of code from before that field.
fn devices(rows: u32) -> (timed::App, early::App) {
    CLOCK.store(0, SeqCst);
    let (new, old) = (timed::App::in_memory().unwrap(), early::App::in_memory().unwrap());
    old.visits.insert_many((0..rows).map(|id| early(id, "old"))).unwrap();
    exchange(&new, &old);
    assert_eq!(entries(&new), (rows as usize, rows as usize));
    tick();
    (new, old)
}

#[test]
fn entries_go_with_their_rows_however_these_read() {
    let _clock = CLOCK_IS_MINE.lock().unwrap();
    let (new, old) = devices(8);
    new.visits.remove(&0).unwrap();
    assert_eq!(entries(&new), (7, 7), "removed");
    new.visits.update(&1, |visit| visit.name = "edited".into()).unwrap();
    assert_eq!(entries(&new), (7, 7), "another field edited");
    tick();
    new.visits.update(&1, |visit| visit.at = 100).unwrap();
    assert_eq!(entries(&new), (7, 7), "the field edited");
    new.visits.put(&visit(2, 1_000)).unwrap();
    assert_eq!(entries(&new), (7, 7), "replaced");
    tick();
    old.visits.update(&3, |visit| visit.name = "edited".into()).unwrap();
    exchange(&new, &old);
    assert_eq!(entries(&new), (7, 7), "edited elsewhere");
    tick();
    old.visits.remove(&3).unwrap();
    old.visits.remove(&4).unwrap();
    exchange(&new, &old);
    assert_eq!(entries(&new), (5, 5), "removed elsewhere");
    assert_eq!(new.visits.filter(Visit::NAME.ne("")).remove_all().unwrap(), 5);
    assert_eq!(entries(&new), (0, 0), "all removed at once");
}

#[test]
fn a_value_that_reads_differently_each_time_gets_nothing_past_unique() {
    let _clock = CLOCK_IS_MINE.lock().unwrap();
    let (new, _) = devices(1);
    // The index has it under the time of then, and the edit writes what it reads as now.
    new.visits.update(&0, |visit| visit.name = "edited".into()).unwrap();
    assert_eq!(refused(new.visits.insert(&visit(1, now()))).kind(), ErrorKind::NotUnique);
    tick();
    let ticket = new.visits.get(&0).unwrap().unwrap().ticket;
    new.visits.update(&0, |visit| visit.ticket = ticket + 10).unwrap();
    new.visits.insert(&visit(1, ticket)).unwrap();
    new.visits.insert(&visit(2, 0)).unwrap();
    assert_eq!(refused(new.visits.insert(&visit(3, ticket + 10))).kind(), ErrorKind::NotUnique);
    new.visits.remove(&0).unwrap();
    new.visits.insert(&visit(3, ticket + 10)).unwrap();
    assert!(new.visits.conflicts().unwrap().is_empty());
}

#[test]
fn check_names_a_row_that_reads_otherwise_than_its_index_entry() {
    let _clock = CLOCK_IS_MINE.lock().unwrap();
    CLOCK.store(0, SeqCst);
    let (_folder, path) = place();
    {
        let (new, old) = (timed::App::open(&path).unwrap(), early::App::in_memory().unwrap());
        new.visits.insert(&visit(1, 1)).unwrap();
        old.visits.insert(&early(7, "old")).unwrap();
        exchange(&new, &old);
        tick();
        // Now its entries are of another time than that of the check.
        new.visits.update(&7, |visit| visit.name = "edited".into()).unwrap();
    }
    CLOCK.store(0, SeqCst);
    assert_eq!(
        timed::App::check(&path).unwrap().problems(),
        ["at", "ticket"].map(|field| format!(
            "table `visits`: the index ({field}) has another value of the row `7` than the row \
             itself"
        ))
    );
}

/// The keys in an index of a closed file, each as often as it has an entry of a value or as invalid.
fn raw_keys(path: &Path, field: &str) -> Vec<Vec<u8>> {
    let file = redb::Database::open(path).unwrap();
    let read = file.begin_read().unwrap();
    let mut names = read.list_tables().unwrap().map(|table| table.name().to_owned());
    let end = format!("[\"{field}\"]");
    let name = names.find(|name| name.contains("/index/") && name.ends_with(&end)).unwrap();
    let table = read.open_table(redb::TableDefinition::<&[u8], &[u8]>::new(&name)).unwrap();
    let entries = table.iter().unwrap().filter_map(|entry| {
        let (bytes, header) = entry.unwrap();
        let values = u32::from_le_bytes(header.value()[1..5].try_into().unwrap());
        // Beside the entry of a long value stands a note that it is cut.
        let is_note = values == 1 && bytes.value()[0] == 0xFE;
        (!is_note).then(|| bytes.value()[values as usize..].to_vec())
    });
    let mut keys: Vec<Vec<u8>> = entries.collect();
    keys.sort();
    keys
}

mod any {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub struct Perms {
        pub roles: HashSet<u8>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "things")]
    pub struct Thing {
        #[key]
        pub id: u8,
        pub size: u8,
        #[index]
        pub perms: Perms,
        #[index]
        #[serde(default)]
        pub text: String,
        #[index(unique)]
        #[serde(default)]
        pub code: Option<u8>,
        #[index]
        #[serde(default = "now")]
        pub at: u64,
    }

    #[derive(Store)]
    #[store(name = "app")]
    pub struct App {
        pub things: Table<Thing>,
    }
}
use any::{Perms, Thing};

mod loose {
    use super::*;

    /// The same rows as code sees them that knows less and may write what the other does not decode.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "things")]
    pub struct Thing {
        #[key]
        pub id: u8,
        #[schemars(with = "u8")]
        pub size: u32,
        pub perms: Perms,
    }

    #[derive(Store)]
    #[store(name = "app")]
    pub struct App {
        pub things: Table<Thing>,
    }
}

#[derive(Debug, Clone)]
enum Step {
    Put { id: u8, perms: Vec<u8>, code: Option<u8>, long: u8 },
    Resize { id: u8, size: u8 },
    Recode { id: u8, code: Option<u8> },
    Remove { ids: Vec<u8> },
    Elsewhere { id: u8, size: u32 },
    RemoveElsewhere { id: u8 },
    Repair,
    Discard,
    Tick,
    Rebuild,
}

fn step() -> impl Strategy<Value = Step> {
    let id = || 0..12_u8;
    let code = || prop::option::of(0..6_u8);
    let perms = prop::collection::vec(0..4_u8, 0..6);
    prop_oneof![
        6 => (id(), perms, code(), 0..5_u8)
            .prop_map(|(id, perms, code, long)| Step::Put { id, perms, code, long }),
        4 => (id(), any::<u8>()).prop_map(|(id, size)| Step::Resize { id, size }),
        3 => (id(), code()).prop_map(|(id, code)| Step::Recode { id, code }),
        2 => prop::collection::vec(id(), 0..6).prop_map(|ids| Step::Remove { ids }),
        4 => (id(), prop_oneof![3 => 0..200_u32, 1 => 300..400_u32])
            .prop_map(|(id, size)| Step::Elsewhere { id, size }),
        2 => id().prop_map(|id| Step::RemoveElsewhere { id }),
        1 => Just(Step::Repair),
        1 => Just(Step::Discard),
        3 => Just(Step::Tick),
        1 => Just(Step::Rebuild),
    ]
}

/// Does it; what a unique index refuses must be taken by another row.
fn run(step: &Step, app: &any::App, peer: &loose::App) {
    let things = &app.things;
    match step {
        Step::Put { id, perms, code, long } => {
            let thing = Thing {
                id: *id,
                size: 0,
                perms: Perms { roles: perms.iter().copied().collect() },
                text: format!("{}{}", "x".repeat(usize::from(*long) * 600), id % 3),
                code: *code,
                at: u64::from(*id),
            };
            held_to_unique(app, *id, *code, things.put(&thing).map(drop));
        }
        Step::Resize { id, size } => drop(things.update(id, |thing| thing.size = *size)),
        Step::Recode { id, code } => {
            if let Ok(Some(_)) = things.get(id) {
                let set = things.update(id, |thing| thing.code = *code);
                held_to_unique(app, *id, *code, set.map(drop));
            }
        }
        Step::Remove { ids } => {
            let all = things.filter(Thing::ID.is_in(ids.clone()));
            all.remove_all().unwrap();
        }
        Step::Elsewhere { id, size } => {
            let thing =
                loose::Thing { id: *id, size: *size, perms: Perms { roles: [1, 2, 3].into() } };
            match peer.things.contains(id).unwrap() {
                true => drop(peer.things.update(id, |thing| thing.size = *size).unwrap()),
                false => peer.things.insert(&thing).unwrap(),
            }
        }
        Step::RemoveElsewhere { id } => drop(peer.things.remove(id).unwrap()),
        Step::Repair => {
            for row in things.invalid().unwrap() {
                let json = format!(
                    r#"{{"id":{},"size":1,"perms":{{"roles":[2,1]}},"text":"mended"}}"#,
                    row.key()
                );
                things.repair(&row, &json).unwrap();
            }
        }
        Step::Discard => {
            if let Some(row) = things.invalid().unwrap().first() {
                things.discard(row).unwrap();
            }
        }
        Step::Tick => tick(),
        Step::Rebuild => app.rebuild_indexes().unwrap(),
    }
    exchange(app, peer);
}

/// A write that gives a code away must be refused just if another row has it.
fn held_to_unique(app: &any::App, id: u8, code: Option<u8>, result: heirloom::Result<()>) {
    let rows = app.things.iter().unwrap().filter_map(Result::ok);
    let is_taken =
        rows.filter(|thing| thing.id != id && thing.code.is_some()).any(|thing| thing.code == code);
    match result {
        Ok(()) => assert!(!is_taken, "{id} took {code:?}"),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::NotUnique);
            assert!(is_taken, "{code:?} is free and was refused to {id}: {error}");
        }
    }
}

/// Indexes answer as a scan does.
fn assert_answers(app: &any::App) {
    let rows: Vec<Thing> = app.things.iter().unwrap().filter_map(Result::ok).collect();
    let count = |condition| app.things.filter(condition).count().unwrap();
    assert_eq!(count(Thing::AT.ge(0_u64)), rows.len());
    let mut codes = BTreeMap::<u8, usize>::new();
    rows.iter()
        .filter_map(|thing| thing.code)
        .for_each(|code| *codes.entry(code).or_default() += 1);
    for code in 0..6 {
        let has = codes.get(&code).copied().unwrap_or_default();
        assert_eq!(count(Thing::CODE.eq(code)), has);
    }
    assert_eq!(count(Thing::CODE.is_none()), rows.iter().filter(|t| t.code.is_none()).count());
    for end in 0..3 {
        for long in 0..5 {
            let text = format!("{}{end}", "x".repeat(long * 600));
            let has = rows.iter().filter(|thing| thing.text == text).count();
            assert_eq!(count(Thing::TEXT.eq(&text)), has, "{} bytes", text.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn indexes_hold_one_entry_of_each_row(steps in prop::collection::vec(step(), 1..40)) {
        let _clock = CLOCK_IS_MINE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        CLOCK.store(0, SeqCst);
        let (_folder, path) = place();
        let stored = {
            let (app, peer) = (any::App::open(&path).unwrap(), loose::App::in_memory().unwrap());
            for step in &steps {
                run(step, &app, &peer);
                assert_answers(&app);
            }
            let mut keys: Vec<Vec<u8>> = app.things.iter().unwrap().filter_map(Result::ok)
                .map(|thing| u64::from(thing.id).to_be_bytes().to_vec()).collect();
            keys.extend(app.things.invalid().unwrap().iter().map(|row| {
                row.key().parse::<u64>().unwrap().to_be_bytes().to_vec()
            }));
            keys.sort();
            app.rebuild_indexes().unwrap();
            tick();
            // Once more for rows that read otherwise than when their entries were written.
            for key in &keys {
                drop(app.things.update(&key[7], |thing| thing.size = thing.size.wrapping_add(1)));
            }
            keys
        };
        for field in ["perms", "text", "code", "at"] {
            assert_eq!(raw_keys(&path, field), stored, "{field}");
        }
        let app = any::App::open(&path).unwrap();
        app.rebuild_indexes().unwrap();
        drop(app);
        // Of a set, the entry may be in another order than the one that is looked at.
        let report = any::App::check(&path).unwrap();
        prop_assert!(report.problems().iter().all(|what| what.contains("(perms)")), "{report}");
    }
}

/// Code for one table, of which only what stands here differs.
macro_rules! code {
    ($name:ident { $($(#[$meta:meta])* $field:ident: $type:ty;)* } $($extra:item)*) => {
        mod $name {
            use super::*;

            $($extra)*

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "users")]
            pub struct User {
                #[key]
                pub id: u32,
                $($(#[$meta])* pub $field: $type,)*
            }

            #[derive(Store)]
            #[store(name = "app")]
            pub struct App {
                pub users: Table<User>,
            }

            /// How many rows are read for indexes until all stand, after a write.
            #[allow(dead_code, reason = "some tests ask otherwise")]
            pub fn built(path: &Path) -> u64 {
                let (tell, told) = channel();
                let app = App::builder()
                    .on_progress(move |progress| drop(tell.send(progress)))
                    .open(path)
                    .unwrap();
                app.users.remove(&9_999).unwrap();
                app.build_indexes().unwrap();
                drop(app);
                assert_sound::<App>(path);
                let rows = told.iter().map(|progress| match progress {
                    Progress::Index { rows, .. } => rows,
                    _ => 0,
                });
                rows.sum()
            }
        }
    };
}

const ROWS: u64 = 40;

/// A file with rows and with complete indexes of the code `plain`.
fn filled() -> (tempfile::TempDir, std::path::PathBuf) {
    let (folder, path) = place();
    {
        let app = plain::App::open(&path).unwrap();
        let user = |id: u32| plain::User {
            id,
            name: format!("user {id}"),
            mood: plain::Mood::Calm,
            town: plain::Town { name: "Thun".into(), zip: None },
            note: None,
        };
        app.users.insert_many((0..ROWS as u32).map(user)).unwrap();
    }
    assert_eq!(plain::built(&path), 0);
    (folder, path)
}

macro_rules! types {
    ($($mood:ident)*; $($zip:tt)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
        pub enum Mood { $($mood),* }

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub struct Town { pub name: String, $($zip)* pub zip: Option<u32> }
    };
}

code!(plain {
    #[index] name: String;
    #[index] mood: Mood;
    #[index] town: Town;
    note: Option<String>;
} types! { Calm Wild; });

code!(added {
    #[index] name: String;
    #[index] mood: Mood;
    #[index] town: Town;
    note: Option<String>;
    #[evolve(default = 7)] count: u8;
    #[evolve(default = |count| u64::from(count))] twice: u64;
    extra: Option<Vec<String>>;
} types! { Calm Wild; });

code!(removed {
    #[index] name: String;
    #[index] mood: Mood;
    #[index] town: Town;
} types! { Calm Wild; });

code!(reordered {
    note: Option<String>;
    #[index] town: Town;
    #[index] name: String;
    #[index] mood: Mood;
} types! { Calm Wild; });

// Comments are no part of what an index covers.
code!(commented {
    /// A name.
    #[index] name: String;
    #[index] mood: Mood;
    #[index] town: Town;
    /// A note.
    note: Option<String>;
} types! { Calm Wild; });

code!(aliased {
    #[index] #[serde(alias = "called")] name: String;
    #[index] mood: Mood;
    #[index] town: Town;
    note: Option<String>;
} types! { Calm Wild; });

code!(with_default {
    #[index] #[evolve(default = "nobody")] name: String;
    #[index] mood: Mood;
    #[index] town: Town;
    note: Option<String>;
} types! { Calm Wild; });

code!(variants_in_another_order {
    #[index] name: String;
    #[index] mood: Mood;
    #[index] town: Town;
    note: Option<String>;
} types! { Wild Calm;  });

code!(nested {
    #[index] name: String;
    #[index] mood: Mood;
    #[index] town: Town;
    note: Option<String>;
} types! { Calm Wild; #[serde(alias = "plz", default)] });

#[test]
fn an_index_is_built_again_only_when_what_it_covers_changes() {
    // Nothing that an index covers.
    for built in [added::built, removed::built, reordered::built, commented::built, plain::built] {
        let (_folder, path) = filled();
        assert_eq!(built(&path), 0);
        // Nor when code of both ages takes turns.
        assert_eq!(plain::built(&path), 0);
        assert_eq!(built(&path), 0);
    }
    // One of three.
    for (name, built) in [
        ("an alias", aliased::built as fn(&Path) -> u64),
        ("a default", with_default::built),
        ("a type inside of a type", nested::built),
        ("the order of variants", variants_in_another_order::built),
    ] {
        let (_folder, path) = filled();
        assert_eq!(built(&path), ROWS, "{name}");
        assert_eq!(built(&path), 0, "{name}");
    }
}

code!(computed {
    #[evolve(default = 1)] base: u8;
    #[evolve(default = 5)] other: u8;
    #[index] #[evolve(default = |base| base + 1)] next: u8;
});

code!(computed_from_another_base {
    #[evolve(default = 2)] base: u8;
    #[evolve(default = 5)] other: u8;
    #[index] #[evolve(default = |base| base + 1)] next: u8;
});

code!(computed_beside_another {
    #[evolve(default = 1)] base: u8;
    #[evolve(default = 6)] other: u8;
    #[index] #[evolve(default = |base| base + 1)] next: u8;
});

code!(before_all { note: Option<String>; });

#[test]
fn an_index_covers_what_its_computed_defaults_read() {
    let (_folder, path) = place();
    {
        let app = before_all::App::open(&path).unwrap();
        app.users.insert(&before_all::User { id: 1, note: None }).unwrap();
    }
    assert_eq!(computed::built(&path), 1);
    assert_eq!(computed_beside_another::built(&path), 0);
    assert_eq!(computed_from_another_base::built(&path), 1);
    let app = computed_from_another_base::App::open(&path).unwrap();
    let next = computed_from_another_base::User::NEXT;
    assert_eq!(app.users.filter(next.eq(3)).count().unwrap(), 1);
}

code!(strict { #[index] name: String; size: u8; });
code!(wide { #[index] name: String; size: u8; #[evolve(default)] more: u8; });

#[test]
fn rows_that_other_code_did_not_decode_are_in_no_index_that_is_kept() {
    let (_folder, path) = place();
    {
        let row = |id: u32| strict::User { id, name: "of now".into(), size: 1 };
        strict::App::open(&path).unwrap().users.insert_many((0..5).map(row)).unwrap();
        let app = wide::App::open(&path).unwrap();
        let row = wide::User { id: 7, name: "of now".into(), size: 1, more: 2 };
        app.users.insert(&row).unwrap();
    }
    // Rows that the one has written are counted by the other, from the index and from a scan alike.
    let app = strict::App::open(&path).unwrap();
    let named = app.users.filter(strict::User::NAME.eq("of now"));
    assert_eq!((named.count().unwrap(), named.all().unwrap().len()), (6, 6));
    app.users.remove(&0).unwrap();
    assert_eq!((named.count().unwrap(), named.all().unwrap().len()), (5, 5));
}

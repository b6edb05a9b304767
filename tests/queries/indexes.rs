//! Indexes come and go with the code, without a version; hold every value; and hide no row.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::support::file::forget_versions;
use crate::support::{assert_same_bytes, assert_sound, exchange, place, refused};
use heirloom::{ErrorKind, Progress, Query, Row, Store, Table};
use redb::{ReadableDatabase, ReadableTable, TableHandle};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Code of several ages for one store.
macro_rules! version {
    ($name:ident { $(#[$table:meta])* $($field:ident: $type:ty $(, $meta:meta)*;)* } $($extra:item)*) => {
        mod $name {
            use super::*;

            $($extra)*

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "users")]
            $(#[$table])*
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
        }
    };
}

version!(bare { name: String; });
version!(indexed { name: String, index; });
version!(aged { name: String; age: u8, index, evolve(default = 18); });
version!(older { name: String; age: u8, index, evolve(default = 65); });
// Of the same schema as `aged`, so that code of both may meet; what it writes does not decode there.
version!(texts { name: String; age: String, schemars(with = "u8"), evolve(default = ""); });
version!(named { name: Option<String>; });
version!(unique {
    #[table(unique(city, street))]
    name: Option<String>, index(unique);
    city: String, evolve(default);
    street: u32, evolve(default);
});
version!(two { kind: Kind, index; }
    #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
    pub enum Kind { A, B }
);
version!(three { kind: Kind, index; }
    #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
    pub enum Kind { A, B, C }
);

fn bare(id: u32, name: &str) -> bare::User {
    bare::User { id, name: name.to_owned() }
}

fn fill(path: &Path, rows: u32) {
    let app = bare::App::open(path).unwrap();
    app.users.insert_many((0..rows).map(|id| bare(id, &format!("user {}", id % 100)))).unwrap();
}

fn sevens(app: &indexed::App) -> Query<indexed::User> {
    app.users.filter(indexed::User::NAME.eq("user 7"))
}

const BY_INDEX: &str = "index (name) of `users`, 1 range";
const BY_SCAN: &str = "scan of `users`, filtered; index (name) is not built yet";

fn opened(path: &Path) -> (indexed::App, Receiver<Progress>) {
    let (tell, told) = channel();
    let report = move |progress| drop(tell.send(progress));
    (indexed::App::builder().on_progress(report).open(path).unwrap(), told)
}

/// Waits until the index stands.
fn built(told: &Receiver<Progress>) -> u64 {
    let mut all = 0;
    loop {
        match told.recv_timeout(Duration::from_secs(60)).unwrap() {
            Progress::Index { table, fields, rows, complete } => {
                assert_eq!((table.as_str(), fields.as_str()), ("users", "name"));
                all += rows;
                if complete {
                    return all;
                }
            }
            Progress::Problem { what } => panic!("{what}"),
            _ => {}
        }
    }
}

#[test]
fn an_index_added_later_is_built_beside_the_first_write_and_reading_builds_none() {
    let (_folder, path) = place();
    fill(&path, 25_000);
    let before = fs::read(&path).unwrap();
    {
        let app = indexed::App::open(&path).unwrap();
        assert_eq!(sevens(&app).explain(), BY_SCAN);
        assert_eq!(sevens(&app).count().unwrap(), 250);
        assert_same_bytes(&before, &fs::read(&path).unwrap());
    }
    assert_same_bytes(&before, &fs::read(&path).unwrap());
    {
        let (app, told) = opened(&path);
        let row = indexed::User { id: 90_000, name: "user 7".into() };
        app.users.insert(&row).unwrap();
        // The answer is the same, however far the index is built.
        assert_eq!(sevens(&app).count().unwrap(), 251);
        assert_eq!(built(&told), 25_001);
        assert_eq!(sevens(&app).explain(), BY_INDEX);
        assert_eq!(sevens(&app).count().unwrap(), 251);
    }
    assert_sound::<indexed::App>(&path);
    let app = indexed::App::open(&path).unwrap();
    assert_eq!(sevens(&app).explain(), BY_INDEX, "it stands for whoever comes next");
}

#[test]
fn a_writer_that_never_pauses_does_not_keep_an_index_from_being_built() {
    // Seven pieces, and a commit or two between them; more only where a thread is not let run.
    const MOST: u32 = 100;
    let (_folder, path) = place();
    fill(&path, 60_000);
    let (stands, pieces) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let (done, counter) = (stands.clone(), pieces.clone());
    let app = indexed::App::builder()
        .on_progress(move |progress| {
            if let Progress::Index { complete, .. } = progress {
                counter.fetch_add(1, SeqCst);
                done.store(complete, SeqCst);
            }
        })
        .open(&path)
        .unwrap();
    let mut commits = 0;
    while !stands.load(SeqCst) && commits < MOST {
        app.users.put(&indexed::User { id: commits % 100, name: "user 7".into() }).unwrap();
        commits += 1;
    }
    assert!(commits < MOST, "{} pieces beside {commits} commits", pieces.load(SeqCst));
    assert_eq!(sevens(&app).explain(), BY_INDEX);
    assert_eq!(sevens(&app).count().unwrap(), 599 + commits.min(100) as usize);
}

#[test]
fn a_build_that_was_cut_short_goes_on_and_writes_meanwhile_are_in_it() {
    let (_folder, path) = place();
    fill(&path, 45_000);
    for round in 0..6 {
        let (app, _told) = opened(&path);
        app.users.remove(&(round * 100 + 7)).unwrap();
        app.users.put(&indexed::User { id: 80_000 + round, name: "user 7".into() }).unwrap();
        // Closing does not wait for the build.
        drop(app);
    }
    let app = indexed::App::open(&path).unwrap();
    app.build_indexes().unwrap();
    assert_eq!(sevens(&app).explain(), BY_INDEX);
    assert_eq!(sevens(&app).count().unwrap(), 450);
    drop(app);
    assert_sound::<indexed::App>(&path);
}

#[test]
fn build_indexes_builds_them_for_a_process_that_only_reads() {
    let (_folder, path) = place();
    fill(&path, 100);
    let app = indexed::App::open(&path).unwrap();
    app.build_indexes().unwrap();
    assert_eq!(sevens(&app).explain(), BY_INDEX);
    // Once more there is nothing to do.
    app.build_indexes().unwrap();
    drop(app);
    assert_sound::<indexed::App>(&path);
    // A new store has them from the start.
    let app = indexed::App::in_memory().unwrap();
    assert_eq!(sevens(&app).explain(), BY_INDEX);
}

#[test]
fn code_without_the_index_leaves_none_behind_that_would_be_wrong() {
    let (_folder, path) = place();
    fill(&path, 1_000);
    indexed::App::open(&path).unwrap().build_indexes().unwrap();
    {
        // It reads, and the index stays.
        let app = bare::App::open(&path).unwrap();
        assert_eq!(app.users.filter(bare::User::NAME.eq("user 7")).count().unwrap(), 10);
    }
    assert_eq!(sevens(&indexed::App::open(&path).unwrap()).explain(), BY_INDEX);
    bare::App::open(&path).unwrap().users.put(&bare(8, "user 7")).unwrap();
    let app = indexed::App::open(&path).unwrap();
    assert_eq!(sevens(&app).explain(), BY_SCAN);
    assert_eq!(sevens(&app).count().unwrap(), 11);
    app.build_indexes().unwrap();
    assert_eq!(sevens(&app).explain(), BY_INDEX);
    assert_eq!(sevens(&app).count().unwrap(), 11);
    let copy = path.with_extension("copy");
    app.backup(&copy).unwrap();
    let copy = indexed::App::open(&copy).unwrap();
    assert_eq!(sevens(&copy).explain(), BY_INDEX, "a backup has the indexes, too");
    assert_eq!(sevens(&copy).count().unwrap(), 11);
}

#[test]
fn a_default_that_changes_is_indexed_anew() {
    let (_folder, path) = place();
    fill(&path, 100);
    let count = |app: &aged::App| app.users.filter(aged::User::AGE.eq(18_u8)).count().unwrap();
    {
        let app = aged::App::open(&path).unwrap();
        assert_eq!(count(&app), 100, "by scan");
        app.build_indexes().unwrap();
        assert_eq!(count(&app), 100, "by index");
    }
    let app = older::App::open(&path).unwrap();
    let of_age = |age: u8| app.users.filter(older::User::AGE.eq(age));
    assert!(of_age(65).explain().starts_with("scan"), "{}", of_age(65).explain());
    assert_eq!((of_age(18).count().unwrap(), of_age(65).count().unwrap()), (0, 100));
    app.build_indexes().unwrap();
    assert!(of_age(65).explain().starts_with("index"), "{}", of_age(65).explain());
    assert_eq!((of_age(18).count().unwrap(), of_age(65).count().unwrap()), (0, 100));
}

#[test]
fn a_variant_that_becomes_known_is_found_through_the_index() {
    let (_folder, path) = place();
    three::App::open(&path)
        .unwrap()
        .users
        .insert(&three::User { id: 1, kind: three::Kind::C })
        .unwrap();
    // Code that records no versions is not stopped by the variant that it does not know.
    forget_versions(&path);
    {
        let app = two::App::open(&path).unwrap();
        app.build_indexes().unwrap();
        app.users.insert(&two::User { id: 2, kind: two::Kind::B }).unwrap();
        assert_eq!(app.users.filter(two::User::KIND.ge(two::Kind::A)).count().unwrap(), 1);
        assert_eq!(app.users.query().count().unwrap(), 2);
    }
    forget_versions(&path);
    let app = three::App::open(&path).unwrap();
    let found = app.users.filter(three::User::KIND.ge(three::Kind::A));
    assert_eq!(found.count().unwrap(), 2);
    app.build_indexes().unwrap();
    assert!(found.explain().starts_with("index (kind)"), "{}", found.explain());
    assert_eq!(found.count().unwrap(), 2);
}

/// Rows of which every third does not decode as what `aged` says.
fn partly_invalid(path: &Path) {
    let app = texts::App::open(path).unwrap();
    let (good, bad) = (bare::App::in_memory().unwrap(), texts::App::in_memory().unwrap());
    good.users.insert_many((0..20).map(|id| bare(id * 3, "good"))).unwrap();
    let bad_row = |id: u32| texts::User { id: id * 3 + 1, name: "bad".into(), age: "old".into() };
    bad.users.insert_many((0..10).map(bad_row)).unwrap();
    exchange(&app, &good);
    exchange(&app, &bad);
}

#[test]
fn rows_that_do_not_decode_are_skipped_by_filters_and_given_as_errors_without_one() {
    let (_folder, path) = place();
    partly_invalid(&path);
    let app = aged::App::open(&path).unwrap();
    let check = |how: &str| {
        let filtered = app.users.filter(aged::User::AGE.ge(0_u8));
        assert_eq!(filtered.all().unwrap().len(), 20, "{how}: {}", filtered.explain());
        assert_eq!(filtered.count().unwrap(), 20);
        let by_age = app.users.order_by(aged::User::AGE);
        assert!(by_age.explain().starts_with(how), "{}", by_age.explain());
        for query in [app.users.query(), by_age.clone(), app.users.order_by(aged::User::AGE.desc())]
        {
            let items: Vec<_> = query.iter().unwrap().collect();
            let errors: Vec<_> = items.iter().filter_map(|item| item.as_ref().err()).collect();
            assert_eq!((items.len(), errors.len()), (30, 10), "{}", query.explain());
            assert!(errors.iter().all(|error| error.kind() == ErrorKind::InvalidRow));
            assert_eq!(query.count().unwrap(), 30);
            assert_eq!(refused(query.all()).kind(), ErrorKind::InvalidRow);
            assert_eq!(refused(query.keys()).kind(), ErrorKind::InvalidRow);
        }
        // In an order, they come after the rows that have a place in it.
        assert!(by_age.iter().unwrap().take(20).all(|item| item.is_ok()));
        let found = by_age.clone().offset(25).limit(10).iter().unwrap().count();
        assert_eq!(found, 5);
        // Without a filter they would be changed unseen.
        assert_eq!(refused(app.users.query().update_all(|_| ())).kind(), ErrorKind::InvalidRow);
        assert_eq!(refused(app.users.query().remove_all()).kind(), ErrorKind::InvalidRow);
        assert_eq!(app.users.len().unwrap(), 30);
    };
    check("scan of `users`, sorted by age; index (age) is not built yet");
    app.build_indexes().unwrap();
    check("index (age) of `users`");
    assert_eq!(app.users.filter(aged::User::AGE.lt(99_u8)).remove_all().unwrap(), 20);
    assert_eq!(app.users.invalid().unwrap().len(), 10);
}

#[test]
fn any_text_of_any_length_is_found_through_an_index() {
    let app = indexed::App::in_memory().unwrap();
    let long = |end: &str| format!("{}{end}", "ä".repeat(20_000));
    let mut names: Vec<String> =
        ["", "\0", "\0\0", "\u{1}", "a", "a\0", "a\0b", "ab", "\u{10ffff}"]
            .into_iter()
            .map(str::to_owned)
            .chain([
                long(""),
                long("a"),
                long("b"),
                "x".repeat(1021),
                "x".repeat(1022),
                "x".repeat(1 << 20),
            ])
            .collect();
    let rows = (0..).zip(&names).map(|(id, name)| indexed::User { id, name: name.clone() });
    app.users.insert_many(rows).unwrap();
    names.sort();
    let found = |query: Query<indexed::User>| -> Vec<String> {
        query.all().unwrap().into_iter().map(|user| user.name).collect()
    };
    let name = indexed::User::NAME;
    assert_eq!(found(app.users.order_by(name)), names);
    for (at, text) in names.iter().enumerate() {
        assert_eq!(found(app.users.filter(name.eq(text))), std::slice::from_ref(text));
        assert_eq!(found(app.users.filter(name.lt(text)).order_by(name)), names[..at]);
        assert_eq!(found(app.users.filter(name.ge(text)).order_by(name)), names[at..]);
        let starting: Vec<_> =
            names.iter().filter(|name| name.starts_with(text)).cloned().collect();
        assert_eq!(found(app.users.filter(name.starts_with(text)).order_by(name)), starting);
        assert_eq!(app.users.filter(name.starts_with(text)).count().unwrap(), starting.len());
    }
    // The values on both sides of a long one are looked up in parts that the cut makes overlap.
    for text in names.iter().filter(|name| name.len() > 1024) {
        let others: Vec<_> = names.iter().filter(|name| *name != text).cloned().collect();
        let by_title = app.users.filter(name.ne(text)).order_by((name, indexed::User::ID));
        assert_eq!(found(by_title), others);
        let unlike = names.iter().filter(|name| !name.starts_with(text)).count();
        assert_eq!(app.users.filter(!name.starts_with(text)).count().unwrap(), unlike);
    }
    assert_eq!(app.users.filter(name.starts_with("ä")).remove_all().unwrap(), 3);
}

#[test]
fn what_asks_for_nothing_gives_nothing() {
    let app = indexed::App::in_memory().unwrap();
    app.users.insert(&indexed::User { id: 1, name: "ada".into() }).unwrap();
    let (id, name) = (indexed::User::ID, indexed::User::NAME);
    let none = [
        app.users.limit(0),
        app.users.query().offset(1),
        app.users.query().offset(usize::MAX).limit(usize::MAX),
        app.users.filter(name.is_in(Vec::<String>::new())),
        app.users.filter(name.between("b", "a")),
        app.users.filter(id.between(2_u32, 1_u32)),
        app.users.filter(id.gt(u32::MAX)),
        app.users.filter(id.eq(1_u32) & id.eq(2_u32)),
        app.users.order_by(name).limit(0),
    ];
    for query in none {
        assert_eq!(query.count().unwrap(), 0, "{query:?}");
        assert!(query.all().unwrap().is_empty(), "{query:?}");
        assert!(query.first().unwrap().is_none(), "{query:?}");
        assert!(query.keys().unwrap().is_empty(), "{query:?}");
        let watch = query.watch().unwrap();
        assert!(watch.recv().unwrap().inserted().is_empty(), "{query:?}");
    }
    // A condition of any length is one.
    let many = (0..20_000).map(|n| name.eq(format!("{n}"))).reduce(|a, b| a | b).unwrap();
    assert_eq!(app.users.filter(many.clone() | name.eq("ada")).count().unwrap(), 1);
    assert_eq!(app.users.filter(!many).count().unwrap(), 1);
}

fn user(id: u32, name: Option<&str>) -> unique::User {
    unique::User { id, name: name.map(str::to_owned), city: format!("city {id}"), street: 1 }
}

#[test]
fn a_unique_value_is_given_once_on_one_device() {
    let app = unique::App::in_memory().unwrap();
    app.users.insert(&user(1, Some("ada"))).unwrap();
    let error = refused(app.users.insert(&user(2, Some("ada"))));
    assert_eq!(error.kind(), ErrorKind::NotUnique);
    assert_eq!(
        error.to_string(),
        "another row has the same value (store `app`, table `users`, key `2`, field `name`, \
         expected a value that no other row has, found the one of the row `1`); nothing was \
         changed; give one of the rows another value"
    );
    assert_eq!(app.users.len().unwrap(), 1);
    // Nobody's name is nobody else's.
    app.users.insert_many([user(3, None), user(4, None)]).unwrap();
    // One transaction may not give it twice either, and may exchange it.
    assert_eq!(
        refused(app.users.insert_many([user(5, Some("ben")), user(6, Some("ben"))])).kind(),
        ErrorKind::NotUnique
    );
    app.users.insert(&user(7, Some("cleo"))).unwrap();
    assert_eq!(
        refused(app.users.update(&7, |user| user.name = Some("ada".into()))).kind(),
        ErrorKind::NotUnique
    );
    app.transaction(|tx| {
        tx.update::<unique::User>(&7, |user| user.name = Some("ada".into()))?;
        tx.update::<unique::User>(&1, |user| user.name = Some("cleo".into()))
    })
    .unwrap();
    // Of two fields, both must be the same.
    let mut other = user(8, None);
    other.city = "city 1".into();
    assert_eq!(refused(app.users.insert(&other)).field(), Some("city`, `street"));
    other.street = 2;
    app.users.insert(&other).unwrap();
    assert!(app.users.conflicts().unwrap().is_empty());
    // Long values are as unique as short ones.
    let long = "x".repeat(5_000);
    app.users.insert(&user(9, Some(&format!("{long}a")))).unwrap();
    app.users.insert(&user(10, Some(&format!("{long}b")))).unwrap();
    assert_eq!(
        refused(app.users.insert(&user(11, Some(&format!("{long}a"))))).kind(),
        ErrorKind::NotUnique
    );
}

#[test]
fn devices_that_meet_list_what_both_have_given_away() {
    let (a, b) = (unique::App::in_memory().unwrap(), unique::App::in_memory().unwrap());
    a.users.insert_many([user(1, Some("ada")), user(2, Some("ben"))]).unwrap();
    b.users.insert_many([user(3, Some("ada")), user(4, Some("cleo"))]).unwrap();
    exchange(&a, &b);
    for app in [&a, &b] {
        let conflicts = app.users.conflicts().unwrap();
        assert_eq!(conflicts.len(), 1, "{conflicts:?}");
        assert_eq!((conflicts[0].fields(), conflicts[0].keys()), (&["name"][..], &[1, 3][..]));
        assert_eq!(app.users.filter(unique::User::NAME.eq("ada")).count().unwrap(), 2);
    }
    // Such a row can be edited in other respects, and the conflict be resolved.
    a.users.update(&3, |user| user.street = 7).unwrap();
    assert_eq!(a.users.conflicts().unwrap().len(), 1);
    a.users.update(&3, |user| user.name = Some("ada of the north".into())).unwrap();
    assert!(a.users.conflicts().unwrap().is_empty());
    exchange(&a, &b);
    assert!(b.users.conflicts().unwrap().is_empty());
}

#[test]
fn a_unique_index_added_over_doubles_lists_them() {
    let (_folder, path) = place();
    {
        let row = |id: u32| named::User { id, name: Some(format!("user {}", id % 100)) };
        named::App::open(&path).unwrap().users.insert_many((0..150).map(row)).unwrap();
    }
    let app = unique::App::open(&path).unwrap();
    let doubles = |app: &unique::App| {
        let conflicts = app.users.conflicts().unwrap();
        let names = conflicts.iter().filter(|conflict| conflict.fields() == ["name"]);
        names.map(|conflict| conflict.keys().to_vec()).collect::<Vec<_>>()
    };
    let before = doubles(&app);
    assert_eq!(before.len(), 50);
    assert_eq!(before[0], [0, 100]);
    app.build_indexes().unwrap();
    assert_eq!(doubles(&app), before);
}

#[test]
fn a_value_is_refused_however_new_its_unique_index_is() {
    let (_folder, path) = place();
    {
        let row = |id: u32| named::User { id, name: Some(format!("user {id}")) };
        named::App::open(&path).unwrap().users.insert_many((0..25_000).map(row)).unwrap();
    }
    let app = unique::App::open(&path).unwrap();
    let row = |id: u32, name: &str| unique::User {
        id,
        name: Some(name.to_owned()),
        city: format!("city {id}"),
        street: id,
    };
    let error = app.users.insert(&row(90_000, "user 24999")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotUnique);
    assert!(!app.users.contains(&90_000).unwrap());
    app.users.insert(&row(90_000, "somebody new")).unwrap();
    assert!(app.users.insert(&row(90_001, "somebody new")).is_err());
    let names = app.users.conflicts().unwrap();
    assert!(names.iter().all(|conflict| conflict.fields() != ["name"]));
    drop(app);
    assert_sound::<unique::App>(&path);
}

/// Of one JSON Schema, with rules of their own.
macro_rules! rule {
    ($name:ident, $most:expr) => {
        mod $name {
            use super::*;

            #[derive(
                Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema,
            )]
            #[serde(try_from = "i32")]
            #[schemars(with = "i32")]
            pub struct Rank(i32);

            impl TryFrom<i32> for Rank {
                type Error = &'static str;
                fn try_from(rank: i32) -> Result<Self, Self::Error> {
                    if rank > $most { Err("too high a rank") } else { Ok(Self(rank)) }
                }
            }

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "users")]
            pub struct User {
                #[key]
                pub id: u32,
                pub rank: Rank,
                #[index]
                pub age: i32,
            }

            #[derive(Store)]
            #[store(name = "app")]
            pub struct App {
                pub users: Table<User>,
            }
        }
    };
}
rule!(wide, 100);
rule!(tight, 5);

#[test]
fn indexes_can_be_built_again_after_a_rule_that_no_type_tells() {
    let (_folder, path) = place();
    {
        let app = wide::App::open(&path).unwrap();
        let row = |id: u32| wide::User {
            id,
            rank: i32::try_from(id).unwrap().try_into().unwrap(),
            age: 7,
        };
        app.users.insert_many((0..10).map(row)).unwrap();
        app.build_indexes().unwrap();
    }
    let app = tight::App::open(&path).unwrap();
    app.rebuild_indexes().unwrap();
    let grown = app.users.filter(tight::User::AGE.ge(7));
    assert!(grown.explain().starts_with("index (age)"), "{}", grown.explain());
    assert_eq!((grown.count().unwrap(), grown.all().unwrap().len()), (6, 6));
    drop((grown, app));
    assert_sound::<tight::App>(&path);
}

type Entries<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

#[test]
fn check_finds_an_index_that_differs_from_the_rows() {
    let (_folder, path) = place();
    fill(&path, 10);
    indexed::App::open(&path).unwrap().build_indexes().unwrap();
    assert_sound::<indexed::App>(&path);
    let damage = |part: &str, change: &dyn Fn(&mut Entries<'_>)| {
        let file = redb::Database::open(&path).unwrap();
        let read = file.begin_read().unwrap();
        let mut names = read.list_tables().unwrap().map(|table| table.name().to_owned());
        let name = names.find(|name| name.contains("/index/") && name.ends_with(part)).unwrap();
        let write = file.begin_write().unwrap();
        let table = redb::TableDefinition::<&[u8], &[u8]>::new(&name);
        change(&mut write.open_table(table).unwrap());
        write.commit().unwrap();
    };
    damage("/blocks", &|blocks| {
        blocks.insert([].as_slice(), 11_u64.to_le_bytes().as_slice()).unwrap();
    });
    // What a damaged block does not tell, its entries do.
    let app = indexed::App::open(&path).unwrap();
    assert_eq!(app.users.filter(indexed::User::NAME.ge("")).count().unwrap(), 10);
    drop(app);
    let report = indexed::App::check(&path).unwrap();
    let wrong = "table `users`: the index (name) counts other entries than it has";
    assert_eq!(report.problems(), [wrong]);
    damage("]", &|entries| {
        let first = entries.first().unwrap().unwrap().0.value().to_vec();
        entries.remove(first.as_slice()).unwrap();
    });
    let report = indexed::App::check(&path).unwrap();
    assert_eq!(report.problems(), ["table `users`: the index (name) lacks the row `0`"]);
    assert_eq!(indexed::User::TABLE, "users");
}

//! Fields of newer code inside lists, tuples, maps, sets and enums survive the writes of older
//! code, wherever these are made.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use heirloom::{Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::support::place;

/// One store as it was and as it is, with one field more in the struct that stands everywhere.
macro_rules! version {
    ($module:ident { $($more:ident: $type:ty)? }) => {
        pub mod $module {
            use super::*;

            #[derive(
                Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema,
            )]
            pub struct Item { pub name: String, $(pub $more: $type)? }

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
            pub struct Line { pub id: u32, pub text: String, $(pub $more: $type)? }

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
            #[serde(tag = "type")]
            pub enum Shape {
                Round { items: Vec<Item>, $($more: $type)? },
                Flat { items: Vec<Item>, $($more: $type)? },
            }

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "lists")]
            pub struct List {
                #[key]
                pub k: u8,
                pub n: u8,
                pub items: Vec<Item>,
                pub lines: Vec<Line>,
                pub pair: (Item, u8),
                pub named: BTreeMap<String, Vec<Item>>,
                pub moved: HashMap<String, Item>,
                pub shape: Shape,
                pub set: HashSet<Item>,
                pub tags: HashSet<String>,
            }

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
            #[kv(name = "desk")]
            pub struct Desk {
                #[evolve(default)]
                pub items: Vec<Item>,
                pub shape: Option<Shape>,
                #[evolve(default)]
                pub set: HashSet<Item>,
            }

            #[derive(Store)]
            #[store(name = "lists")]
            pub struct App {
                pub lists: Table<List>,
                pub desk: Kv<Desk>,
            }
        }
    };
}

version!(old {});
version!(new { color: Option<String> });

fn red(name: &str) -> new::Item {
    new::Item { name: name.into(), color: Some(format!("red {name}")) }
}

fn line(id: u32, text: &str) -> new::Line {
    new::Line { id, text: text.into(), color: Some(format!("red {id}")) }
}

fn plain(name: &str) -> new::Item {
    new::Item { name: name.into(), color: None }
}

fn added(name: &str) -> old::Item {
    old::Item { name: name.into() }
}

fn full() -> new::List {
    new::List {
        k: 1,
        n: 0,
        items: ["a", "b", "c"].map(red).into(),
        lines: vec![line(1, "one"), line(2, "two"), line(3, "three")],
        pair: (red("p"), 0),
        named: BTreeMap::from([("x".to_owned(), vec![red("a"), red("b")])]),
        moved: HashMap::from([("x".to_owned(), red("a")), ("y".to_owned(), red("b"))]),
        shape: new::Shape::Round { items: vec![red("a")], color: Some("red".into()) },
        set: ["a", "b", "c"].map(red).into(),
        tags: ["x", "y", "z", "w"].map(String::from).into(),
    }
}

type Edit = fn(&mut old::List);

/// All the ways in which old code can change a row.
const WAYS: [fn(&old::App, Edit); 5] = [
    |app, edit| drop(app.lists.update(&1, edit).unwrap()),
    |app, edit| {
        let mut row = app.lists.get(&1).unwrap().unwrap();
        edit(&mut row);
        app.lists.put(&row).unwrap();
    },
    |app, edit| {
        app.transaction(|tx| {
            // The first change is in the transaction only.
            tx.update::<old::List>(&1, |row| row.n += 1)?;
            tx.update::<old::List>(&1, edit).map(drop)
        })
        .unwrap();
    },
    |app, edit| {
        app.transaction(|tx| {
            let mut row = tx.get::<old::List>(&1)?.unwrap();
            edit(&mut row);
            tx.put(&row)
        })
        .unwrap();
    },
    |app, edit| {
        app.lists.filter(old::List::K.eq(1)).update_all(edit).unwrap();
    },
];

#[track_caller]
fn check(edit: Edit, expected: impl Fn(&mut new::List)) {
    for way in WAYS {
        let (_folder, path) = place();
        new::App::open(&path).unwrap().lists.insert(&full()).unwrap();
        way(&old::App::open(&path).unwrap(), edit);
        let mut wanted = full();
        expected(&mut wanted);
        let mut row = new::App::open(&path).unwrap().lists.get(&1).unwrap().unwrap();
        row.n = 0;
        assert_eq!(row, wanted);
    }
}

#[test]
fn a_list_keeps_what_each_element_holds() {
    check(|row| row.items.push(added("d")), |row| row.items.push(plain("d")));
    check(|row| row.items.insert(0, added("d")), |row| row.items.insert(0, plain("d")));
    check(|row| drop(row.items.remove(1)), |row| drop(row.items.remove(1)));
    check(|row| row.items.swap(0, 2), |row| row.items.swap(0, 2));
    check(|row| row.items[1].name.push('!'), |row| row.items[1].name.push('!'));
    check(|row| row.items.clear(), |row| row.items.clear());
}

#[test]
fn an_element_with_an_id_keeps_what_it_holds_wherever_it_goes() {
    check(
        |row| {
            row.lines.swap(0, 2);
            row.lines[0].text = "III".into();
            row.lines[1].text = "II".into();
            row.lines.push(old::Line { id: 4, text: "four".into() });
        },
        |row| {
            row.lines.swap(0, 2);
            row.lines[0].text = "III".into();
            row.lines[1].text = "II".into();
            row.lines.push(new::Line { id: 4, text: "four".into(), color: None });
        },
    );
    check(|row| row.lines[1].id = 9, |row| (row.lines[1].id, row.lines[1].color) = (9, None));
}

#[test]
fn tuples_maps_and_sets_keep_what_they_hold() {
    check(|row| row.pair.1 = 1, |row| row.pair.1 = 1);
    check(|row| row.pair.0.name.push('!'), |row| row.pair.0.name.push('!'));
    check(
        |row| row.named.get_mut("x").unwrap().push(added("c")),
        |row| row.named.get_mut("x").unwrap().push(plain("c")),
    );
    check(
        |row| {
            let moved = row.moved.remove("x").unwrap();
            row.moved.insert("z".into(), moved);
        },
        |row| {
            let moved = row.moved.remove("x").unwrap();
            row.moved.insert("z".into(), moved);
        },
    );
    check(|row| row.set.extend([added("d")]), |row| row.set.extend([plain("d")]));
    check(
        |row| row.set.retain(|item| item.name != "b"),
        |row| row.set.retain(|item| item.name != "b"),
    );
    check(|row| row.tags.extend(["v".into()]), |row| row.tags.extend(["v".into()]));
}

#[test]
fn a_variant_keeps_what_it_holds_and_the_next_one_does_not_inherit_it() {
    check(
        |row| {
            let (old::Shape::Round { items } | old::Shape::Flat { items }) = &mut row.shape;
            items.push(added("b"));
        },
        |row| {
            let (new::Shape::Round { items, .. } | new::Shape::Flat { items, .. }) = &mut row.shape;
            items.push(plain("b"));
        },
    );
    check(
        |row| row.shape = old::Shape::Flat { items: vec![added("a")] },
        |row| row.shape = new::Shape::Flat { items: vec![plain("a")], color: None },
    );
}

#[test]
fn an_entry_keeps_what_it_holds() {
    let (_folder, path) = place();
    {
        let app = new::App::open(&path).unwrap();
        app.desk.items.set(&["a", "b"].map(red)).unwrap();
        app.desk.set.set(&std::collections::HashSet::from(["a", "b"].map(red))).unwrap();
        app.desk.shape.set(&Some(full().shape)).unwrap();
    }
    {
        let app = old::App::open(&path).unwrap();
        app.desk.items.set(&vec![added("c"), added("a"), added("b")]).unwrap();
        app.transaction(|tx| {
            let mut set = tx.entry(&app.desk.set)?;
            set.insert(added("c"));
            tx.set(&app.desk.set, &set)?;
            tx.set(&app.desk.shape, &Some(old::Shape::Flat { items: Vec::new() }))
        })
        .unwrap();
    }
    let desk = new::App::open(&path).unwrap().desk.get().unwrap();
    assert_eq!(desk.items, [plain("c"), red("a"), red("b")]);
    assert_eq!(desk.set, HashSet::from([red("a"), red("b"), plain("c")]));
    assert_eq!(desk.shape, Some(new::Shape::Flat { items: Vec::new(), color: None }));
}

#[test]
fn equal_sets_and_maps_are_written_once() {
    let app = new::App::in_memory().unwrap();
    app.lists.insert(&full()).unwrap();
    app.desk.set.set(&full().set).unwrap();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    let _rows = app.lists.observe(move |changes| {
        count.fetch_add(changes.iter().count(), Ordering::SeqCst);
    });
    let summary = app.summary().unwrap();
    for _ in 0..20 {
        app.lists.put(&full()).unwrap();
        app.lists.update(&1, |row| *row = full()).unwrap();
        app.desk.set.set(&full().set).unwrap();
        app.transaction(|tx| tx.put(&full())).unwrap();
    }
    assert_eq!((seen.load(Ordering::SeqCst), app.summary().unwrap()), (0, summary));
}

#[test]
fn equal_rows_are_stored_as_equal_text() {
    let text = || heirloom::__private::encode_row(&full()).unwrap();
    let first = text();
    assert!((0..20).all(|_| text() == first));
}

/// A field in a list was renamed under an alias, which no schema tells.
mod aliases {
    use super::*;

    macro_rules! version {
        ($module:ident, $($field:tt)*) => {
            pub mod $module {
                use super::*;

                #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
                pub struct Win { $($field)* }

                #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
                #[table(name = "wins")]
                pub struct Row { #[key] pub k: u8, pub wins: Vec<Win> }

                #[derive(Serialize, Deserialize, JsonSchema, Kv)]
                #[kv(name = "ui")]
                pub struct Ui { #[evolve(default)] pub win: Win, #[evolve(default)] pub wins: Vec<Win> }

                #[derive(Store)]
                #[store(name = "wins")]
                pub struct App { pub rows: Table<Row>, pub ui: Kv<Ui> }
            }
        };
    }
    version!(first, #[serde(default)] pub x: u8, #[serde(default)] pub later: Option<u8>,);
    version!(second, #[serde(default, alias = "x")] pub left: u8,);
    version!(third, #[serde(default, alias = "x")] pub left: u8, #[serde(default)] pub later: Option<u8>,);

    #[test]
    fn what_is_written_under_the_new_name_reads_and_keeps_the_rest() {
        let (_folder, path) = place();
        {
            let app = first::App::open(&path).unwrap();
            let win = first::Win { x: 5, later: Some(7) };
            app.ui.win.set(&win).unwrap();
            app.ui.wins.set(&vec![win.clone()]).unwrap();
            app.rows.insert(&first::Row { k: 1, wins: vec![win] }).unwrap();
        }
        {
            let app = second::App::open(&path).unwrap();
            app.ui.win.set(&second::Win { left: 9 }).unwrap();
            app.ui.wins.set(&vec![second::Win { left: 9 }]).unwrap();
            app.rows.update(&1, |row| row.wins[0].left = 9).unwrap();
            let ui = app.ui.get().unwrap();
            assert_eq!((ui.win.left, ui.wins[0].left), (9, 9));
            assert_eq!(app.rows.get(&1).unwrap().unwrap().wins[0].left, 9);
        }
        let app = third::App::open(&path).unwrap();
        let win = third::Win { left: 9, later: Some(7) };
        let ui = app.ui.get().unwrap();
        assert_eq!((ui.win, ui.wins), (win.clone(), vec![win.clone()]));
        assert_eq!(app.rows.get(&1).unwrap().unwrap().wins, [win]);
    }
}

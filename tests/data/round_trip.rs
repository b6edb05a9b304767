//! A value reads back as it was given, or is refused and changes nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use heirloom::{Error, ErrorKind, Kv, Open, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::support::{place, refused};

/// A type in a row and in an entry, with values that can be stored and values that cannot.
macro_rules! case {
    ($module:ident: $type:ty, $fine:expr, $refused:expr) => {
        mod $module {
            use super::*;

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "rows")]
            struct Row {
                #[key]
                k: u8,
                n: u8,
                v: $type,
            }

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
            struct Inside {
                v: $type,
            }

            #[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
            #[kv(name = "group")]
            struct Group {
                inside: Option<Inside>,
            }

            #[derive(Store)]
            #[store(name = "app")]
            struct App {
                rows: Table<Row>,
                group: Kv<Group>,
            }

            fn row(k: u8, v: $type) -> Row {
                Row { k, n: 0, v }
            }

            #[test]
            fn what_can_be_stored_comes_back() {
                for v in $fine {
                    let app = App::in_memory().unwrap();
                    app.rows.insert(&row(1, v.clone())).unwrap();
                    app.rows.put(&row(2, v.clone())).unwrap();
                    app.rows.put(&row(2, v.clone())).unwrap();
                    app.rows.update(&1, |row| row.n = 1).unwrap();
                    app.group.inside.set(&Some(Inside { v: v.clone() })).unwrap();
                    assert_eq!(app.rows.get(&1).unwrap(), Some(Row { n: 1, ..row(1, v.clone()) }));
                    assert_eq!(app.rows.get(&2).unwrap(), Some(row(2, v.clone())));
                    assert_eq!(app.group.get().unwrap().inside, Some(Inside { v }));
                }
            }

            #[test]
            fn what_cannot_be_stored_is_refused_and_changes_nothing() {
                let fine = || $fine.into_iter().next().unwrap();
                let app = App::in_memory().unwrap();
                app.rows.insert(&row(1, fine())).unwrap();
                app.group.inside.set(&Some(Inside { v: fine() })).unwrap();
                let summary = app.summary().unwrap();
                let bad: Vec<$type> = $refused.into_iter().collect();
                for v in bad {
                    let bad = |k| row(k, v.clone());
                    let inside = Some(Inside { v: v.clone() });
                    let rows = [
                        app.rows.insert(&bad(2)),
                        app.rows.put(&bad(2)),
                        app.rows.put(&bad(1)),
                        app.rows.update(&1, |row| row.v = v.clone()).map(drop),
                        app.rows.insert_many([row(2, fine()), bad(3)]).map(drop),
                        app.rows.filter(Row::K.eq(1)).update_all(|row| row.v = v.clone()).map(drop),
                        app.transaction(|tx| {
                            tx.insert(&row(2, fine()))?;
                            tx.insert(&bad(3))
                        }),
                        app.transaction(|tx| tx.put(&bad(1))),
                        App::builder()
                            .on_create(move |tx| tx.insert(&row(1, v.clone())))
                            .in_memory()
                            .map(drop),
                    ];
                    for outcome in rows {
                        let error = refused(outcome);
                        assert_eq!(
                            (error.kind(), error.table()),
                            (ErrorKind::InvalidValue, Some("rows"))
                        );
                        assert!(error.key().is_some(), "{error}");
                        assert!(
                            error.field().is_some_and(|field| field.starts_with('v')),
                            "{error}"
                        );
                        assert!(error.found().is_some(), "{error}");
                        assert_ne!(error.expected(), error.found(), "{error}");
                    }
                    let entries = [
                        app.group.inside.set(&inside),
                        app.transaction(|tx| tx.set(&app.group.inside, &inside)),
                    ];
                    for outcome in entries {
                        let error = refused(outcome);
                        assert_eq!(
                            (error.kind(), error.group()),
                            (ErrorKind::InvalidValue, Some("group"))
                        );
                        assert_eq!(error.field(), Some("inside"), "{error}");
                    }
                }
                assert_eq!(app.rows.get(&1).unwrap(), Some(row(1, fine())));
                assert_eq!((app.rows.len().unwrap(), app.summary().unwrap()), (1, summary));
                assert_eq!(app.group.get().unwrap().inside, Some(Inside { v: fine() }));
            }
        }
    };
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
enum Pay {
    Cash { cents: u64 },
    Coin { wei: u128 },
    Shares { of: BTreeMap<u32, u8> },
}

case!(
    tagged: Pay,
    [Pay::Cash { cents: u64::MAX }, Pay::Shares { of: BTreeMap::new() }],
    [Pay::Coin { wei: 1 }, Pay::Coin { wei: u128::MAX }, Pay::Shares { of: BTreeMap::from([(1, 1)]) }]
);

case!(large: u128, [0, u128::MAX], []);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Coin {
    Wei(u128),
    Debt { wei: i128 },
}

fn coin(coin: Coin) -> BTreeMap<String, Open<Coin>> {
    BTreeMap::from([("a".to_owned(), coin.into())])
}

case!(
    large_in_open: BTreeMap<String, Open<Coin>>,
    [
        coin(Coin::Wei(u64::MAX.into())),
        coin(Coin::Debt { wei: i64::MIN.into() }),
        coin(Coin::Debt { wei: u64::MAX.into() }),
    ],
    [coin(Coin::Wei(u128::from(u64::MAX) + 1)), coin(Coin::Debt { wei: i128::MIN })]
);

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
struct Deep {
    below: Option<Box<Deep>>,
}

fn deep(levels: usize) -> Deep {
    (0..levels).fold(Deep::default(), |deep, _| Deep { below: Some(Box::new(deep)) })
}

case!(nested: Deep, [deep(0), deep(100)], [deep(127), deep(500)]);
case!(
    nested_beside_a_set: (HashSet<u8>, Deep),
    [(HashSet::from([1, 2]), deep(100))],
    [(HashSet::from([1, 2]), deep(127))]
);
case!(json_in_option: Option<Value>, [None, Some(json!([null]))], [Some(Value::Null)]);
case!(unit_in_option: Option<()>, [None], [Some(())]);
case!(
    options_in_list: Vec<Option<Option<u8>>>,
    [vec![], vec![None, Some(Some(1))]],
    [vec![Some(None)], vec![None, Some(None)]]
);
case!(
    options_in_map: HashMap<String, Option<Option<u8>>>,
    [HashMap::from([("a".to_owned(), None), ("b".to_owned(), Some(Some(1)))])],
    [HashMap::from([("a".to_owned(), Some(None))])]
);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Number {
    Small(u8),
    Large(u64),
    Text { text: Option<String> },
    Other { other: Option<String> },
}

case!(
    untagged: Number,
    [Number::Small(5), Number::Large(300), Number::Text { text: None }],
    [Number::Large(5), Number::Other { other: None }, Number::Other { other: Some("a".into()) }]
);
case!(
    untagged_in_list: Vec<(u8, Number)>,
    [vec![(1, Number::Small(5))]],
    [vec![(1, Number::Small(5)), (2, Number::Large(5))]]
);

/// A value that its own `Serialize` and `Deserialize` do not agree on.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
struct Drifting(u8);

impl Serialize for Drifting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0 / 2 * 2 + u8::from(self.0 > 9))
    }
}

impl<'de> Deserialize<'de> for Drifting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer).map(|read| Self(read * 2))
    }
}

case!(drifting: Drifting, [Drifting(0)], [Drifting(2), Drifting(10)]);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u16")]
struct Year(u16);

impl TryFrom<u16> for Year {
    type Error = &'static str;

    fn try_from(year: u16) -> Result<Self, Self::Error> {
        if year < 1888 { Err("there was no film yet") } else { Ok(Self(year)) }
    }
}

case!(fussy: HashSet<String>, [HashSet::from(["b".to_owned(), "a".to_owned()])], []);
case!(try_from: Vec<Option<Year>>, [vec![None]], [vec![Some(Year(5))]]);

/// The names that serde_json gives a meaning to.
#[test]
fn names_that_mean_something_to_serde_json_are_names_like_others() {
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "values")]
    struct Row {
        #[key]
        k: u8,
        v: Value,
        map: BTreeMap<String, Value>,
    }
    #[derive(Store)]
    #[store(name = "values")]
    struct App {
        rows: Table<Row>,
    }
    let app = App::in_memory().unwrap();
    for name in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
        for content in [json!("[1]"), json!("1"), json!("x"), json!(null), json!({"a": "1"})] {
            let v = json!({ name: content });
            let row = Row { k: 1, v: json!([v]), map: BTreeMap::from([(name.to_owned(), v)]) };
            // Another crate of the build may give them that meaning: then they are refused.
            match app.rows.put(&row) {
                Ok(()) => assert_eq!(app.rows.get(&1).unwrap(), Some(row)),
                Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidValue),
            }
        }
    }
}

mod migrating {
    use super::*;

    /// Epoch 0, with or without the newest field.
    macro_rules! epoch {
        ($module:ident { $($newest:ident: $type:ty)? }) => {
            mod $module {
                use super::*;

                #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
                pub struct Item {
                    pub name: String,
                    $(pub $newest: $type,)?
                }

                #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
                #[table(name = "rows")]
                pub struct Row {
                    #[key]
                    pub k: u8,
                    pub n: u8,
                    pub items: Vec<Item>,
                    pub tags: HashSet<String>,
                }

                #[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
                #[kv(name = "desk")]
                pub struct Desk {
                    #[evolve(default)]
                    pub items: Vec<Item>,
                }

                #[derive(Store)]
                #[store(name = "moving")]
                pub struct App {
                    pub rows: Table<Row>,
                    pub desk: Kv<Desk>,
                }
            }
        };
    }

    epoch!(before { color: Option<String> });
    // The row as the code that migrates knows it.
    epoch!(known {});

    mod after {
        use super::*;

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "rows", previous = known::Row)]
        pub struct Row {
            #[key]
            pub k: u8,
            #[evolve(with = |n| if n == 7 { Pay::Coin { wei: 7 } } else { Pay::Cash { cents: n.into() } })]
            pub pay: Pay,
            pub items: Vec<known::Item>,
            pub tags: HashSet<String>,
        }

        #[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
        #[kv(name = "desk", previous = known::Desk)]
        pub struct Desk {
            #[evolve(default)]
            pub items: Vec<known::Item>,
        }

        #[derive(Store)]
        #[store(name = "moving", epoch = 1, previous = known::App, migrate = grow)]
        pub struct App {
            pub rows: Table<Row>,
            pub desk: Kv<Desk>,
        }

        fn grow(m: &mut heirloom::migration::Migration<known::App, App>) -> heirloom::Result<()> {
            let keys: Vec<u8> =
                m.iter::<Row>()?.map(|row| row.map(|row| row.k)).collect::<Result<_, _>>()?;
            for key in keys {
                m.update::<Row>(&key, |row| row.items.push(known::Item { name: "grown".into() }))?;
            }
            m.update_group::<Desk>(|desk| desk.items.push(known::Item { name: "grown".into() }))?;
            Ok(())
        }
    }

    /// The same epoch, by code that knows the field.
    mod later {
        use super::*;

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "rows", previous = before::Row, removes(n))]
        pub struct Row {
            #[key]
            pub k: u8,
            #[evolve(default = Pay::Cash { cents: 0 })]
            pub pay: Pay,
            pub items: Vec<before::Item>,
            pub tags: HashSet<String>,
        }

        #[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
        #[kv(name = "desk", previous = before::Desk)]
        pub struct Desk {
            #[evolve(default)]
            pub items: Vec<before::Item>,
        }

        #[derive(Store)]
        #[store(name = "moving", epoch = 1, previous = before::App)]
        pub struct App {
            pub rows: Table<Row>,
            pub desk: Kv<Desk>,
        }
    }

    fn items() -> Vec<before::Item> {
        vec![before::Item { name: "a".into(), color: Some("red".into()) }]
    }

    #[test]
    fn a_migration_keeps_what_lists_hold_and_stores_nothing_that_cannot_be_read() {
        let (_folder, path) = place();
        {
            let app = before::App::open(&path).unwrap();
            for n in [1, 7] {
                let tags = ["x", "y", "z"].map(String::from).into();
                app.rows.insert(&before::Row { k: n, n, items: items(), tags }).unwrap();
            }
            app.desk.items.set(&items()).unwrap();
        }
        assert_eq!(known::App::open(&path).unwrap().desk.items.get().unwrap().len(), 1);
        {
            let app = after::App::open(&path).unwrap();
            assert_eq!((app.rows.len().unwrap(), app.desk.items.get().unwrap().len()), (1, 2));
            assert!(app.rows.invalid().unwrap().is_empty());
            let kept = app.quarantine().unwrap();
            assert_eq!(kept.len(), 1);
            assert!(kept[0].reason().contains("cannot be read back"), "{}", kept[0].reason());
        }
        let app = later::App::open(&path).unwrap();
        let mut expected = items();
        expected.push(before::Item { name: "grown".into(), color: None });
        assert_eq!(app.rows.get(&1).unwrap().unwrap().items, expected);
        assert_eq!(app.desk.items.get().unwrap(), expected);
    }
}

mod filling {
    use super::*;

    mod before {
        use super::*;

        #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "rows")]
        pub struct Row {
            #[key]
            pub k: u8,
        }

        #[derive(Store)]
        #[store(name = "filling")]
        pub struct App {
            pub rows: Table<Row>,
        }
    }

    fn tags() -> HashSet<String> {
        ["x", "y", "z", "w"].map(String::from).into()
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "rows")]
    struct Row {
        #[key]
        k: u8,
        #[evolve(default = |k| tags().into_iter().filter(|_| k > 0).collect())]
        tags: HashSet<String>,
    }

    #[derive(Store)]
    #[store(name = "filling")]
    struct App {
        rows: Table<Row>,
    }

    #[test]
    fn a_default_that_is_a_set_is_the_same_each_time() -> Result<(), Error> {
        let (_folder, path) = place();
        before::App::open(&path)?.rows.insert(&before::Row { k: 1 })?;
        let app = App::open(&path)?;
        let expected = Row { k: 1, tags: tags() };
        assert_eq!(app.rows.get(&1)?.as_ref(), Some(&expected));
        assert_eq!((app.backfill_defaults()?, app.backfill_defaults()?), (1, 0));
        assert_eq!(app.rows.get(&1)?, Some(expected));
        Ok(())
    }
}

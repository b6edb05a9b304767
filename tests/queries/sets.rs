//! Sets have one stored form and one place in an index, wherever they stand and whatever is around them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use heirloom::query::SortKey;
use heirloom::{Column, Comparable, ErrorKind, Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::support::{loose::Loose, stored};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Tags(HashSet<String>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Newtype(HashSet<u8>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Twice {
    inner: Box<Tags>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Around<T>(T);

impl<T: Comparable> Comparable for Around<T> {
    fn sort_key(&self, key: &mut SortKey<'_>) {
        key.push(&self.0);
    }
}

/// Written as what it shares, as an `Arc` is with serde's feature `rc`.
#[derive(Debug, Clone, PartialEq)]
struct Shared<T>(Arc<T>);

impl<T: Serialize> Serialize for Shared<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::serialize(&self.0, serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Shared<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Arc::new(value)))
    }
}

impl<T: JsonSchema> JsonSchema for Shared<T> {
    fn inline_schema() -> bool {
        Arc::<T>::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        Arc::<T>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Arc::<T>::json_schema(generator)
    }
}

impl<T: Comparable> Comparable for Shared<T> {
    fn sort_key(&self, key: &mut SortKey<'_>) {
        key.push(&self.0);
    }
}

/// Written as a set, and none in Rust.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "HashSet<String>", into = "HashSet<String>")]
#[schemars(with = "HashSet<String>")]
struct Converted(HashSet<String>);

impl From<HashSet<String>> for Converted {
    fn from(set: HashSet<String>) -> Self {
        Self(set)
    }
}

impl From<Converted> for HashSet<String> {
    fn from(set: Converted) -> Self {
        set.0
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Outside {
    Tags(Tags),
    Pair(Tags, Newtype),
    Named { tags: Option<Tags>, more: Vec<Tags> },
}

#[derive(Debug, Clone, PartialEq, Comparable, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
enum Inside {
    Named { tags: Tags },
    More { tags: Vec<Tags> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "of")]
enum Beside {
    Tags(Tags),
    List(Vec<Tags>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Either {
    Tags { tags: Tags },
    List { list: Vec<Tags> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Node {
    tags: Tags,
    below: Vec<Node>,
}

#[derive(Debug, Clone, PartialEq, Comparable, Serialize, Deserialize, JsonSchema)]
struct Flat {
    name: String,
    #[serde(flatten)]
    more: HashMap<String, Newtype>,
}

/// The same type in a row with an index and in one without, which is scanned.
macro_rules! place {
    ($module:ident: $type:ty) => {
        mod $module {
            use super::*;

            #[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "rows")]
            struct Row {
                #[key]
                k: u8,
                #[index(unique)]
                v: Around<$type>,
                plain: $type,
            }

            #[derive(Store)]
            #[store(name = "sets")]
            struct App {
                rows: Table<Row>,
            }

            #[derive(Store)]
            #[store(name = "sets")]
            struct Raw {
                rows: Table<Loose<Row>>,
            }

            /// `make` gives equal values, whose sets are in another order each time.
            pub fn check(make: impl Fn() -> $type) {
                let app = App::in_memory().unwrap();
                let row = |k| Row { k, v: Around(make()), plain: make() };
                app.rows.insert(&row(1)).unwrap();
                let changes = Arc::new(AtomicUsize::new(0));
                let counted = changes.clone();
                let _told = app.rows.observe(move |told| {
                    counted.fetch_add(told.len(), Ordering::SeqCst);
                });
                for _ in 0..4 {
                    app.rows.put(&row(1)).unwrap();
                    app.rows.update(&1, |row| row.v.0 = make()).unwrap();
                    let error = app.rows.insert(&row(2)).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::NotUnique);
                    found(&app, Row::V, Row::PLAIN, &make, &[1]);
                }
                assert_eq!(changes.load(Ordering::SeqCst), 0);

                let (other, raw) =
                    (App::in_memory().unwrap(), [Raw::in_memory(), Raw::in_memory()]);
                other.rows.insert(&row(1)).unwrap();
                let raw = raw.map(Result::unwrap);
                crate::support::give_rows(&app, &raw[0]);
                crate::support::give_rows(&other, &raw[1]);
                assert_eq!(stored(&raw[0].rows), stored(&raw[1].rows));

                assert!(app.rows.remove(&1).unwrap());
                found(&app, Row::V, Row::PLAIN, &make, &[]);
                app.rows.insert(&row(2)).unwrap();
                found(&app, Row::V, Row::PLAIN, &make, &[2]);
            }

            fn found<C, D>(
                app: &App,
                indexed: Column<Row, Around<$type>, C>,
                scanned: Column<Row, $type, D>,
                make: &impl Fn() -> $type,
                keys: &[u8],
            ) {
                app.build_indexes().unwrap();
                let asked = app.rows.filter(indexed.eq(Around(make())));
                assert_eq!(asked.keys().unwrap(), keys, "{}", asked.explain());
                assert_eq!(app.rows.filter(scanned.eq(make())).keys().unwrap(), keys);
            }
        }
    };
}

place!(plain: HashSet<String>);
place!(transparent: Tags);
place!(newtype: Newtype);
place!(twice: Twice);
place!(optional: Option<Tags>);
place!(boxed: Box<Option<Around<HashSet<String>>>>);
place!(borrowed: Cow<'static, Around<HashSet<String>>>);
place!(converted: Converted);
place!(shared: Vec<Option<Shared<HashSet<String>>>>);
place!(listed: Vec<Vec<Tags>>);
place!(mapped: Vec<BTreeMap<String, Option<Tags>>>);
place!(hashed: HashMap<u8, HashMap<String, Twice>>);
place!(tuple: Vec<(Tags, Vec<(u8, Tags)>)>);
place!(of_sets: HashSet<BTreeSet<Option<String>>>);
place!(outside: Vec<Outside>);
place!(inside: Vec<Inside>);
place!(beside: Option<Beside>);
place!(either: Vec<Either>);
place!(node: Node);
place!(flat: Vec<Flat>);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_set_has_one_form_at_every_depth(
        words in prop::collection::vec("[a-c]{1,2}|ä|\"", 0..12),
        bytes in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        let set = || words.iter().cloned().collect::<HashSet<String>>();
        let tags = || Tags(set());
        let twice = || Twice { inner: Box::new(tags()) };
        let numbers = || Newtype(bytes.iter().copied().collect());
        let named = || Outside::Named { tags: Some(tags()), more: vec![tags(), tags()] };
        plain::check(set);
        transparent::check(tags);
        newtype::check(numbers);
        self::twice::check(twice);
        optional::check(|| Some(tags()));
        boxed::check(|| Box::new(Some(Around(set()))));
        borrowed::check(|| Cow::Owned(Around(set())));
        converted::check(|| Converted(set()));
        shared::check(|| vec![Some(Shared(Arc::new(set()))), None]);
        listed::check(|| vec![vec![], vec![tags(), tags()]]);
        mapped::check(|| vec![BTreeMap::from([("a".into(), Some(tags())), ("b".into(), None)])]);
        hashed::check(|| {
            bytes.iter().map(|key| {
                (*key, words.iter().map(|word| (word.clone(), twice())).collect())
            }).collect()
        });
        tuple::check(|| vec![(tags(), vec![(1, tags()), (2, Tags(HashSet::new()))])]);
        of_sets::check(|| {
            words.iter().map(|word| [Some(word.clone()), None].into()).collect()
        });
        outside::check(|| vec![Outside::Tags(tags()), Outside::Pair(tags(), numbers()), named()]);
        inside::check(|| vec![Inside::Named { tags: tags() }, Inside::More { tags: vec![tags()] }]);
        beside::check(|| Some(Beside::Tags(tags())));
        beside::check(|| Some(Beside::List(vec![tags()])));
        either::check(|| vec![Either::List { list: vec![tags()] }, Either::Tags { tags: tags() }]);
        node::check(|| {
            let leaf = || Node { tags: tags(), below: Vec::new() };
            Node { tags: tags(), below: vec![leaf(), Node { below: vec![leaf()], ..leaf() }] }
        });
        flat::check(|| {
            let more = words.iter().map(|word| (format!("_{word}"), numbers())).collect();
            vec![Flat { name: "a".into(), more }]
        });
    }
}

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde::Serialize;

use super::sort_key::encode;
use super::{Comparable, encode_shape, text_of, text_prefix};

fn bytes<T: Comparable + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(value, &mut bytes).unwrap();
    bytes
}

fn shape<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_shape(value, &mut bytes).unwrap();
    bytes
}

/// Two values compare as their bytes do, and neither encoding is the start of another.
#[track_caller]
pub(super) fn agree<T: Comparable + PartialOrd + Debug>(a: &T, b: &T) {
    ordered(a, b, &bytes(a), &bytes(b));
    equal(a, b);
}

#[track_caller]
pub(super) fn equal<T: Comparable + PartialEq + Debug>(a: &T, b: &T) {
    let (left, right) = (bytes(a), bytes(b));
    assert_eq!(a == b, left == right, "{a:?} and {b:?}");
    assert_eq!(left.starts_with(&right) || right.starts_with(&left), a == b, "{a:?} and {b:?}");
}

#[track_caller]
fn ordered<T: PartialOrd + Debug>(a: &T, b: &T, left: &[u8], right: &[u8]) {
    assert_eq!(a.partial_cmp(b), Some(left.cmp(right)), "{a:?} and {b:?}");
    let starts = left.starts_with(right) || right.starts_with(left);
    assert_eq!(starts, a.partial_cmp(b) == Some(Ordering::Equal), "{a:?} and {b:?}");
}

type Mixed = (Option<String>, i64, Vec<Option<u8>>, bool, Option<Option<f64>>);

fn mixed() -> impl Strategy<Value = Mixed> {
    let text = prop_oneof![any::<String>(), "[\u{0}a\u{1}\u{10ffff}]{0,3}"];
    let numbers = prop_oneof![any::<i64>(), -300..300i64];
    let float = prop_oneof![any::<f64>(), Just(0.0), Just(-0.0), Just(f64::INFINITY)];
    let float = float.prop_filter("a NaN has no order", |float| !float.is_nan());
    let list = prop::collection::vec(prop::option::of(0..3u8), 0..3);
    let float = prop::option::of(prop::option::of(float));
    (prop::option::of(text), numbers, list, any::<bool>(), float)
}

#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
enum Zoo {
    Yak,
    Ape(u8),
    Newt(Option<i8>, u8),
    Bee { wings: Vec<u8>, legs: i8 },
    Ant {},
}

fn zoo() -> impl Strategy<Value = Zoo> {
    prop_oneof![
        Just(Zoo::Yak),
        (0..3u8).prop_map(Zoo::Ape),
        (prop::option::of(-1..2i8), 0..2u8).prop_map(|(a, b)| Zoo::Newt(a, b)),
        (prop::collection::vec(0..2u8, 0..3), -1..2i8)
            .prop_map(|(wings, legs)| Zoo::Bee { wings, legs }),
        Just(Zoo::Ant {}),
    ]
}

#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize)]
struct Nested {
    zoo: Zoo,
    number: Number,
    empty: Empty,
    pair: (Zoo, i8),
    list: Vec<Zoo>,
}

#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize)]
struct Number(i32);

#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize)]
struct Empty {}

fn path() -> impl Strategy<Value = PathBuf> {
    "/{0,1}([ab.-]{1,2}/{1,2}){0,3}[ab.-]{0,2}".prop_map(PathBuf::from)
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        (-2..3i64).prop_map(Into::into),
        prop_oneof![Just(0.0), Just(-0.0), Just(1.0), Just(2.0)]
            .prop_map(|float: f64| float.into()),
        "[a1]{0,2}".prop_map(Into::into),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            prop::collection::btree_map("[ab]", inner, 0..3)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

fn time() -> impl Strategy<Value = SystemTime> {
    (any::<bool>(), 0..3u64, 0..3u32).prop_map(|(is_after, seconds, nanos)| {
        let away = Duration::new(seconds, nanos);
        let epoch = SystemTime::UNIX_EPOCH;
        if is_after { epoch + away } else { epoch - away }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn bytes_sort_as_values_do(a in mixed(), b in mixed()) {
        agree(&a, &b);
        agree(&a.0, &b.0);
        agree(&a.1, &b.1);
        agree(&a.2, &b.2);
        agree(&a.3, &b.3);
        agree(&a.4, &b.4);
        agree(&Reverse(a.2.clone()), &Reverse(b.2.clone()));
        agree(&(Reverse(a.0.clone()), a.1), &(Reverse(b.0.clone()), b.1));
    }

    #[test]
    fn integers_of_all_widths_sort(a in any::<i128>(), b in any::<i128>(), c in any::<u64>()) {
        agree(&a, &b);
        agree(&(a >> 64), &(b >> 100));
        agree(&c, &(c >> 13));
        agree(&(c as u8), &(a as u8));
        agree(&(c as i16), &(a as i16));
        agree(&(c as f32), &(a as f32));
        agree(&(c as usize), &(a as usize));
        agree(&std::num::NonZero::new(c as u8 | 1), &std::num::NonZero::new(a as u8 & 3));
        agree(&std::num::Wrapping(a as i8), &std::num::Wrapping(b as i8));
    }

    #[test]
    fn texts_sort_and_come_back(a in any::<String>(), b in "[\u{0}\u{1}ab\u{ff}]{0,4}") {
        agree(&a, &b);
        agree(&a.chars().next(), &b.chars().next());
        let both = format!("{b}{a}");
        prop_assert!(bytes(&both).starts_with(&text_prefix(&b)));
        prop_assert_eq!(bytes(&a).starts_with(&text_prefix(&b)), a.starts_with(&b));
        prop_assert_eq!(text_of(&bytes(&both)), Some(both));
    }

    #[test]
    fn ids_and_uuids_sort(a in any::<[u8; 16]>(), b in any::<[u8; 16]>()) {
        agree(&uuid::Uuid::from_bytes(a), &uuid::Uuid::from_bytes(b));
        agree(&a, &b);
    }

    #[test]
    fn collections_compare_as_they_are(
        a in prop::collection::vec((0..3u8, -1..2i8), 0..4),
        b in prop::collection::vec((0..3u8, -1..2i8), 0..4),
    ) {
        agree(&VecDeque::from(a.clone()), &VecDeque::from(b.clone()));
        agree(&a.iter().collect::<BTreeSet<_>>(), &b.iter().collect::<BTreeSet<_>>());
        let maps = [&a, &b].map(|pairs| pairs.iter().copied().collect::<BTreeMap<_, _>>());
        agree(&maps[0], &maps[1]);
        let maps = maps.map(|map| map.into_iter().collect::<HashMap<_, _>>());
        equal(&maps[0], &maps[1]);
        equal(&a.iter().collect::<HashSet<_>>(), &b.iter().collect::<HashSet<_>>());
        equal(&(0..a.len()), &(0..b.len()));
        equal(&(0..=a.len()), &(0..=b.len()));
    }

    #[test]
    fn addresses_sort(a in any::<[IpAddr; 2]>(), b in any::<(SocketAddr, SocketAddr)>()) {
        agree(&a[0], &a[1]);
        agree(&b.0, &b.1);
    }

    #[test]
    fn times_sort(a in (0..3u64, 0..3u32), b in (0..3u64, 0..3u32), c in time(), d in time()) {
        agree(&Duration::new(a.0, a.1), &Duration::new(b.0, b.1));
        agree(&c, &d);
    }

    #[test]
    fn paths_sort_by_component(a in path(), b in path()) {
        agree(&a, &b);
    }

    #[test]
    fn json_is_equal_as_it_is(a in json(), b in json()) {
        equal(&a, &b);
    }

    #[test]
    fn what_serde_sees_sorts_by_declaration(a in zoo(), b in zoo(), c in zoo(), n in -300..300i32) {
        ordered(&a, &b, &shape(&a), &shape(&b));
        let nested = |zoo: &Zoo, number, pair, list| Nested {
            zoo: zoo.clone(),
            number: Number(number),
            empty: Empty {},
            pair,
            list,
        };
        let first = nested(&a, n, (c.clone(), 0), vec![b.clone()]);
        let second = nested(&a, n.abs(), (b.clone(), 1), vec![b.clone(), c.clone()]);
        ordered(&first, &second, &shape(&first), &shape(&second));
        let (left, right) = (vec![a.clone()], vec![b.clone(), c.clone()]);
        ordered(&left, &right, &shape(&left), &shape(&right));
        ordered(&Some(n), &None, &shape(&Some(n)), &shape(&None::<i32>));
    }
}

#[test]
fn sets_and_maps_are_equal_in_any_order_to_serde_as_well() {
    #[derive(PartialEq, Serialize)]
    #[allow(clippy::box_collection, reason = "what a box writes is what is in it")]
    struct Perms {
        roles: HashSet<String>,
        more: HashMap<String, Box<HashSet<u8>>>,
    }
    let perms = || Perms {
        roles: (0..20).map(|role| role.to_string()).collect(),
        more: (0..20).map(|role| (role.to_string(), Box::new((0..role).collect()))).collect(),
    };
    for _ in 0..10 {
        assert_eq!(shape(&perms()), shape(&perms()));
    }
}

#[test]
fn paths_are_equal_by_component_to_serde_as_well() {
    #[derive(Serialize)]
    struct File {
        path: PathBuf,
    }
    let file = |path: &str| shape(&File { path: path.into() });
    assert_eq!(file("a//b/"), file("a/b"));
    assert_ne!(file("a/b"), file("a/c"));
}

#[test]
fn a_nan_has_no_place() {
    assert!(encode(&f64::NAN, &mut Vec::new()).is_err());
    assert!(encode(&Some([f32::NAN]), &mut Vec::new()).is_err());
    assert!(encode_shape(&Some([f32::NAN]), &mut Vec::new()).is_err());
}

#[test]
fn values_of_nothing_count() {
    let units = [vec![], vec![()], vec![(), ()]];
    for (a, b) in units.iter().zip(&units[1..]) {
        agree(a, b);
        ordered(a, b, &shape(a), &shape(b));
    }
}

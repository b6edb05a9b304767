use std::cmp::Ordering;
use std::fmt::Debug;

use proptest::prelude::*;
use serde::Serialize;

use super::{encode, text_of, text_prefix};

fn bytes<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&mut bytes, value).unwrap();
    bytes
}

/// Two values compare as their bytes do, and neither encoding is the start of another.
#[track_caller]
fn agree<T: Serialize + PartialOrd + Debug>(a: &T, b: &T) {
    let (left, right) = (bytes(a), bytes(b));
    assert_eq!(a.partial_cmp(b), Some(left.cmp(&right)), "{a:?} and {b:?}");
    let starts = left.starts_with(&right) || right.starts_with(&left);
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn bytes_sort_as_values_do(a in mixed(), b in mixed()) {
        agree(&a, &b);
        agree(&a.0, &b.0);
        agree(&a.1, &b.1);
        agree(&a.2, &b.2);
        agree(&a.3, &b.3);
        agree(&a.4, &b.4);
    }

    #[test]
    fn integers_of_all_widths_sort(a in any::<i128>(), b in any::<i128>(), c in any::<u64>()) {
        agree(&a, &b);
        agree(&(a >> 64), &(b >> 100));
        agree(&c, &(c >> 13));
        agree(&(c as u8), &(a as u8));
        agree(&(c as i16), &(a as i16));
        agree(&(c as f32), &(a as f32));
    }

    #[test]
    fn texts_sort_and_come_back(a in any::<String>(), b in "[\u{0}\u{1}ab\u{ff}]{0,4}") {
        agree(&a, &b);
        let both = format!("{b}{a}");
        prop_assert!(bytes(&both).starts_with(&text_prefix(&b)));
        prop_assert_eq!(bytes(&a).starts_with(&text_prefix(&b)), a.starts_with(&b));
        prop_assert_eq!(text_of(&bytes(&both)), Some(both));
    }

    #[test]
    fn ids_and_uuids_sort(a in any::<[u8; 16]>(), b in any::<[u8; 16]>()) {
        agree(&uuid::Uuid::from_bytes(a), &uuid::Uuid::from_bytes(b));
    }
}

#[test]
fn enums_sort_by_stored_name() {
    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Status {
        Pending,
        Done,
    }
    assert_eq!(bytes(&Status::Done), bytes("done"));
    assert!(bytes(&Status::Done) < bytes(&Status::Pending));
}

#[test]
fn maps_are_equal_in_any_order() {
    let map = std::collections::BTreeMap::from([("a", 1), ("b", 2)]);
    let hashed: std::collections::HashMap<_, _> = map.clone().into_iter().collect();
    assert_eq!(bytes(&map), bytes(&hashed));
}

#[test]
fn a_nan_has_no_place() {
    assert!(encode(&mut Vec::new(), &f64::NAN).is_err());
    assert!(encode(&mut Vec::new(), &Some([f32::NAN])).is_err());
}

//! Writes of documents of yrs: values of all kinds, and nested types.

use std::collections::HashMap;

use yrs::{
    Any, Array, ArrayPrelim, Doc, Map, MapPrelim, MapRef, Out, Text, TextPrelim, Transact,
    TransactionMut, WriteTxn,
};

use super::copies::{Kinds, Op};
use super::random::Random;
use super::yjs;

/// Writes a transaction and gives its update.
pub(super) fn write_to_doc(doc: &Doc, ops: &[Op], kinds: Kinds, random: &mut Random) -> Vec<u8> {
    let mut txn = doc.transact_mut();
    for (root, key, value) in ops {
        let map = txn.get_or_insert_map(*root);
        let Some(text) = value else {
            map.remove(&mut txn, key);
            continue;
        };
        if kinds.nested && random.percent(60) {
            write_nested(&mut txn, &map, key, text, random);
            continue;
        }
        if kinds.overwritten && random.percent(25) {
            let inner = map.insert(&mut txn, *key, MapPrelim::from([("q", "r"), ("s", "t")]));
            inner.insert(&mut txn, "q", 3);
        }
        if kinds.others && random.percent(20) {
            map.insert(&mut txn, *key, other_value(random));
        } else if kinds.others && random.percent(5) {
            map.insert(&mut txn, *key, Doc::new());
        } else {
            map.insert(&mut txn, *key, text.as_str());
        }
    }
    txn.commit();
    txn.encode_update_v1()
}

/// Changes the nested type under a key, or makes one.
fn write_nested(
    txn: &mut TransactionMut<'_>,
    map: &MapRef,
    key: &str,
    text: &str,
    random: &mut Random,
) {
    match map.get(txn, key) {
        Some(Out::YMap(inner)) => change_map(txn, &inner, text, random),
        Some(Out::YArray(inner)) => {
            let len = inner.len(txn);
            if len > 1 && random.percent(40) {
                inner.remove_range(txn, random.below(len as usize - 1) as u32, 2);
            } else if random.percent(20) {
                inner.push_back(txn, MapPrelim::from([("in", text)]));
            } else {
                let at = random.below(len as usize + 1) as u32;
                inner.insert_range(txn, at, [text.to_owned(), "x".to_owned()]);
            }
        }
        Some(Out::YText(inner)) => {
            let len = inner.len(txn);
            if len > 3 && random.percent(40) {
                inner.remove_range(txn, random.below(len as usize - 2) as u32, 2);
            } else {
                inner.insert(txn, random.below(len as usize + 1) as u32, text);
            }
        }
        _ => match random.below(4) {
            0 => drop(map.insert(txn, key, ArrayPrelim::from(["a", "b", "c"]))),
            1 => drop(map.insert(txn, key, TextPrelim::new("some text"))),
            _ => drop(map.insert(txn, key, MapPrelim::from([("q", "r"), ("s", text)]))),
        },
    }
}

fn change_map(txn: &mut TransactionMut<'_>, map: &MapRef, text: &str, random: &mut Random) {
    let key = *random.pick(&["q", "s", "t"]);
    match random.below(5) {
        0 => drop(map.remove(txn, key)),
        1 => drop(map.insert(txn, key, MapPrelim::from([("deep", text)]))),
        2 => match map.get(txn, key) {
            Some(Out::YMap(inner)) => drop(inner.insert(txn, "deep", text)),
            _ => drop(map.insert(txn, key, ArrayPrelim::from([text]))),
        },
        _ => drop(map.insert(txn, key, text)),
    }
}

fn other_value(random: &mut Random) -> Any {
    match random.below(7) {
        0 => Any::from(1.5),
        1 => Any::Null,
        // No number of JavaScript, nor of JSON as it writes it.
        2 if yjs::folder().is_none() => Any::from(-9_007_199_254_740_993i64),
        3 => Any::from(vec![Any::Bool(true), Any::from("x"), Any::from(-70.0)]),
        4 => Any::Buffer(vec![1u8, 2, 3].into()),
        5 => Any::Undefined,
        _ => Any::from(HashMap::from(["a", "b"].map(|key| (key.to_owned(), Any::from(key))))),
    }
}

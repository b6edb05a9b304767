//! Comparing lists, sets and tuples.

use super::compare::{Comparison, SchemaPath};
use super::rules;
use super::shape::Array;

impl<'a> Comparison<'a> {
    pub(super) fn compare_arrays(&mut self, path: &SchemaPath, old: Array<'a>, new: Array<'a>) {
        match (old, new) {
            (
                Array::List { item: was, is_set: was_set, min: old_min, max: old_max },
                Array::List { item: is, is_set, min: new_min, max: new_max },
            ) => {
                if was_set != is_set {
                    let kind = |is_set| if is_set { "set" } else { "list" };
                    self.push_step(path, &rules::LIST_AND_SET, kind(was_set), kind(is_set));
                }
                self.compare_lengths(path, (old_min, old_max), (new_min, new_max));
                self.enqueue(was, is, path.item("[]"), false);
            }
            (Array::Tuple(was), Array::Tuple(is)) if was.len() == is.len() => {
                for (index, (was, is)) in was.into_iter().zip(is).enumerate() {
                    self.enqueue(was, is, path.item(&format!("[{index}]")), false);
                }
            }
            (was, is) => {
                let words = |array: &Array<'a>| match array {
                    Array::List { is_set: true, .. } => "set".to_owned(),
                    Array::List { .. } => "list".to_owned(),
                    Array::Tuple(items) => format!("tuple of {}", items.len()),
                };
                self.push_step(path, &rules::TUPLE_CHANGED, words(&was), words(&is));
            }
        }
    }
}

//! The one form in which values are stored and compared.
//!
//! A set has no order, and a map has none, so that what serde gives for a `HashSet` or a `HashMap`
//! is another text each time. What is stored is the canonical one:
//!
//! - the elements of a set (`uniqueItems` in its JSON Schema) are sorted: `null`, `false`, `true`,
//!   numbers by value, text by its characters, then lists and objects by their own canonical text;
//! - the entries of a map (`additionalProperties`, `patternProperties`) are sorted by their keys, as
//!   text;
//! - the fields of a struct stay in the order of the struct, and everything else as serde gives it.
//!
//! A set or map whose schema does not say so (behind `#[schemars(with = …)]`, say) is stored as it
//! comes.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::json::{Json, JsonValue, Kind};
use super::shape::Known;

/// How deep serde_json reads; what is nested deeper can be written, and never read.
pub(crate) const MAX_DEPTH: usize = 128;

/// Returns a JSON text in its canonical form; `None` if it is nested too deep to be read.
pub(crate) fn canonical<'a>(text: &'a str, known: &Known<'_>) -> Option<Cow<'a, str>> {
    if !known.sorts() {
        return Some(Cow::Borrowed(text));
    }
    let json = Json::parse(text).filter(|json| json.depth() <= MAX_DEPTH)?;
    let mut canonical = String::with_capacity(text.len());
    write(json.root(), known, &mut canonical);
    Some(Cow::Owned(canonical))
}

fn write(value: JsonValue<'_>, known: &Known<'_>, to: &mut String) {
    if !known.sorts() {
        to.push_str(value.text());
        return;
    }
    let facts = known.of(value);
    let text_of = |value: JsonValue<'_>, known: &Known<'_>| {
        let mut text = String::new();
        write(value, known, &mut text);
        text
    };
    match value.kind() {
        Kind::Array if facts.is_set() => {
            let elements = value.elements().enumerate();
            let mut elements: Vec<(Kind, String)> = elements
                .map(|(nth, element)| (element.kind(), text_of(element, &facts.element(nth))))
                .collect();
            elements.sort_by(|a, b| compare((a.0, &a.1), (b.0, &b.1)));
            list(to, '[', ']', elements, |to, (_, element)| to.push_str(&element));
        }
        Kind::Array => list(to, '[', ']', value.elements().enumerate(), |to, (nth, element)| {
            write(element, &facts.element(nth), to);
        }),
        Kind::Object => {
            let (mut named, mut others) = (Vec::new(), Vec::new());
            for member in value.members() {
                let name = member.name();
                if facts.is_named(&name) { &mut named } else { &mut others }.push((name, member));
            }
            if facts.is_map() {
                others.sort_by(|(a, _), (b, _)| a.cmp(b));
            }
            list(to, '{', '}', named.into_iter().chain(others), |to, (name, member)| {
                to.push_str(member.written_name());
                to.push(':');
                write(member.value, &facts.member(&name), to);
            });
        }
        _ => to.push_str(value.text()),
    }
}

/// Writes what is between two brackets, with commas in between.
pub(super) fn list<T>(
    to: &mut String,
    open: char,
    close: char,
    parts: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    to.push(open);
    for (nth, part) in parts.into_iter().enumerate() {
        if nth > 0 {
            to.push(',');
        }
        write(to, part);
    }
    to.push(close);
}

/// The text of a set with these elements, each as it is written.
pub(super) fn set_text(elements: Vec<String>) -> String {
    let kind = |text: &str| Json::parse(text).map_or(Kind::Null, |json| json.root().kind());
    let mut elements: Vec<(Kind, String)> =
        elements.into_iter().map(|element| (kind(&element), element)).collect();
    elements.sort_by(|a, b| compare((a.0, &a.1), (b.0, &b.1)));
    let mut text = String::new();
    list(&mut text, '[', ']', elements, |to, (_, element)| to.push_str(&element));
    text
}

/// The order of the elements of a set.
fn compare((a_kind, a): (Kind, &str), (b_kind, b): (Kind, &str)) -> Ordering {
    a_kind.cmp(&b_kind).then_with(|| match a_kind {
        Kind::Number => compare_numbers(a, b),
        // The quotes would come after a space.
        Kind::Text => a[1..a.len() - 1].cmp(&b[1..b.len() - 1]),
        _ => a.cmp(b),
    })
}

fn compare_numbers(a: &str, b: &str) -> Ordering {
    let number = |text: &str| text.parse::<f64>().unwrap_or_default();
    // Beyond 53 bits several integers are the same number of that type.
    let exactly = || {
        let exact = |text: &str| text.parse::<i128>().map_err(|_| ());
        match (exact(a), exact(b)) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            (a, b) => a.is_err().cmp(&b.is_err()),
        }
    };
    number(a).total_cmp(&number(b)).then_with(exactly).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap, HashSet};

    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::super::shape::{Shape, whole_schema};
    use super::*;

    #[track_caller]
    fn check<T: JsonSchema>(text: &str, expected: &str) {
        let shape = Shape::compile(&whole_schema(T::json_schema));
        assert_eq!(canonical(text, &shape.whole()).as_deref(), Some(expected));
        assert_eq!(canonical(expected, &shape.whole()).as_deref(), Some(expected));
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Leaf {
        tags: HashSet<String>,
        z: u8,
        a: u8,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind")]
    enum Tagged {
        Bag { items: HashSet<u8> },
        List { items: Vec<u8> },
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Tree {
        tags: HashSet<u8>,
        below: Vec<Tree>,
    }

    #[test]
    fn sets_are_sorted_by_value_at_every_depth() {
        check::<HashSet<String>>(r#"["b","a b","a","ä"]"#, r#"["a","a b","b","ä"]"#);
        check::<HashSet<i64>>("[10,-1,9]", "[-1,9,10]");
        check::<BTreeSet<i64>>(
            "[9007199254740993,9007199254740992]",
            "[9007199254740992,9007199254740993]",
        );
        check::<Option<HashSet<u8>>>("[2,1]", "[1,2]");
        check::<Option<HashSet<u8>>>("null", "null");
        check::<HashSet<(u8, String)>>(r#"[[2,"a"],[1,"b"]]"#, r#"[[1,"b"],[2,"a"]]"#);
        check::<Vec<Leaf>>(
            r#"[{"tags":["b","a"],"z":1,"a":2}]"#,
            r#"[{"tags":["a","b"],"z":1,"a":2}]"#,
        );
        check::<Vec<HashSet<Vec<u8>>>>("[[[2,1],[1]]]", "[[[1],[2,1]]]");
        check::<Tree>(
            r#"{"tags":[2,1],"below":[{"tags":[3,1],"below":[]}]}"#,
            r#"{"tags":[1,2],"below":[{"tags":[1,3],"below":[]}]}"#,
        );
    }

    #[test]
    fn maps_are_sorted_by_key_and_structs_are_not() {
        check::<HashMap<String, HashSet<u8>>>(r#"{"b":[2,1],"a":[]}"#, r#"{"a":[],"b":[1,2]}"#);
        check::<HashMap<u32, u8>>(r#"{"9":1,"10":2}"#, r#"{"10":2,"9":1}"#);
        check::<serde_json::Value>(r#"{"b":1,"a":[2,1]}"#, r#"{"b":1,"a":[2,1]}"#);
    }

    #[test]
    fn the_variant_says_what_is_a_set() {
        check::<Tagged>(r#"{"kind":"Bag","items":[2,1]}"#, r#"{"kind":"Bag","items":[1,2]}"#);
        check::<Tagged>(r#"{"kind":"List","items":[2,1]}"#, r#"{"kind":"List","items":[2,1]}"#);
    }

    #[test]
    fn what_is_nested_too_deep_has_no_form() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let shape = Shape::compile(&whole_schema(HashSet::<serde_json::Value>::json_schema));
        assert_eq!(canonical(&deep, &shape.whole()), None);
    }
}

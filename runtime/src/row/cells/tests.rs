use proptest::prelude::*;

use super::*;

fn over(base: &str, cells: &[(&str, &str)]) -> String {
    overlay(base, cells.iter().copied())
}

fn merge_of(field: &str) -> Option<FieldMerge> {
    match field {
        "n" => Some(FieldMerge::Sum),
        "at" => Some(FieldMerge::Fields),
        "tags" => Some(FieldMerge::Union),
        _ => None,
    }
}

#[test]
fn cells_lie_over_the_base() {
    let base = r#"{"id":"a","title":"x","at":{"city":"B","zip":"1"},"n":3,"tags":["b","d"]}"#;
    assert_eq!(over(base, &[]), base);
    let cells = [("title", "null"), ("new", "[1]"), ("at\u{1}zip", "\"2\""), ("at\u{1}x", "1")];
    let expected = r#"{"id":"a","title":null,"at":{"city":"B","zip":"2","x":1},"n":3,"tags":["b","d"],"new":[1]}"#;
    assert_eq!(over(base, &cells), expected);
    assert_eq!(
        over(base, &[("title", ""), ("at\u{1}city", "")]),
        r#"{"id":"a","at":{"zip":"1"},"n":3,"tags":["b","d"]}"#
    );
    let counted = over(base, &[("n\u{2}7", "4"), ("n\u{2}8", "-1"), ("new\u{2}7", "2")]);
    assert!(counted.contains(r#""n":6"#) && counted.ends_with(r#","new":2}"#), "{counted}");
    let united = over(
        base,
        &[("tags\u{3}\"c\"", "true"), ("tags\u{4}\"b\"", "true"), ("tags\u{3}\"d\"", "true")],
    );
    assert!(united.contains(r#""tags":["c","d"]"#), "{united}");
}

#[test]
fn a_part_of_what_a_cell_set_lies_over_it() {
    let base = r#"{"at":null,"n":1,"tags":[]}"#;
    let cells = [("at\u{1}zip", "1"), ("at", r#"{"zip":0}"#), ("n", "10"), ("n\u{2}1", "1")];
    assert_eq!(over(base, &cells), r#"{"at":{"zip":1},"n":11,"tags":[]}"#);
    // A member of what is not an object is hidden.
    assert_eq!(over(base, &[("at\u{1}zip", "1")]), base);
}

#[test]
fn nothing_that_is_not_json_gets_into_a_row() {
    let base = r#"{"id":"a","t":"x"}"#;
    for (path, text) in [
        ("t", r#"1,"id":"b""#),
        ("t", "nope"),
        ("t\u{3}1,2", "true"),
        ("t\u{2}x", "1"),
        ("t\u{2}1", "1.5"),
        ("t\u{2}1", "1"),
        ("t\u{1}a\u{1}b", "1"),
        ("t\u{4}\"x\"", "true"),
    ] {
        assert_eq!(over(base, &[(path, text)]), base, "{path:?} {text}");
    }
    assert_eq!(over("[1]", &[("t", "1")]), "[1]");
    assert_eq!(over("{", &[("t", "1")]), "{");
    let name = over("{}", &[("a\"b", "1")]);
    assert_eq!(name, r#"{"a\"b":1}"#);
}

#[test]
fn a_sum_stays_within_its_type() {
    let base = format!(r#"{{"n":{}}}"#, i64::MAX - 1);
    let sum = over(&base, &[("n\u{2}1", "9223372036854775807"), ("n\u{2}2", "1")]);
    assert_eq!(sum, format!(r#"{{"n":{}}}"#, i64::MAX));
}

#[test]
fn a_base_is_written_without_the_counts_that_stay() {
    let counts = [("n\u{2}1", "4"), ("n\u{2}2", "1"), ("title", "\"x\"")];
    let base = without_counts(r#"{"id":"a","n":10}"#, counts);
    assert_eq!(base, r#"{"id":"a","n":5}"#);
    assert_eq!(over(&base, &counts[..2]), r#"{"id":"a","n":10}"#);
}

#[test]
fn a_difference_names_what_changed() {
    let before = r#"{"id":"a","t":1,"n":3,"at":{"c":1,"z":2},"tags":[1,2],"gone":1}"#;
    let after = r#"{"id":"a","t":2,"n":1,"at":{"c":1,"z":3,"y":4},"tags":[2,3],"new":0}"#;
    let set = |path: &str, json: Option<&str>| CellWrite::Set {
        path: path.into(),
        json: json.map(str::to_owned),
    };
    let (field, element) = (|| "tags".to_owned(), str::to_owned);
    assert_eq!(
        difference(before, after, &merge_of),
        [
            set("t", Some("2")),
            CellWrite::Add { field: "n".into(), by: -2 },
            set("at\u{1}z", Some("3")),
            set("at\u{1}y", Some("4")),
            CellWrite::Insert { field: field(), element: element("3") },
            CellWrite::Remove { field: field(), element: element("1") },
            set("new", Some("0")),
            set("gone", None),
        ]
    );
    let whole = difference(r#"{"at":{"c":1}}"#, r#"{"at":null}"#, &merge_of);
    assert_eq!(whole, [set("at", Some("null"))]);
    assert_eq!(
        difference("{}", r#"{"n":2}"#, &merge_of),
        [CellWrite::Add { field: "n".into(), by: 2 }]
    );
}

#[test]
fn the_key_of_a_cell_is_taken_apart() {
    let key = cell_key("people_1", &count_path("n", 7));
    assert_eq!(split_cell_key(&key), Some(("people_1", "n\u{2}7")));
    assert_eq!(split_cell_key("people_1"), None);
    assert!(is_below("n\u{2}7", "n") && is_below("n\u{1}m", "n"));
    assert!(!is_below("n", "n") && !is_below("nn\u{1}m", "n"));
    let (added, taken) = element_paths("tags", "1");
    assert!(is_added_element(&added) && !is_added_element(&taken) && !is_count(&added));
}

proptest! {
    #[test]
    fn no_cell_at_all_is_a_panic(path in "[a\u{1}-\u{4}\"1]{0,6}", text in "[-1{}\"\\[\\],:a]{0,6}") {
        let row = over(r#"{"a":{"a":1},"1":2}"#, &[(&path, &text)]);
        prop_assert!(Object::is_json(&row), "{}", row);
    }

    /// A difference makes one row the other, for cells that are laid over as they are.
    #[test]
    fn a_difference_laid_over_is_the_row(
        (a, b) in (0..4_i64, 0..4_i64), (m, n) in (0..9_i64, 0..9_i64),
        (x, y) in (prop::option::of(0..3_u8), prop::option::of(0..3_u8)),
    ) {
        let row = |t: i64, n: i64, x: Option<u8>| {
            let member = x.map_or_else(String::new, |x| format!(r#""x":{x}"#));
            format!(r#"{{"t":{t},"n":{n},"at":{{{member}}}}}"#)
        };
        let (before, after) = (row(a, m, x), row(b, n, y));
        let cells: Vec<(String, String)> = difference(&before, &after, &merge_of)
            .into_iter()
            .map(|write| match write {
                CellWrite::Set { path, json } => (path, json.unwrap_or_default()),
                CellWrite::Add { field, by } => (count_path(&field, 1), by.to_string()),
                write => unreachable!("{write:?}"),
            })
            .collect();
        let over = overlay(&before, cells.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        prop_assert_eq!(over, after);
    }
}

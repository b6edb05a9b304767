//! Every row of the catalogue has a rule, or a reason why it needs none.

use std::collections::BTreeMap;

use heirloom::schema::Rule;

/// How many rows the catalogue has.
const ROWS: u8 = 84;

/// Rows that no rule judges.
const NOT_JUDGED: [(u8, &str); 20] = [
    (14, "a Rust name under `serde(rename)` is not in a schema but as it is stored: no change"),
    (30, "rows are JSON text, in which 64 bits are kept; nothing here turns them into a float"),
    (64, "there is no policy for what happens on removal"),
    (67, "relations are ids in fields, and views are queries"),
    (68, "relations are ids in fields, and views are queries"),
    (69, "there is no rich text"),
    (70, "there is no rich text"),
    (71, "a row is always one JSON object, merged as a whole"),
    (72, "a row is always one JSON object, merged as a whole"),
    (74, "there is no rich text"),
    (75, "there is no rich text"),
    (77, "docs and deprecation are taken out of a schema: no change"),
    (78, "a schema has its fields in the order of their names: no change"),
    (79, "there is no encryption"),
    (80, "there are no permissions"),
    (82, "an evolve step is the default of a field: removing it is row 24"),
    (83, "an evolve function is the default of a field: editing it is row 22"),
    (84, "held by comparing with every recorded version of the epoch"),
    (46, "a schema has its variants in the order of their names: no change"),
    (66, "indexes have no collation; their fields make two indexes, of row 65"),
];

#[test]
fn every_row_is_judged_or_has_a_reason() {
    let mut judged: BTreeMap<u8, Vec<&str>> = BTreeMap::new();
    for rule in Rule::all() {
        for row in rule.rows() {
            judged.entry(*row).or_default().push(rule.id());
        }
    }
    for row in 1..=ROWS {
        let reason = NOT_JUDGED.iter().find(|(not_judged, _)| *not_judged == row);
        let is_judged = judged.contains_key(&row);
        assert!(is_judged || reason.is_some(), "row {row} has no rule");
    }
    assert!(judged.keys().all(|row| (1..=ROWS).contains(row)), "{judged:?}");
}

#[test]
fn rules_are_told_apart_and_explain_themselves() {
    let mut ids: Vec<&str> = Rule::all().iter().map(|rule| rule.id()).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "two rules have one id");
    for rule in Rule::all() {
        let is_kebab = rule.id().chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
        assert!(is_kebab, "{}", rule.id());
        assert!(rule.reason().ends_with('.'), "{}: {}", rule.id(), rule.reason());
        assert_eq!(Rule::find(rule.id()), Some(rule));
    }
}

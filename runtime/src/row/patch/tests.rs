use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::*;
use crate::row::canonical::canonical;
use crate::row::shape::{Shape, whole_schema};

const FIELDS: &[FieldDef] =
    &[FieldDef::new("title", "title", "String").aliases(&["name"]), FieldDef::new("n", "n", "u8")];

#[track_caller]
fn check_record(stored: &str, before: &str, after: &str, expected: &str) {
    let shape = Shape::default();
    let known = shape.whole();
    let patched = Patch::new(&known, FIELDS).apply(stored, before, after);
    assert_eq!(patched.map(|patched| patched.text).as_deref(), Some(expected));
}

/// Patches a stored value of a newer type as code that knows it as `T` does.
#[track_caller]
fn check<T: JsonSchema + Serialize + for<'de> Deserialize<'de>>(
    stored: &str,
    change: impl FnOnce(&mut T),
    expected: &str,
) {
    let shape = Shape::compile(&whole_schema(T::json_schema));
    let known = shape.whole();
    let text = |value: &T| {
        let text = serde_json::to_string(value).expect("it serializes");
        canonical(&text, &known).expect("it is not deep").into_owned()
    };
    let mut value: T = serde_json::from_str(stored).expect("it is stored");
    let before = text(&value);
    change(&mut value);
    let patched = Patch::new(&known, &[]).apply(stored, &before, &text(&value));
    assert_eq!(patched.map(|patched| patched.text).as_deref(), Some(expected));
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
struct Item {
    name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Line {
    id: u32,
    text: String,
}

fn item(name: &str) -> Item {
    Item { name: name.into() }
}

#[test]
fn an_unknown_field_survives_at_every_depth() {
    check_record(
        r#"{"title":"a","new":1e400,"deep":{"x":1,"new":[1, 2]}}"#,
        r#"{"title":"a","deep":{"x":1}}"#,
        r#"{"title":"b","deep":{"x":2}}"#,
        r#"{"title":"b","new":1e400,"deep":{"x":2,"new":[1, 2]}}"#,
    );
}

#[test]
fn a_default_that_was_not_changed_is_not_written() {
    let stored = r#"{"title":"a"}"#;
    let before = r#"{"title":"a","n":5}"#;
    check_record(stored, before, r#"{"title":"b","n":5}"#, r#"{"title":"b"}"#);
    check_record(stored, before, r#"{"title":"a","n":6}"#, r#"{"title":"a","n":6}"#);
}

#[test]
fn a_changed_field_moves_from_its_alias_to_its_name() {
    let (stored, before) = (r#"{"name":"a"}"#, r#"{"title":"a","n":5}"#);
    check_record(stored, before, before, stored);
    check_record(stored, before, r#"{"title":"b","n":5}"#, r#"{"title":"b"}"#);
}

#[test]
fn a_field_no_longer_wanted_goes() {
    check_record(r#"{"a":[1],"b":2}"#, r#"{"a":[1],"b":2}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#);
}

#[test]
fn an_undecodable_row_keeps_what_is_unknown() {
    let repaired = overwrite(r#"{"name":7,"other":1}"#, r#"{"title":"a","n":1}"#, FIELDS);
    assert_eq!(repaired, r#"{"title":"a","n":1,"other":1}"#);
    assert_eq!(overwrite("[1]", r#"{"n":1}"#, FIELDS), r#"{"n":1}"#);
}

#[test]
fn a_member_can_be_taken_out() {
    let text = r#"{"a":1 , "b":2, "c":3}"#;
    assert_eq!(without(text, &(1..6)).as_deref(), Some(r#"{ "b":2, "c":3}"#));
    assert_eq!(without(text, &(16..21)).as_deref(), Some(r#"{"a":1 , "b":2}"#));
    assert_eq!(without(r#"{"a":1}"#, &(1..6)).as_deref(), Some("{}"));
}

#[test]
fn elements_of_a_list_keep_what_is_unknown() {
    let stored = r#"[{"name":"a","new":1},{"name":"b","new":2},{"name":"c","new":3}]"#;
    check::<Vec<Item>>(
        stored,
        |list| list.push(item("d")),
        r#"[{"name":"a","new":1},{"name":"b","new":2},{"name":"c","new":3},{"name":"d"}]"#,
    );
    check::<Vec<Item>>(
        stored,
        |list| list[1].name = "B".into(),
        r#"[{"name":"a","new":1},{"name":"B","new":2},{"name":"c","new":3}]"#,
    );
    check::<VecDeque<Item>>(
        stored,
        |list| list.rotate_left(1),
        r#"[{"name":"b","new":2},{"name":"c","new":3},{"name":"a","new":1}]"#,
    );
    check::<Vec<Item>>(
        stored,
        |list| drop(list.remove(0)),
        r#"[{"name":"b","new":2},{"name":"c","new":3}]"#,
    );
}

#[test]
fn an_element_with_an_id_is_found_wherever_it_went() {
    let stored = r#"[{"id":1,"text":"a","new":1},{"id":2,"text":"b","new":2}]"#;
    check::<Vec<Line>>(
        stored,
        |list| {
            list.swap(0, 1);
            list[0].text = "B".into();
            list[1].text = "A".into();
        },
        r#"[{"id":2,"text":"B","new":2},{"id":1,"text":"A","new":1}]"#,
    );
    check::<Vec<Line>>(
        stored,
        |list| list[0] = Line { id: 3, text: "a".into() },
        r#"[{"id":3,"text":"a"},{"id":2,"text":"b","new":2}]"#,
    );
}

#[test]
fn where_one_has_come_the_most_alike_are_the_same() {
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Stop {
        place: String,
        hour: u8,
    }
    check::<Vec<Stop>>(
        r#"[{"place":"a","hour":1,"new":1}]"#,
        |list| {
            list[0].hour = 2;
            list.insert(0, Stop { place: "z".into(), hour: 0 });
        },
        r#"[{"place":"z","hour":0},{"place":"a","hour":2,"new":1}]"#,
    );
}

#[test]
fn tuples_go_by_position() {
    check::<(Item, u8)>(
        r#"[{"name":"a","new":1},0]"#,
        |pair| pair.1 = 1,
        r#"[{"name":"a","new":1},1]"#,
    );
}

#[test]
fn an_array_is_aligned_like_a_list() {
    check::<[Item; 2]>(
        r#"[{"name":"a","new":1},{"name":"b","new":2}]"#,
        |pair| pair.swap(0, 1),
        r#"[{"name":"b","new":2},{"name":"a","new":1}]"#,
    );
    check::<[Item; 3]>(
        r#"[{"name":"a","new":1},{"name":"b","new":2},{"name":"c","new":3}]"#,
        |items| items[1].name = "d".into(),
        r#"[{"name":"a","new":1},{"name":"d","new":2},{"name":"c","new":3}]"#,
    );
}

#[test]
fn an_entry_of_a_map_takes_along_what_is_unknown() {
    check::<BTreeMap<String, Item>>(
        r#"{"x":{"name":"a","new":1},"y":{"name":"b","new":2}}"#,
        |map| {
            let moved = map.remove("y").expect("it is there");
            map.insert("a".into(), moved);
        },
        r#"{"a":{"name":"b","new":2},"x":{"name":"a","new":1}}"#,
    );
    check::<HashMap<u8, Line>>(
        r#"{"1":{"id":7,"text":"a","new":1}}"#,
        |map| {
            map.remove(&1);
            map.insert(2, Line { id: 7, text: "b".into() });
        },
        r#"{"2":{"id":7,"text":"b","new":1}}"#,
    );
}

#[test]
fn entries_of_a_map_that_change_keys_take_along_what_is_unknown() {
    let stored = r#"{"1":{"name":"a","new":1},"2":{"name":"b","new":2}}"#;
    check::<BTreeMap<u8, Item>>(
        stored,
        |map| *map = [(1, item("b")), (2, item("a"))].into(),
        r#"{"1":{"name":"b","new":2},"2":{"name":"a","new":1}}"#,
    );
    check::<BTreeMap<u8, Item>>(
        stored,
        |map| *map = [(2, item("a")), (3, item("b"))].into(),
        r#"{"2":{"name":"a","new":1},"3":{"name":"b","new":2}}"#,
    );
    // One put in before them, and the first of them taken out.
    check::<HashMap<u8, Item>>(
        stored,
        |map| *map = [(1, item("c")), (2, item("a")), (3, item("b"))].into(),
        r#"{"1":{"name":"c"},"2":{"name":"a","new":1},"3":{"name":"b","new":2}}"#,
    );
    check::<BTreeMap<u8, Item>>(
        stored,
        |map| *map = [(1, item("b"))].into(),
        r#"{"1":{"name":"b","new":2}}"#,
    );
    // Each was edited, and one is equal to another by coincidence.
    check::<BTreeMap<u8, Item>>(
        stored,
        |map| *map = [(1, item("b")), (2, item("c"))].into(),
        r#"{"1":{"name":"b","new":1},"2":{"name":"c","new":2}}"#,
    );
    // With an id it does not matter what else has changed.
    let line = |id, text: &str| Line { id, text: text.into() };
    check::<BTreeMap<u8, Line>>(
        r#"{"1":{"id":7,"text":"a","new":1},"2":{"id":8,"text":"b","new":2}}"#,
        |map| *map = [(1, line(8, "B")), (2, line(9, "c"))].into(),
        r#"{"1":{"id":8,"text":"B","new":2},"2":{"id":9,"text":"c"}}"#,
    );
}

#[test]
fn the_elements_of_a_set_are_found_by_what_is_known_of_them() {
    check::<HashSet<Item>>(
        r#"[{"new":1,"name":"b"},{"name":"a","new":2},{"name":"c"}]"#,
        |set| {
            set.remove(&item("c"));
            set.insert(item("d"));
        },
        r#"[{"name":"a","new":2},{"new":1,"name":"b"},{"name":"d"}]"#,
    );
}

#[derive(Serialize, Deserialize, JsonSchema)]
enum External {
    Circle { r: u8 },
    Square { r: u8 },
    Plain(Item),
    Unit,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
enum Internal {
    Circle { r: u8 },
    Square { r: u8 },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Circle { r: u8 },
    Square { r: u8 },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Round { r: u8 },
    Square { side: u8 },
}

#[test]
fn a_variant_keeps_its_unknown_members_and_another_does_not_inherit_them() {
    check::<External>(
        r#"{"Circle":{"r":1,"new":1}}"#,
        |shape| *shape = External::Circle { r: 2 },
        r#"{"Circle":{"r":2,"new":1}}"#,
    );
    check::<External>(
        r#"{"Circle":{"r":1,"new":1}}"#,
        |shape| *shape = External::Square { r: 1 },
        r#"{"Square":{"r":1}}"#,
    );
    check::<External>(
        r#"{"Plain":{"name":"a","new":1}}"#,
        |shape| *shape = External::Unit,
        r#""Unit""#,
    );
    check::<Internal>(
        r#"{"type":"Circle","r":1,"new":1}"#,
        |shape| *shape = Internal::Circle { r: 2 },
        r#"{"type":"Circle","r":2,"new":1}"#,
    );
    check::<Internal>(
        r#"{"type":"Circle","r":1,"new":1}"#,
        |shape| *shape = Internal::Square { r: 1 },
        r#"{"type":"Square","r":1}"#,
    );
    check::<Adjacent>(
        r#"{"t":"Circle","c":{"r":1,"new":1}}"#,
        |shape| *shape = Adjacent::Circle { r: 2 },
        r#"{"t":"Circle","c":{"r":2,"new":1}}"#,
    );
    check::<Adjacent>(
        r#"{"t":"Circle","c":{"r":1,"new":1}}"#,
        |shape| *shape = Adjacent::Square { r: 1 },
        r#"{"t":"Square","c":{"r":1}}"#,
    );
    check::<Untagged>(
        r#"{"r":1,"new":1}"#,
        |shape| *shape = Untagged::Round { r: 2 },
        r#"{"r":2,"new":1}"#,
    );
    check::<Untagged>(
        r#"{"r":1,"new":1}"#,
        |shape| *shape = Untagged::Square { side: 1 },
        r#"{"side":1}"#,
    );
}

#[test]
fn a_flattened_enum_leaves_the_members_of_its_struct() {
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Flat {
        n: u8,
        #[serde(flatten)]
        shape: Internal,
    }
    check::<Flat>(
        r#"{"n":1,"type":"Circle","r":1,"new":1}"#,
        |flat| flat.shape = Internal::Square { r: 1 },
        r#"{"n":1,"type":"Square","r":1,"new":1}"#,
    );
}

#[test]
fn lists_in_structs_in_maps_in_enums_in_tuples() {
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Shelf {
        items: Vec<Item>,
    }
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind")]
    enum Place {
        House { shelves: BTreeMap<String, Shelf> },
    }
    check::<(u8, Vec<Place>)>(
        r#"[1,[{"kind":"House","shelves":{"a":{"items":[{"name":"x","new":1}],"new":2}},"new":3}]]"#,
        |(_, places)| {
            let Place::House { shelves } = &mut places[0];
            shelves.get_mut("a").expect("it is there").items.insert(0, item("y"));
        },
        r#"[1,[{"kind":"House","shelves":{"a":{"items":[{"name":"y"},{"name":"x","new":1}],"new":2}},"new":3}]]"#,
    );
}

#[test]
fn a_long_list_is_patched_in_one_go() {
    let element = |n: usize| format!(r#"{{"name":"{}","new":{n}}}"#, n % 777);
    let stored = (0..20_000).map(element).collect::<Vec<_>>().join(",");
    let stored = format!("[{stored}]");
    let expected = format!(r#"[{{"name":"first"}},{}"#, &stored[1..]);
    check::<Vec<Item>>(&stored, |list| list.insert(0, item("first")), &expected);
}

//! Input at the edges, one test each. Others stand with their topics: sums out of range in `aggregating`, circles of
//! references in `references`, one unique value on two devices in `paging`.

use heirloom::query::count;
use heirloom::{ErrorKind, Id, Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::support::refused;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "parts", index(name, weight))]
struct Part {
    id: Id<Part>,
    name: String,
    #[index]
    weight: f64,
    #[reference(on_remove = "cascade")]
    of: Option<Ref<Part>>,
}

#[derive(Store)]
#[store(name = "parts")]
struct App {
    parts: Table<Part>,
}

fn part(name: &str, weight: f64) -> Part {
    Part { id: Id::new(), name: name.into(), weight, of: None }
}

#[test]
fn nan_is_never_stored_and_meets_no_condition() {
    let app = App::in_memory().unwrap();
    assert_eq!(refused(app.parts.insert(&part("a", f64::NAN))).kind(), ErrorKind::InvalidValue);
    app.parts.insert_many([part("a", 1.5), part("b", -0.0), part("c", 0.0)]).unwrap();
    for condition in [
        Part::WEIGHT.eq(f64::NAN),
        Part::WEIGHT.lt(f64::NAN),
        Part::WEIGHT.ge(f64::NAN),
        Part::WEIGHT.between(f64::NAN, 2.0),
        Part::WEIGHT.is_in([f64::NAN]),
    ] {
        assert_eq!(app.parts.filter(condition).count().unwrap(), 0);
    }
    assert_eq!(app.parts.filter(Part::WEIGHT.ne(f64::NAN)).count().unwrap(), 3);
    assert_eq!(app.parts.query().sum(Part::WEIGHT).unwrap(), 1.5);
    assert_eq!(app.parts.query().count_distinct(Part::WEIGHT).unwrap(), 2, "0 is -0");
}

#[test]
fn nothing_has_a_sum_of_zero_and_no_groups() {
    let app = App::in_memory().unwrap();
    let none = app.parts.filter(Part::NAME.eq("x"));
    assert_eq!(none.sum(Part::WEIGHT).unwrap(), 0.0);
    assert_eq!((none.min(Part::NAME).unwrap(), none.avg(Part::WEIGHT).unwrap()), (None, None));
    assert_eq!(none.clone().group_by(Part::NAME).sum(Part::WEIGHT).unwrap(), []);
    let watch = app.parts.query().group_by(Part::NAME).aggregate(count()).watch().unwrap();
    assert_eq!(watch.recv().unwrap(), []);
    let one = part("a", 2.0);
    app.parts.insert(&one).unwrap();
    assert_eq!(watch.recv().unwrap(), [("a".to_owned(), 1)]);
    // A group whose last row goes is gone.
    app.parts.remove(&one.id).unwrap();
    assert_eq!(watch.recv().unwrap(), []);
}

#[test]
fn texts_are_told_apart_by_their_characters_and_not_by_their_looks() {
    let app = App::in_memory().unwrap();
    let names = ["é", "e\u{301}", "", "\0", "\0\u{1}", "\u{10FFFF}", "🦀", "ﬀ", "%_\\"];
    app.parts.insert_many(names.map(|name| part(name, 1.0))).unwrap();
    for name in names {
        assert_eq!(app.parts.filter(Part::NAME.eq(name)).count().unwrap(), 1, "{name:?}");
    }
    let mut sorted = names;
    sorted.sort_unstable();
    let groups = app.parts.query().group_by(Part::NAME).aggregate(count()).all().unwrap();
    assert_eq!(groups, sorted.map(|name| (name.to_owned(), 1)));
    let mut last: Option<Part> = None;
    let mut seen = Vec::new();
    loop {
        let page = app.parts.order_by(Part::NAME).limit(1);
        let page = match &last {
            Some(last) => page.after(last).all().unwrap(),
            None => page.all().unwrap(),
        };
        let Some(part) = page.into_iter().next() else { break };
        seen.push(part.name.clone());
        last = Some(part);
    }
    assert_eq!(seen, sorted);
}

#[test]
fn a_stale_cursor_is_still_a_place() {
    let app = App::in_memory().unwrap();
    app.parts.insert_many(["a", "b", "c", "d"].map(|name| part(name, 1.0))).unwrap();
    let query = app.parts.order_by(Part::NAME).limit(2);
    let last = query.all().unwrap().pop().unwrap();
    let names = |rows: Vec<Part>| rows.into_iter().map(|part| part.name).collect::<Vec<_>>();
    // Its row goes elsewhere in the order, and is then removed.
    app.parts.update(&last.id, |part| part.name = "z".into()).unwrap();
    assert_eq!(names(query.clone().after(&last).all().unwrap()), ["c", "d"]);
    app.parts.remove(&last.id).unwrap();
    assert_eq!(names(query.clone().after(&last).all().unwrap()), ["c", "d"]);
    // One that was never stored is a place as well.
    assert_eq!(names(query.clone().after(&part("bb", 0.0)).all().unwrap()), ["c", "d"]);
    assert_eq!(names(query.before(&part("bb", 0.0)).all().unwrap()), ["a"]);
}

#[test]
fn a_row_may_refer_to_itself() {
    let app = App::in_memory().unwrap();
    let mut own = part("own", 1.0);
    own.of = Some(Ref::to(&own));
    app.parts.insert(&own).unwrap();
    assert_eq!(app.parts.referrers(Part::OF, &own.id).count().unwrap(), 1);
    let pairs = app.parts.query().with(Part::OF).unwrap();
    assert_eq!(pairs, [(own.clone(), Some(own.clone()))]);
    assert!(app.dangling().unwrap().is_empty());
    app.parts.remove(&own.id).unwrap();
    assert_eq!(app.parts.len().unwrap(), 0);
}

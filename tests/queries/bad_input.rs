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

/// The same within a transaction, over what it has written, and on a snapshot, which has seen none of it.
mod within {
    use heirloom::query::count;
    use heirloom::{ErrorKind, Id, Ref, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::{App, Part, part};
    use crate::support::{exchange, refused};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "shares")]
    struct Share {
        #[key]
        id: u32,
        #[index]
        group: u8,
        units: i64,
        #[index(unique)]
        name: String,
        #[check(100 / parts >= 1)]
        parts: u32,
    }

    #[derive(Store)]
    #[store(name = "shares")]
    struct Shares {
        shares: Table<Share>,
    }

    fn share(id: u32, units: i64) -> Share {
        Share { id, group: 1, units, name: format!("share {id}"), parts: 1 }
    }

    #[test]
    fn a_sum_out_of_range_names_the_row_and_the_column() {
        let app = Shares::in_memory().unwrap();
        app.shares.insert(&share(1, i64::MAX)).unwrap();
        let place = |error: heirloom::Error| {
            assert_eq!(error.kind(), ErrorKind::InvalidValue, "{error}");
            assert!(error.store().is_some(), "{error}");
            (error.key().unwrap().to_owned(), error.field().unwrap().to_owned())
        };
        let before = app.snapshot().unwrap();
        app.transaction(|tx| {
            tx.insert(&share(2, 1))?;
            let expected = ("2".to_owned(), "units".to_owned());
            assert_eq!(place(refused(tx.query::<Share>().sum(Share::UNITS))), expected);
            let groups = tx.query::<Share>().group_by(Share::GROUP);
            assert_eq!(place(refused(groups.sum(Share::UNITS))), expected);
            // A row that is taken away again makes no difference.
            tx.update::<Share>(&2, |share| share.units = -1)?;
            assert_eq!(tx.query::<Share>().sum(Share::UNITS)?, i64::MAX - 1);
            tx.update::<Share>(&2, |share| share.units = 7).map(drop)
        })
        .unwrap();
        assert_eq!(before.query::<Share>().sum(Share::UNITS).unwrap(), i64::MAX);
        let after = app.snapshot().unwrap();
        assert_eq!(place(refused(after.query::<Share>().sum(Share::UNITS))).1, "units");
        let groups = after.query::<Share>().group_by(Share::GROUP);
        assert_eq!(place(refused(groups.sum(Share::UNITS))).0, "2");
    }

    #[test]
    fn nan_is_refused_and_meets_no_condition() {
        let app = App::in_memory().unwrap();
        app.parts.insert(&part("a", 1.5)).unwrap();
        let conditions = || {
            [
                Part::WEIGHT.eq(f64::NAN),
                Part::WEIGHT.gt(f64::NAN),
                Part::WEIGHT.between(0.0, f64::NAN),
                Part::WEIGHT.is_in([f64::NAN]),
            ]
        };
        app.transaction(|tx| {
            tx.insert(&part("b", 2.5))?;
            assert_eq!(refused(tx.insert(&part("c", f64::NAN))).kind(), ErrorKind::InvalidValue);
            let worse = tx.query::<Part>().update_all(|part| part.weight = f64::NAN);
            assert_eq!(refused(worse).kind(), ErrorKind::InvalidValue);
            for condition in conditions() {
                assert_eq!(tx.filter(condition).count()?, 0);
            }
            assert_eq!(tx.query::<Part>().sum(Part::WEIGHT)?, 4.0);
            Ok(())
        })
        .unwrap();
        let snap = app.snapshot().unwrap();
        assert!(conditions().into_iter().all(|nan| snap.filter(nan).count().unwrap() == 0));
        assert_eq!(snap.query::<Part>().sum(Part::WEIGHT).unwrap(), 4.0);
    }

    #[test]
    fn nothing_has_no_groups() {
        let app = App::in_memory().unwrap();
        let one = part("a", 2.0);
        app.parts.insert(&one).unwrap();
        let before = app.snapshot().unwrap();
        app.transaction(|tx| {
            assert!(tx.remove::<Part>(&one.id)?);
            let groups = tx.query::<Part>().group_by(Part::NAME);
            assert_eq!(groups.aggregate((count(), Part::WEIGHT.sum())).all()?, []);
            assert_eq!(tx.query::<Part>().sum(Part::WEIGHT)?, 0.0);
            assert_eq!(tx.query::<Part>().avg(Part::WEIGHT)?, None);
            assert_eq!(tx.query::<Part>().max(Part::NAME)?, None);
            Ok(())
        })
        .unwrap();
        let groups = |snap: &heirloom::Snapshot<App>| {
            snap.query::<Part>().group_by(Part::NAME).aggregate(count()).all().unwrap()
        };
        assert_eq!(groups(&before), [("a".to_owned(), 1)]);
        assert_eq!(groups(&app.snapshot().unwrap()), []);
    }

    #[test]
    fn texts_written_and_stored_stand_in_one_order() {
        let app = App::in_memory().unwrap();
        let mut names = ["é", "e\u{301}", "", "\0", "\0\u{1}", "\u{10FFFF}", "🦀", "ﬀ", "%_\\"];
        for (number, name) in names.iter().enumerate().filter(|(number, _)| number % 2 == 0) {
            app.parts.insert(&part(name, number as f64)).unwrap();
        }
        let in_order = app
            .transaction(|tx| {
                for name in names.iter().skip(1).step_by(2) {
                    tx.insert(&part(name, 1.0))?;
                }
                for name in names {
                    assert_eq!(tx.filter(Part::NAME.eq(name)).count()?, 1, "{name:?}");
                }
                tx.order_by(Part::NAME).select(Part::NAME).all()
            })
            .unwrap();
        names.sort_unstable();
        assert_eq!(in_order, names);
        let snap = app.snapshot().unwrap();
        assert_eq!(snap.order_by(Part::NAME).select(Part::NAME).all().unwrap(), names);
    }

    #[test]
    fn a_stale_cursor_is_still_a_place() {
        let app = App::in_memory().unwrap();
        app.parts.insert_many(["a", "b", "c", "d"].map(|name| part(name, 1.0))).unwrap();
        let last = app.parts.filter(Part::NAME.eq("b")).one().unwrap();
        let names = |rows: Vec<Part>| rows.into_iter().map(|part| part.name).collect::<Vec<_>>();
        let before = app.snapshot().unwrap();
        app.transaction(|tx| {
            tx.update::<Part>(&last.id, |part| part.name = "z".into())?;
            tx.insert(&part("bb", 1.0))?;
            let page = tx.order_by(Part::NAME).after(&last).limit(2).all()?;
            assert_eq!(names(page), ["bb", "c"]);
            tx.remove::<Part>(&last.id)?;
            let page = tx.order_by(Part::NAME).after(&last).all()?;
            assert_eq!(names(page), ["bb", "c", "d"]);
            let page = tx.order_by(Part::NAME).before(&last).all()?;
            assert_eq!(names(page), ["a"]);
            Ok(())
        })
        .unwrap();
        let page = before.order_by(Part::NAME).after(&last).all().unwrap();
        assert_eq!(names(page), ["c", "d"]);
        let after = app.snapshot().unwrap();
        assert_eq!(names(after.order_by(Part::NAME).after(&last).all().unwrap()), ["bb", "c", "d"]);
    }

    #[test]
    fn circles_of_references_are_made_and_end_in_one_transaction() {
        let app = App::in_memory().unwrap();
        let (mut own, mut first, mut second) = (part("own", 1.0), part("1", 1.0), part("2", 1.0));
        own.of = Some(Ref::to(&own));
        first.of = Some(Ref::to(&second));
        second.of = Some(Ref::to(&first));
        app.transaction(|tx| {
            for part in [&own, &first, &second] {
                tx.insert(part)?;
            }
            assert_eq!(tx.referrers(Part::OF, &own.id).count()?, 1);
            assert_eq!(own.of.as_ref().unwrap().get(&*tx)?, Some(own.clone()));
            Ok(())
        })
        .unwrap();
        let before = app.snapshot().unwrap();
        app.transaction(|tx| Ok(tx.remove::<Part>(&own.id)? && tx.remove::<Part>(&first.id)?))
            .unwrap();
        assert!(app.parts.is_empty().unwrap());
        assert_eq!(before.len::<Part>().unwrap(), 3);
        assert_eq!(before.referrers(Part::OF, &second.id).one().unwrap(), first);
        assert_eq!(before.query::<Part>().with(Part::OF).unwrap().len(), 3);
        // Both made and removed, it was never there.
        app.transaction(|tx| {
            tx.insert(&first)?;
            tx.insert(&second)?;
            tx.remove::<Part>(&second.id).map(drop)
        })
        .unwrap();
        assert!(app.parts.is_empty().unwrap() && app.dangling().unwrap().is_empty());
    }

    #[test]
    fn one_value_of_two_rows_is_found_in_the_same_one() {
        let (a, b) = (Shares::in_memory().unwrap(), Shares::in_memory().unwrap());
        let named = |id| Share { name: "both".into(), ..share(id, 1) };
        a.shares.insert(&named(2)).unwrap();
        b.shares.insert(&named(1)).unwrap();
        exchange(&a, &b);
        for app in [&a, &b] {
            let snap = app.snapshot().unwrap();
            assert_eq!(snap.get_by(Share::NAME, "both").unwrap().unwrap().id, 1);
            app.transaction(|tx| {
                assert_eq!(tx.get_by(Share::NAME, "both")?.map(|found: Share| found.id), Some(1));
                assert!(!tx.insert_or_ignore(&named(3))?);
                // One that has it already may be changed otherwise.
                tx.update::<Share>(&2, |share| share.units = 9).map(drop)
            })
            .unwrap();
            let third = refused(app.transaction(|tx| tx.insert(&named(3))));
            assert_eq!(third.kind(), ErrorKind::NotUnique, "{third}");
            assert_eq!(app.shares.conflicts().unwrap().len(), 1);
        }
    }

    #[test]
    fn a_rule_that_panics_refuses_its_write_alone() {
        let app = Shares::in_memory().unwrap();
        app.transaction(|tx| {
            let bad = Share { parts: 0, ..share(1, 1) };
            for error in [
                refused(tx.insert(&bad)),
                refused(tx.put(&bad)),
                refused(tx.insert_many::<Share, _>([&share(2, 1), &bad])),
            ] {
                assert_eq!(error.kind(), ErrorKind::CheckFailed);
                assert!(error.to_string().contains("panicked"), "{error}");
            }
            tx.insert(&share(3, 1))
        })
        .unwrap();
        // Of several rows those before it are part of the transaction, which went on.
        let keys = app.shares.query().keys().unwrap();
        assert_eq!(keys, [2, 3]);
        let error = refused(app.transaction(|tx| {
            tx.update::<Share>(&3, |share| share.units = 5)?;
            tx.query::<Share>().update_all(|share| share.parts = 0)
        }));
        assert_eq!((error.kind(), error.key()), (ErrorKind::CheckFailed, Some("2")));
        assert_eq!(app.shares.get(&3).unwrap(), Some(share(3, 1)));
    }

    #[test]
    fn a_condition_in_code_sees_what_is_written() {
        let app = App::in_memory().unwrap();
        app.parts.insert_many(["a", "b", "c"].map(|name| part(name, 1.0))).unwrap();
        let first: Id<Part> = app.parts.limit(1).one().unwrap().id;
        let before = app.snapshot().unwrap();
        app.transaction(|tx| {
            tx.insert(&part("d", 4.0))?;
            assert_eq!(tx.filter_by(|part: &Part| part.weight > 2.0).one()?.name, "d");
            assert_eq!(tx.limit::<Part>(1).keys()?, [first]);
            assert_eq!(tx.filter_by(|part: &Part| part.name.as_str() < "c").remove_all()?, 2);
            Ok(())
        })
        .unwrap();
        assert_eq!(before.filter_by(|part: &Part| part.weight > 2.0).count().unwrap(), 0);
        assert_eq!(before.limit::<Part>(2).all().unwrap().len(), 2);
        assert_eq!(app.parts.filter_by(|part| part.weight > 2.0).count().unwrap(), 1);
        assert_eq!(app.parts.len().unwrap(), 2);
    }
}

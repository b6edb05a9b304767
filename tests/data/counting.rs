//! Counting and summing from an index read blocks instead of entries, and are exact whatever was done to it.

use std::collections::BTreeMap;

use crate::support::{assert_sound, exchange, place};
use heirloom::query::count;
use heirloom::{Store, Table};
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod bare {
    use super::*;

    #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "points")]
    pub struct Point {
        #[key]
        pub id: u32,
        pub x: u16,
    }

    #[derive(Store)]
    #[store(name = "plane")]
    pub struct Plane {
        pub points: Table<Point>,
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "points", index(x, id))]
struct Point {
    #[key]
    id: u32,
    #[index]
    x: u16,
    #[index]
    y: Option<i64>,
}

#[derive(Store)]
#[store(name = "plane")]
struct Plane {
    points: Table<Point>,
}

/// A write of the rows with these ids, at once.
#[derive(Debug, Clone)]
enum Step {
    /// They are there, `x` being the id times this, so that many have the same.
    Put {
        from: u32,
        rows: u32,
        times: u32,
        remote: bool,
    },
    Remove {
        from: u32,
        rows: u32,
        remote: bool,
    },
    /// One after another, each in a commit of its own.
    Singly {
        from: u32,
        rows: u32,
        times: u32,
    },
    Rebuild,
}

const IDS: u32 = 6_000;

fn step() -> impl Strategy<Value = Step> {
    let times = prop_oneof![Just(1_u32), Just(7_919), Just(0), 0..50_u32];
    let part = || (0..IDS, prop_oneof![0..40_u32, 0..IDS], any::<bool>());
    prop_oneof![
        4 => (part(), times.clone()).prop_map(|((from, rows, remote), times)| {
            Step::Put { from, rows, times, remote }
        }),
        3 => part().prop_map(|(from, rows, remote)| Step::Remove { from, rows, remote }),
        2 => (0..IDS, 0..12_u32, times)
            .prop_map(|(from, rows, times)| Step::Singly { from, rows, times }),
        1 => Just(Step::Rebuild),
    ]
}

fn point(id: u32, times: u32) -> Point {
    // Numbers fold over, so that they come in no order.
    let x = u16::try_from(id.wrapping_mul(times) % 10_007).unwrap();
    let y = match x % 8 {
        0 => None,
        1 => Some(i64::MAX - i64::from(x)),
        2 => Some(i64::MIN + i64::from(x)),
        _ => Some(i64::from(x) * i64::from(times) - 1_000),
    };
    Point { id, x, y }
}

/// Does it to a store and to a plain map.
fn run(step: &Step, app: &Plane, peer: &Plane, model: &mut BTreeMap<u32, Point>) {
    let store = |remote: bool| if remote { peer } else { app };
    match *step {
        Step::Put { from, rows, times, remote } => {
            let points: Vec<Point> =
                (from..(from + rows).min(IDS)).map(|id| point(id, times)).collect();
            model.extend(points.iter().map(|point| (point.id, point.clone())));
            store(remote).transaction(|tx| points.iter().try_for_each(|row| tx.put(row))).unwrap();
        }
        Step::Remove { from, rows, remote } => {
            let ids = Point::ID.between(from, from + rows);
            store(remote).points.filter(ids).remove_all().unwrap();
            model.retain(|id, _| !(from..=from + rows).contains(id));
        }
        Step::Singly { from, rows, times } => {
            for id in from..(from + rows).min(IDS) {
                app.points.put(&point(id, times)).unwrap();
                model.insert(id, point(id, times));
            }
        }
        Step::Rebuild => app.rebuild_indexes().unwrap(),
    }
    exchange(app, peer);
}

fn assert_counts(app: &Plane, model: &BTreeMap<u32, Point>, bounds: &[(u16, u16)]) {
    for &(low, high) in bounds {
        let between = |test: &dyn Fn(u16) -> bool| model.values().filter(|row| test(row.x)).count();
        let count = |condition| app.points.filter(condition).count().unwrap();
        assert_eq!(
            count(Point::X.between(low, high)),
            between(&|x| (low..=high).contains(&x)),
            "{low}..={high}"
        );
        assert_eq!(
            count(Point::X.gt(low) & Point::X.lt(high)),
            between(&|x| low < x && x < high),
            "{low}<..<{high}"
        );
        assert_eq!(count(Point::X.le(low)), between(&|x| x <= low));
        assert_eq!(count(Point::X.gt(low)), between(&|x| x > low));
        assert_eq!(count(Point::X.eq(low)), between(&|x| x == low));
        assert_eq!(count(Point::X.ne(low)), between(&|x| x != low));
        let after = model.values().filter(|row| row.x == low && row.id > u32::from(high)).count();
        assert_eq!(count(Point::X.eq(low) & Point::ID.gt(u32::from(high))), after);
        assert_sums(app, model, low, high);
    }
}

fn assert_sums(app: &Plane, model: &BTreeMap<u32, Point>, low: u16, high: u16) {
    let rows: Vec<&Point> = model.values().filter(|row| (low..=high).contains(&row.x)).collect();
    let some = app.points.filter(Point::X.between(low, high));
    let total = rows.iter().map(|row| u64::from(row.x)).sum::<u64>();
    assert_eq!(some.sum(Point::X).unwrap(), total);
    let both = some.aggregate((count(), Point::X.avg()));
    let mean = (!rows.is_empty()).then(|| total as f64 / rows.len() as f64);
    assert_eq!(both.get().unwrap(), (rows.len(), mean));

    let (low, high) = (i64::from(low) - 1_000, i64::from(high) * 40);
    for some in [Point::Y.between(low, high), Point::Y.ge(low), Point::Y.le(high)] {
        let values: Vec<i128> = model
            .values()
            .filter(|row| some.matches(row))
            .filter_map(|row| row.y.map(i128::from))
            .collect();
        let (sum, total) = (app.points.filter(some).sum(Point::Y), values.iter().sum::<i128>());
        match (sum, i64::try_from(total)) {
            (Ok(sum), Ok(total)) => assert_eq!(sum, total),
            // The row at which it left the range is named, which blocks do not tell.
            (Err(error), Err(_)) => assert!(error.key().is_some(), "{error}"),
            (sum, total) => panic!("{sum:?} {total:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn counts_are_those_of_a_plain_map(
        steps in prop::collection::vec(step(), 1..12),
        bounds in prop::collection::vec((0..10_010_u16, 0..10_010_u16), 6),
    ) {
        let (_folder, path) = place();
        let mut model = BTreeMap::new();
        {
            let (app, peer) = (Plane::open(&path).unwrap(), Plane::in_memory().unwrap());
            for step in &steps {
                run(step, &app, &peer, &mut model);
                assert_counts(&app, &model, &bounds);
                assert_counts(&peer, &model, &bounds);
            }
        }
        // Which compares every block with the entries in it.
        assert_sound::<Plane>(&path);
        assert_counts(&Plane::open(&path).unwrap(), &model, &bounds);
    }
}

#[test]
fn a_count_of_many_entries_reads_few() {
    let app = Plane::in_memory().unwrap();
    let read = || {
        let before = app.handle().touched();
        let count = app.points.filter(Point::X.between(10_000_u16, 49_999_u16)).count().unwrap();
        let after = app.handle().touched();
        assert_eq!((count, after.0), (40_000, before.0));
        after.1 - before.1
    };
    app.points.insert_many((0..60_000).map(|id| Point { id, x: id as u16, y: None })).unwrap();
    // Blocks between, and at most one block of entries at each end.
    assert!(read() < 40_000 / 256 + 2 + 2 * 512, "{}", read());
    // The same when it grew one commit after another.
    app.points.query().remove_all().unwrap();
    for start in (0..60_000).step_by(1_000) {
        let x = |id: u32| (id * 7_919 % 60_000) as u16;
        let rows = (start..start + 1_000).map(|id| Point { id, x: x(id), y: None });
        app.points.insert_many(rows).unwrap();
    }
    assert!(read() < 40_000 / 128 + 2 + 2 * 512, "{}", read());
}

#[test]
fn a_sum_of_many_entries_reads_few() {
    let app = Plane::in_memory().unwrap();
    app.points.insert_many((0..60_000).map(|id| point(id, 3))).unwrap();
    let some = app.points.filter(Point::X.between(1_000_u16, 8_999_u16));
    let rows = some.all().unwrap();
    assert!(rows.len() > 40_000);
    let before = app.handle().touched();
    let sum = some.sum(Point::X).unwrap();
    let after = app.handle().touched();
    assert_eq!(sum, rows.iter().map(|row| u64::from(row.x)).sum::<u64>());
    assert_eq!(after.0, before.0);
    assert!(after.1 - before.1 < 60_000 / 256 + 2 + 2 * 512, "{}", after.1 - before.1);
}

#[test]
fn an_index_that_is_built_later_counts_by_blocks_too() {
    let (_folder, path) = place();
    let rows = (0..25_000).map(|id| bare::Point { id, x: (id % 10_000) as u16 });
    bare::Plane::open(&path).unwrap().points.insert_many(rows).unwrap();
    {
        let app = Plane::open(&path).unwrap();
        app.points.put(&Point { id: 30_000, x: 5, y: Some(7) }).unwrap();
        app.build_indexes().unwrap();
        assert_eq!(app.points.filter(Point::X.lt(100)).count().unwrap(), 301);
        assert_eq!(app.points.filter(Point::X.ge(100)).count().unwrap(), 24_700);
        assert_eq!(app.points.query().sum(Point::Y).unwrap(), 7);
    }
    assert_sound::<Plane>(&path);
}

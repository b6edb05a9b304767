//! Conditions, orders and indexes against Rust's own operators, for the types that rows are made of.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};
use heirloom::query::SortKey;
use heirloom::{Column, Comparable, ErrorKind, Id, Store, Table};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Declared in another order than that of the stored names.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Level {
    Low,
    Medium,
    High,
}

const LEVELS: [Level; 3] = [Level::Low, Level::Medium, Level::High];

/// Says how it compares, so that types with text beside it compare as well.
#[derive(
    Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema, Comparable,
)]
enum Grade {
    Low,
    High,
}

#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
enum Shape {
    Zero,
    Square(f64),
    Circle { radius: u32, level: Level },
}

/// Stored as text.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
struct Offset(i64);

impl Comparable for Offset {
    fn sort_key(&self, key: &mut SortKey<'_>) {
        key.push(&self.0);
    }
}

impl TryFrom<String> for Offset {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl From<Offset> for String {
    fn from(offset: Offset) -> Self {
        offset.0.to_string()
    }
}

#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema, Comparable)]
#[serde(tag = "kind")]
enum Media {
    Film { title: String, shape: Shape },
    Book { title: String, price: Decimal },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Perms {
    roles: HashSet<String>,
    more: HashMap<u8, HashSet<u8>>,
}

macro_rules! goods {
    ($row:ident, $index:meta) => {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
        #[table(name = "goods")]
        struct $row {
            #[key]
            id: u32,
            #[$index]
            price: Decimal,
            #[$index]
            at: Timestamp,
            #[$index]
            local: DateTime<FixedOffset>,
            #[$index]
            utc: DateTime<Utc>,
            #[$index]
            took: SignedDuration,
            #[$index]
            lasts: Duration,
            #[$index]
            level: Level,
            #[$index]
            shape: Shape,
            #[$index]
            offset: Option<Offset>,
            #[$index]
            host: IpAddr,
            #[$index]
            path: PathBuf,
            #[$index]
            media: Media,
            #[$index]
            pair: (Grade, Decimal),
            #[$index]
            float: f64,
            #[$index]
            perms: Perms,
            #[$index]
            json: serde_json::Value,
            #[$index]
            map: BTreeMap<String, Grade>,
        }
    };
}

goods!(Goods, index);
goods!(Plain, cfg(all()));

#[derive(Store)]
#[store(name = "goods")]
struct App {
    goods: Table<Goods>,
}

#[derive(Store)]
#[store(name = "goods")]
struct PlainApp {
    goods: Table<Plain>,
}

fn goods() -> impl Strategy<Value = Goods> {
    let decimal =
        || (-20..20_i64, 0..3_u32).prop_map(|(digits, scale)| Decimal::new(digits, scale));
    let nanos =
        || (-2..3_i64, 0..3_i64).prop_map(|(s, half)| s * 1_000_000_000 + half * 250_000_000);
    let shape = || {
        prop_oneof![
            Just(Shape::Zero),
            (-1..2_i8).prop_map(|side| Shape::Square(f64::from(side) * 0.1)),
            (9..11_u32, prop::sample::select(LEVELS.to_vec()))
                .prop_map(|(radius, level)| Shape::Circle { radius, level }),
        ]
    };
    let media = prop_oneof![
        ("[ab]{0,2}", shape()).prop_map(|(title, shape)| Media::Film { title, shape }),
        ("[ab]{0,2}", decimal()).prop_map(|(title, price)| Media::Book { title, price }),
    ];
    let level = || prop::sample::select(LEVELS.to_vec());
    let grade = || prop::sample::select(vec![Grade::Low, Grade::High]);
    let perms = (
        prop::collection::hash_set("[a-d]", 0..4),
        prop::collection::hash_map(0..3_u8, prop::collection::hash_set(0..3_u8, 0..3), 0..3),
    )
        .prop_map(|(roles, more)| Perms { roles, more });
    let host = prop_oneof![
        Just("9.0.0.1"),
        Just("10.0.0.1"),
        Just("::1"),
        Just("fe80::1"),
        Just("10.0.0.9")
    ]
    .prop_map(|host| host.parse().unwrap());
    let path = prop_oneof![Just("a/b"), Just("a//b"), Just("a-b"), Just("a"), Just("a/")];
    let json = prop_oneof![
        Just(serde_json::json!(1)),
        Just(serde_json::json!(1.0)),
        Just(serde_json::json!([{"a": 1}]))
    ];
    let times = (nanos(), nanos(), -2..3_i32, nanos());
    let scalars = (decimal(), times, 0..3_u64, level(), shape(), prop::option::of(-12..12_i64));
    let others =
        (host, path, media, (grade(), decimal()), prop_oneof![Just(0.0), Just(-0.0), Just(1.5)]);
    let sets = (perms, json, prop::collection::btree_map("[ab]", grade(), 0..3));
    (scalars, others, sets).prop_map(|(scalars, others, sets)| {
        let (price, (at, local, offset, took), lasts, level, shape, own) = scalars;
        let (host, path, media, pair, float) = others;
        let (perms, json, map) = sets;
        let zone = FixedOffset::east_opt(offset * 3600).unwrap();
        Goods {
            id: 0,
            price,
            at: Timestamp::from_nanosecond(at.into()).unwrap(),
            local: DateTime::from_timestamp_nanos(local).with_timezone(&zone),
            utc: DateTime::from_timestamp_nanos(local),
            took: SignedDuration::from_nanos(took),
            lasts: Duration::from_millis(lasts * 700),
            level,
            shape,
            offset: own.map(Offset),
            host,
            path: path.into(),
            media,
            pair,
            float,
            perms,
            json,
            map,
        }
    })
}

/// Asks both stores for what the rows say themselves.
struct Checked {
    app: App,
    plain: PlainApp,
    rows: Vec<Goods>,
}

impl Checked {
    fn new(mut rows: Vec<Goods>) -> Self {
        let (app, plain) = (App::in_memory().unwrap(), PlainApp::in_memory().unwrap());
        for (row, id) in rows.iter_mut().zip(0..) {
            row.id = id;
            app.goods.insert(row).unwrap();
            let json = serde_json::to_value(&*row).unwrap();
            plain.goods.insert(&serde_json::from_value(json).unwrap()).unwrap();
        }
        app.build_indexes().unwrap();
        Self { app, plain, rows }
    }

    #[track_caller]
    fn equality<T: PartialEq + Debug + 'static, C, D>(
        &self,
        column: Column<Goods, T, C>,
        plain: Column<Plain, T, D>,
        field: fn(&Goods) -> &T,
    ) {
        for row in &self.rows {
            let value = field(row);
            let equal: Vec<u32> = self.ids(|other| field(other) == value);
            assert_eq!(self.app.goods.filter(column.eq(value)).keys().unwrap(), equal, "{value:?}");
            assert_eq!(self.plain.goods.filter(plain.eq(value)).keys().unwrap(), equal);
            assert_eq!(self.plain.goods.filter(plain.is_in([value])).keys().unwrap(), equal);
            let other: Vec<u32> = self.ids(|other| field(other) != value);
            assert_eq!(self.app.goods.filter(column.ne(value)).keys().unwrap(), other, "{value:?}");
        }
    }

    #[track_caller]
    fn order<T: PartialOrd + Debug + 'static, C, D>(
        &self,
        column: Column<Goods, T, C>,
        plain: Column<Plain, T, D>,
        field: fn(&Goods) -> &T,
    ) {
        self.equality(column, plain, field);
        for (row, other) in self.rows.iter().zip(self.rows.iter().rev()) {
            let (low, high) = (field(row), field(other));
            let less = self.ids(|row| field(row) < low);
            assert_eq!(self.app.goods.filter(column.lt(low)).keys().unwrap(), less, "{low:?}");
            assert_eq!(self.plain.goods.filter(plain.lt(low)).keys().unwrap(), less, "{low:?}");
            let between = self.ids(|row| low <= field(row) && field(row) <= high);
            let asked = self.app.goods.filter(column.between(low, high));
            assert_eq!(asked.keys().unwrap(), between, "{low:?} {high:?}");
            assert_eq!(self.plain.goods.filter(plain.between(low, high)).keys().unwrap(), between);
        }
        let mut sorted: Vec<&Goods> = self.rows.iter().collect();
        sorted.sort_by(|a, b| field(a).partial_cmp(field(b)).unwrap());
        let sorted: Vec<u32> = sorted.into_iter().map(|row| row.id).collect();
        let ids = |rows: Vec<Goods>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(ids(self.app.goods.order_by(column.asc()).all().unwrap()), sorted);
        assert_eq!(self.plain.goods.order_by(plain.asc()).keys().unwrap(), sorted);
        let reversed: Vec<u32> = sorted.into_iter().rev().collect();
        assert_eq!(ids(self.app.goods.order_by(column.desc()).all().unwrap()), reversed);
    }

    fn ids(&self, holds: impl Fn(&Goods) -> bool) -> Vec<u32> {
        self.rows.iter().filter(|row| holds(row)).map(|row| row.id).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn scans_indexes_and_orders_say_what_rust_says(rows in prop::collection::vec(goods(), 1..14)) {
        let checked = Checked::new(rows);
        checked.order(Goods::PRICE, Plain::PRICE, |row| &row.price);
        checked.order(Goods::AT, Plain::AT, |row| &row.at);
        checked.order(Goods::LOCAL, Plain::LOCAL, |row| &row.local);
        checked.order(Goods::UTC, Plain::UTC, |row| &row.utc);
        checked.order(Goods::TOOK, Plain::TOOK, |row| &row.took);
        checked.order(Goods::LASTS, Plain::LASTS, |row| &row.lasts);
        checked.order(Goods::LEVEL, Plain::LEVEL, |row| &row.level);
        checked.order(Goods::SHAPE, Plain::SHAPE, |row| &row.shape);
        checked.order(Goods::OFFSET, Plain::OFFSET, |row| &row.offset);
        checked.order(Goods::HOST, Plain::HOST, |row| &row.host);
        checked.order(Goods::PATH, Plain::PATH, |row| &row.path);
        checked.order(Goods::MEDIA, Plain::MEDIA, |row| &row.media);
        checked.order(Goods::PAIR, Plain::PAIR, |row| &row.pair);
        checked.order(Goods::FLOAT, Plain::FLOAT, |row| &row.float);
        checked.order(Goods::MAP, Plain::MAP, |row| &row.map);
        checked.equality(Goods::PERMS, Plain::PERMS, |row| &row.perms);
        checked.equality(Goods::JSON, Plain::JSON, |row| &row.json);
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "users")]
struct User {
    id: Id<User>,
    #[index(unique)]
    perms: Perms,
    tags: Vec<Perms>,
}

#[derive(Store)]
#[store(name = "users")]
struct Users {
    users: Table<User>,
}

fn perms() -> Perms {
    Perms {
        roles: (0..30).map(|role| format!("role {role}")).collect(),
        more: (0..9).map(|key| (key, (0..9).collect())).collect(),
    }
}

#[test]
fn equal_sets_are_one_value_to_an_index() {
    let app = Users::in_memory().unwrap();
    for _ in 0..20 {
        let user = User { id: Id::new(), perms: perms(), tags: vec![perms()] };
        app.users.insert(&user).unwrap();
        let again = User { id: Id::new(), perms: perms(), tags: Vec::new() };
        assert_eq!(app.users.insert(&again).unwrap_err().kind(), ErrorKind::NotUnique);
        assert_eq!(app.users.filter(User::PERMS.eq(perms())).count().unwrap(), 1);
        assert_eq!(app.users.filter(User::TAGS.contains(perms())).count().unwrap(), 1);
        assert!(app.users.remove(&user.id).unwrap());
        assert_eq!(app.users.filter(User::PERMS.eq(perms())).count().unwrap(), 0);
    }
}

/// Has an order of its own, of which serde tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum Backwards {
    First,
    Second,
}

impl PartialOrd for Backwards {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some((*other as u8).cmp(&(*self as u8)))
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "steps")]
struct Step {
    #[key]
    id: u32,
    order: Backwards,
}

#[derive(Store)]
#[store(name = "steps")]
struct Steps {
    steps: Table<Step>,
}

#[test]
#[cfg(debug_assertions)]
fn an_order_that_serde_does_not_tell_is_reported() {
    let app = Steps::in_memory().unwrap();
    for (id, order) in [(1, Backwards::First), (2, Backwards::Second)] {
        app.steps.insert(&Step { id, order }).unwrap();
    }
    let error = app.steps.order_by(Step::ORDER).all().unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidValue, Some("order")));
    assert!(error.to_string().contains("`heirloom::Comparable`"), "{error}");
    assert_eq!(app.steps.query().all().unwrap().len(), 2);
}

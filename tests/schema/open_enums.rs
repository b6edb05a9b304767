//! Enums that may grow: old code keeps the variants of newer code, in every place and tagging.

use std::collections::BTreeMap;

use crate::support::{exchange, forge, give, give_rows, place, rows};
use heirloom::schema::Class;
use heirloom::{Comparable, ErrorKind, Id, Kv, Open, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A version of the app. The same structs, and enums with more variants in the second.
macro_rules! version {
    ($name:ident: $($variant:ident)*; [$($data:tt)*] [$($large:tt)*]) => {
        mod $name {
            use super::*;

            #[derive(Debug, Clone, PartialEq, PartialOrd, Eq, Ord, Comparable, Serialize, Deserialize, JsonSchema)]
            #[serde(rename_all = "snake_case")]
            pub enum Status { Pending, Done, $($variant,)* }

            /// Complete for ever.
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
            pub enum Color { Black, White }

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
            pub enum Shape {
                Point,
                Circle { radius: f64 },
                Line(i32, i32),
                $($variant,)*
                $($data)*
                $($large)*
            }

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
            #[serde(tag = "kind")]
            pub enum Event {
                Started,
                Moved { to: u32, color: Color, shape: Option<Open<Shape>> },
                $($variant,)*
                $($data)*
            }

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
            #[serde(tag = "t", content = "c")]
            pub enum Step {
                Wait,
                Paint(Color),
                Walk(Open<Shape>),
                $($variant,)*
                $($data)*
            }

            /// Enums that serde reads from a buffer, with an open one inside.
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
            #[serde(tag = "type")]
            pub enum Outer {
                Holder { shape: Open<Shape>, status: Open<Status> },
            }

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
            #[table(name = "jobs")]
            pub struct Job {
                #[key]
                pub id: u32,
                pub title: String,
                #[index]
                #[evolve(default = Open::Known(Status::Pending))]
                pub status: Open<Status>,
                pub maybe: Option<Open<Status>>,
                #[evolve(default)]
                pub shapes: Vec<Open<Shape>>,
                #[evolve(default)]
                pub events: BTreeMap<String, Open<Event>>,
                pub step: Option<Open<Step>>,
                #[evolve(default)]
                pub counts: BTreeMap<Open<Status>, u32>,
                pub outer: Option<Outer>,
                pub pair: Option<(Open<Status>, Open<Shape>)>,
                pub nested: Option<Option<Open<Status>>>,
            }

            impl Job {
                pub fn new(id: u32) -> Self {
                    Self {
                        id,
                        title: "a job".into(),
                        status: Status::Pending.into(),
                        maybe: None,
                        shapes: vec![],
                        events: BTreeMap::new(),
                        step: None,
                        counts: BTreeMap::new(),
                        outer: None,
                        pair: None,
                        nested: None,
                    }
                }
            }

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
            #[kv(name = "settings")]
            pub struct Settings {
                #[evolve(default = Open::Known(Status::Done))]
                pub status: Open<Status>,
                #[evolve(default)]
                pub shapes: Vec<Open<Shape>>,
                pub event: Option<Open<Event>>,
            }

            #[derive(Store)]
            #[store(name = "notebook")]
            pub struct App {
                pub jobs: Table<Job>,
                pub settings: Kv<Settings>,
            }
        }
    };
}

version!(v1:; [] []);
version!(
    v2: Archived;
    [Blob { size: u64, deep: Vec<Option<f64>>, text: String },]
    // serde reads no such number in an enum with a tag.
    [Large { size: u64, deep: Vec<Option<f64>>, text: String },]
);

fn blob() -> v2::Shape {
    v2::Shape::Large {
        size: u64::MAX,
        deep: vec![Some(0.1), None, Some(1e300), Some(-0.0)],
        text: "a \"quoted\"\n\u{2028}ü".into(),
    }
}

/// The job of the second version with what the first does not know at every place.
fn newer_job(id: u32) -> v2::Job {
    let event = v2::Event::Blob { size: 7, deep: vec![None], text: "e".into() };
    let moved = v2::Event::Moved {
        to: 1,
        color: v2::Color::White,
        shape: Some(v2::Shape::Archived.into()),
    };
    let step = v2::Step::Blob { size: 8, deep: vec![], text: "s".into() };
    let status = || Open::Known(v2::Status::Archived);
    v2::Job {
        status: status(),
        maybe: Some(status()),
        shapes: vec![v2::Shape::Point.into(), blob().into(), v2::Shape::Archived.into()],
        events: BTreeMap::from([("e".into(), event.into()), ("m".into(), moved.into())]),
        step: Some(step.into()),
        counts: BTreeMap::from([(v2::Status::Done.into(), 1), (status(), 2)]),
        // With an unknown variant inside a known one.
        outer: Some(v2::Outer::Holder { shape: v2::Shape::Archived.into(), status: status() }),
        pair: Some((status(), blob().into())),
        nested: Some(Some(status())),
        ..v2::Job::new(id)
    }
}

/// Code that reads no job, and so shows each as it is stored.
mod blind {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "jobs")]
    pub struct Job {
        #[key]
        pub id: u32,
        pub nowhere: u8,
    }

    #[derive(Store)]
    #[store(name = "notebook")]
    pub struct App {
        pub jobs: Table<Job>,
    }
}

/// The rows as they are stored, by key.
fn raw<S: Store>(app: &S) -> BTreeMap<String, String> {
    let raw = blind::App::in_memory().unwrap();
    give_rows(app, &raw);
    let rows = raw.jobs.invalid().unwrap();
    rows.iter().map(|row| (row.key().to_owned(), row.json().to_owned())).collect()
}

/// The job 1 with one field, as another program may have written it.
fn with_forged<S: Store>(app: S, field: &str) -> S {
    let row = format!(r#"{{"id":1,"title":"a job",{field}}}"#);
    let update = forge::update(7, 0, "table:jobs", &[("1", forge::Value::Text(&row))]);
    app.apply(&forge::changes(&update)).unwrap();
    app
}

#[test]
fn old_code_reads_edits_and_gives_on_what_newer_code_wrote_in_one_file() {
    let (_folder, path) = place();
    let job = newer_job(1);
    let event = v2::Event::Archived;
    {
        let app = v2::App::open(&path).unwrap();
        app.jobs.insert(&job).unwrap();
        app.settings.status.set(&v2::Status::Archived).unwrap();
        app.settings.shapes.set(&vec![blob().into()]).unwrap();
        app.settings.event.set(&Some(event.clone().into())).unwrap();
    }
    let before;
    {
        let app = v1::App::open(&path).unwrap();
        before = raw(&app);
        let read = app.jobs.get(&1).unwrap().unwrap();
        let Open::Unknown(unknown) = &read.status else { panic!("{read:?}") };
        assert_eq!(unknown.json(), "\"archived\"");
        assert_eq!(read.shapes[0], v1::Shape::Point);
        let Open::Unknown(unknown) = &read.shapes[1] else { panic!("{read:?}") };
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(json(unknown.json()), json(&serde_json::to_string(&blob()).unwrap()));
        assert!(app.jobs.invalid().unwrap().is_empty());

        // An edit beside it leaves what is stored as it is.
        app.jobs.update(&1, |job| job.title.push('!')).unwrap();
        assert_eq!(raw(&app)["1"], before["1"].replace("a job", "a job!"));
        // A whole row that was read, under another key.
        let mut copy = read.clone();
        copy.id = 2;
        app.jobs.put(&copy).unwrap();
        // Back to a variant that this code knows, and the same unknown one again.
        app.jobs.update(&1, |job| job.status = v1::Status::Done.into()).unwrap();
        app.jobs.update(&1, |job| job.status = copy.status.clone()).unwrap();

        let Open::Unknown(status) = app.settings.status.get().unwrap() else { panic!() };
        assert_eq!(status.json(), "\"archived\"");
        let mut settings = app.settings.get().unwrap();
        settings.shapes.push(v1::Shape::Line(1, 2).into());
        app.settings.shapes.set(&settings.shapes).unwrap();
        app.settings.event.set(&settings.event).unwrap();
        app.settings.status.set(&settings.status).unwrap();
    }
    let app = v2::App::open(&path).unwrap();
    let read = app.jobs.get(&1).unwrap().unwrap();
    assert_eq!(read, v2::Job { title: "a job!".into(), ..job.clone() });
    assert_eq!(app.jobs.get(&2).unwrap().unwrap(), v2::Job { id: 2, ..job });
    let raw = raw(&app);
    let normal = |text: &str| serde_json::from_str::<Value>(&text.replace("\"id\":2", "\"id\":1"));
    assert_eq!(normal(&raw["2"]).unwrap(), normal(&before["1"]).unwrap());
    let settings = app.settings.get().unwrap();
    assert_eq!(settings.shapes, [Open::Known(blob()), v2::Shape::Line(1, 2).into()]);
    assert_eq!(settings.event, Some(event.into()));
    assert_eq!(settings.status, v2::Status::Archived);
}

#[test]
fn old_and_new_code_share_rows_on_two_devices() {
    let (old, new) = (v1::App::in_memory().unwrap(), v2::App::in_memory().unwrap());
    old.jobs.insert(&v1::Job::new(1)).unwrap();
    exchange(&old, &new);
    let job = v2::Job { title: "a job".into(), ..newer_job(1) };
    new.jobs.put(&job).unwrap();
    new.settings.status.set(&v2::Status::Archived).unwrap();
    exchange(&old, &new);
    assert_eq!(raw(&old), raw(&new));
    old.jobs.update(&1, |job| job.title = "old".into()).unwrap();
    let settings = old.settings.get().unwrap();
    old.settings.shapes.set(&settings.shapes).unwrap();
    exchange(&old, &new);
    assert_eq!(new.jobs.get(&1).unwrap().unwrap(), v2::Job { title: "old".into(), ..job });
    assert_eq!(new.settings.status.get().unwrap(), v2::Status::Archived);
}

#[test]
fn lists_that_old_code_changes_keep_their_unknown_variants() {
    let (old, new) = (v1::App::in_memory().unwrap(), v2::App::in_memory().unwrap());
    new.jobs.insert(&newer_job(1)).unwrap();
    exchange(&old, &new);
    let change = |job: &mut v1::Job| {
        job.shapes.swap(0, 1);
        job.shapes.push(v1::Shape::Circle { radius: 1.0 }.into());
        job.counts.insert(v1::Status::Pending.into(), 3);
    };
    old.jobs.update(&1, change).unwrap();
    exchange(&old, &new);
    let job = new.jobs.get(&1).unwrap().unwrap();
    assert_eq!(
        job.shapes,
        [blob(), v2::Shape::Point, v2::Shape::Archived, v2::Shape::Circle { radius: 1.0 }]
    );
    assert_eq!(job.counts[&v2::Status::Archived.into()], 2);
    assert_eq!(job.counts[&v2::Status::Pending.into()], 3);
}

#[test]
fn a_known_variant_with_data_that_does_not_decode_is_invalid() {
    let bad = [
        r#""shapes":[{"Circle":{"radius":"wide"}}]"#,
        r#""shapes":[{"Circle":{}}]"#,
        r#""shapes":["Circle"]"#,
        r#""shapes":[null]"#,
        r#""shapes":[7]"#,
        r#""shapes":[["Archived"]]"#,
        r#""status":{}"#,
        r#""events":{"e":{"kind":"Moved","to":-1,"color":"Black"}}"#,
        // A plain enum inside a known variant stays closed.
        r#""events":{"e":{"kind":"Moved","to":1,"color":"Archived"}}"#,
        r#""events":{"e":{"to":1,"color":"Archived","kind":"Moved"}}"#,
        r#""events":{"e":{"to":1}}"#,
        r#""events":{"e":"Archived"}"#,
        r#""step":{"c":1}"#,
        r#""step":{"t":"Paint","c":"Archived"}"#,
        r#""step":{"c":"Archived","t":"Paint"}"#,
        r#""step":"Archived""#,
    ];
    for field in bad {
        let app = with_forged(v1::App::in_memory().unwrap(), field);
        let error = app.jobs.get(&1).expect_err(field);
        assert_eq!(error.kind(), ErrorKind::InvalidRow, "{field}");
        assert!(!error.to_string().contains(" at line "), "{error}");
        assert_eq!(app.jobs.invalid().unwrap().len(), 1, "{field}");
    }
}

#[test]
fn unknown_variants_are_kept_however_they_are_written() {
    let kept = [
        (r#""status":"Archived""#, ""),
        (
            r#""status":{"late":{"by":1e3,"of":[1.50,-0,0.10]}}"#,
            r#""status":{"late":{"by":1000.0,"of":[1.5,-0.0,0.1]}}"#,
        ),
        (r#""step":{"c":{"a":1},"t":"Fly"}"#, ""),
        (
            r#""events":{"e":{"z":1,"kind":"Flown","a":{"$serde_json::private::RawValue":"x"}}}"#,
            r#""events":{"e":{"a":{"$serde_json::private::RawValue":"x"},"kind":"Flown","z":1}}"#,
        ),
        (r#""shapes":[{"$serde_json::private::RawValue":"{}"}]"#, ""),
        (r#""status": { "late" : [ 1 , 2 ] }"#, r#""status":{"late":[1,2]}"#),
        (
            r#""status":{"late":[18446744073709551616]}"#,
            r#""status":{"late":[1.8446744073709552e+19]}"#,
        ),
    ];
    for (field, written) in kept {
        let app = with_forged(v1::App::in_memory().unwrap(), field);
        app.jobs.update(&1, |job| job.title = "edited".into()).unwrap();
        let mut copy = app.jobs.get(&1).unwrap().expect(field);
        copy.id = 2;
        app.jobs.insert(&copy).unwrap();
        let stored = raw(&app);
        let value = &field[field.find(':').unwrap() + 1..];
        assert!(stored["1"].contains(value.trim()), "{field}: {stored:?}");
        let written = if written.is_empty() { field } else { written };
        assert!(stored["2"].contains(written), "{field}: {stored:?}");
    }
}

#[test]
fn nesting_without_end_is_an_error() {
    for (open, close) in [("[", "]"), (r#"{"Late":"#, "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let value: Result<Open<v1::Shape>, _> =
            serde_json::from_str(&format!(r#"{{"Late":{deep}}}"#));
        assert!(value.is_err());
    }
}

#[test]
fn known_variants_compare_as_in_the_enum_and_come_before_unknown_ones() {
    use v1::Status::{Done, Pending};

    let unknown = |json: &str| serde_json::from_str::<Open<v1::Status>>(json).unwrap();
    assert!(Open::Known(Pending) < Open::Known(Done));
    assert!(Open::Known(Done) < unknown("\"archived\""));
    assert!(unknown("\"archived\"") < unknown("\"late\""));
    assert_eq!(unknown("\"late\""), unknown(" \"late\" "));
    assert_eq!(unknown("\"done\""), Open::Known(Done));
    assert_eq!(unknown("\"done\""), Done);
    assert_ne!(unknown("\"late\""), Done);
    assert_eq!(unknown("\"late\"").to_string_if_unknown(), Some("\"late\"".to_owned()));
    assert_eq!(Open::<bool>::default(), false);
}

trait Shown {
    fn to_string_if_unknown(&self) -> Option<String>;
}

impl<T> Shown for Open<T> {
    fn to_string_if_unknown(&self) -> Option<String> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(variant) => Some(variant.to_string()),
        }
    }
}

#[test]
fn queries_and_indexes_find_known_and_unknown_variants() {
    let (old, new) = (v1::App::in_memory().unwrap(), v2::App::in_memory().unwrap());
    let statuses = [v2::Status::Archived, v2::Status::Done, v2::Status::Pending];
    for (id, status) in (1..).zip(statuses) {
        let maybe = Some(status.clone().into());
        new.jobs.insert(&v2::Job { status: status.into(), maybe, ..v2::Job::new(id) }).unwrap();
    }
    give(&new, &old);
    let ids = |query: heirloom::Query<v1::Job>| -> Vec<u32> {
        query.all().unwrap().into_iter().map(|job| job.id).collect()
    };
    let archived = old.jobs.get(&1).unwrap().unwrap().status;
    let status = v1::Job::STATUS;
    assert_eq!(ids(old.jobs.filter(status.eq(v1::Status::Done))), [2]);
    assert_eq!(ids(old.jobs.filter(status.eq(Open::Known(v1::Status::Done)))), [2]);
    assert_eq!(ids(old.jobs.filter(status.eq(&archived))), [1]);
    assert_eq!(ids(old.jobs.filter(status.ne(v1::Status::Done))), [1, 3]);
    assert_eq!(ids(old.jobs.filter(status.is_in([archived, v1::Status::Done.into()]))), [1, 2]);
    assert_eq!(ids(old.jobs.filter(v1::Job::MAYBE.eq(v1::Status::Pending))), [3]);
    assert!(old.jobs.filter(status.eq(v1::Status::Done)).explain().to_string().contains("index"));
}

#[test]
fn adding_a_variant_to_an_open_enum_is_additive_in_every_place() {
    let diff = v1::App::schema().diff(&v2::App::schema());
    for change in diff.iter() {
        // schemars writes the keys of a map as fields.
        let expected = match change.field() {
            Some("counts.archived") => (Class::Default, "field-added-with-default"),
            _ => (Class::Additive, "variant-added-to-open"),
        };
        assert_eq!((change.class(), change.rule()), expected, "{change}");
    }
    let shown = diff.to_string();
    let places = [
        "jobs.status.archived",
        "jobs.maybe.archived",
        "jobs.shapes[].Blob",
        "jobs.events{}.Blob",
        "jobs.events{}.Moved.shape.Archived",
        "jobs.step.Blob",
        "jobs.step.Walk.c.Blob",
        "jobs.outer.Holder.shape.Blob",
        "jobs.pair[0].archived",
        "jobs.nested.archived",
        "settings.status.archived",
        "settings.event.Archived",
    ];
    for place in places {
        assert!(shown.contains(&format!(" {place} ")), "{place}: {shown}");
    }
}

/// Versions of one table, whose row has one field.
macro_rules! field {
    ($name:ident: $store:meta, $table:meta, $type:ty) => {
        mod $name {
            use super::*;

            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
            #[$table]
            pub struct Task {
                pub id: Id<Task>,
                pub status: $type,
            }

            #[derive(Store)]
            #[$store]
            pub struct App {
                pub tasks: Table<Task>,
            }
        }
    };
}

field!(plain: store(name = "notebook"), table(name = "tasks"), v1::Status);
field!(open: store(name = "notebook"), table(name = "tasks"), Open<v1::Status>);
field!(
    next: store(name = "notebook", epoch = 1, previous = plain::App),
    table(name = "tasks", previous = plain::Task), Open<v1::Status>
);

#[test]
fn opening_and_closing_an_enum_take_an_epoch() {
    let diff = plain::App::schema().diff(&open::App::schema());
    let rules = |diff: &heirloom::schema::Diff| -> Vec<(String, Class)> {
        diff.iter().map(|change| (change.rule().to_owned(), change.class())).collect()
    };
    assert_eq!(rules(&diff), [("enum-opened".to_owned(), Class::Breaking)], "{diff}");
    let diff = open::App::schema().diff(&plain::App::schema());
    assert_eq!(rules(&diff), [("enum-closed".to_owned(), Class::Breaking)], "{diff}");

    let (_folder, path) = place();
    let id = Id::new();
    let task = plain::Task { id, status: v1::Status::Done };
    plain::App::open(&path).unwrap().tasks.insert(&task).unwrap();
    let app = next::App::open(&path).unwrap();
    assert_eq!(rows(&app.tasks), [next::Task { id: id.cast(), status: v1::Status::Done.into() }]);
}

#[test]
fn the_lint_names_each_closed_enum_and_no_open_one() {
    let lint = plain::App::schema().lint();
    let shown = lint.to_string();
    assert_eq!(lint.len(), 1, "{shown}");
    assert_eq!(lint.class(), Class::Warn);
    assert!(
        shown.contains("enum-without-catch-all  tasks.status  – → enum { done, pending }"),
        "{shown}"
    );
    assert!(shown.contains("heirloom::Open<…>"), "{shown}");
    assert!(open::App::schema().lint().is_empty());

    let lint = v1::App::schema().lint();
    let places: Vec<_> = lint.iter().filter_map(|change| change.field()).collect();
    let expected = ["events{}.Moved.color", "outer", "step.Paint.c", "event.Moved.color"];
    assert_eq!(places, expected, "{lint}");
}

//! All documents of a store in the hands of another program: several tables and groups, two epochs. They are
//! edited there and come back.
//!
//! The other program is yrs. With `HEIRLOOM_YJS`, a folder in which `npm install yjs` was run, Yjs is another.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use heirloom::Id;
use heirloom::sync::{Changes, Summary};
use serde_json::{Value, json};
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, Map, Out, ReadTxn, StateVector, Transact, Update, WriteTxn};

use crate::support::{assert_sound, forge, place, rows};

mod v0 {
    use heirloom::{Id, Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tasks")]
    pub struct Task {
        pub id: Id<Task>,
        pub title: String,
        #[index]
        pub is_done: bool,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tags")]
    pub struct Tag {
        #[key]
        pub name: String,
        pub colour: Option<String>,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "settings")]
    pub struct Settings {
        #[evolve(default = "en")]
        pub language: String,
        #[evolve(default = 0)]
        pub size: u32,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
    #[kv(name = "window")]
    pub struct Window {
        pub width: Option<u32>,
    }

    #[derive(Store)]
    #[store(name = "planner")]
    pub struct Planner {
        pub tasks: Table<Task>,
        pub tags: Table<Tag>,
        pub settings: Kv<Settings>,
        pub window: Kv<Window>,
    }
}

mod v1 {
    use heirloom::{Id, Kv, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::v0;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "tasks", previous = v0::Task)]
    pub struct Task {
        pub id: Id<Task>,
        #[evolve(renamed_from = "title")]
        pub text: String,
        #[index]
        pub is_done: bool,
    }

    #[derive(Store)]
    #[store(name = "planner", epoch = 1, previous = v0::Planner)]
    pub struct Planner {
        pub tasks: Table<Task>,
        pub tags: Table<v0::Tag>,
        pub settings: Kv<v0::Settings>,
        pub window: Kv<v0::Window>,
    }
}

type Texts = Vec<(String, String)>;

/// Another program that has documents, by name.
trait Program {
    fn apply(&mut self, doc: &str, update: &[u8]);
    fn set(&mut self, doc: &str, root: &str, key: &str, text: &str);
    fn remove(&mut self, doc: &str, root: &str, key: &str);
    /// All of a document as an update.
    fn state(&mut self, doc: &str) -> Vec<u8>;
    /// The texts of a root map, by key.
    fn texts(&mut self, doc: &str, root: &str) -> Texts;
}

#[derive(Default)]
struct Yrs(BTreeMap<String, Doc>);

impl Yrs {
    fn doc(&mut self, name: &str) -> &Doc {
        self.0.entry(name.to_owned()).or_default()
    }
}

impl Program for Yrs {
    fn apply(&mut self, doc: &str, update: &[u8]) {
        let update = Update::decode_v1(update).unwrap();
        self.doc(doc).transact_mut().apply_update(update).unwrap();
    }

    fn set(&mut self, doc: &str, root: &str, key: &str, text: &str) {
        let mut txn = self.doc(doc).transact_mut();
        txn.get_or_insert_map(root).insert(&mut txn, key, text);
    }

    fn remove(&mut self, doc: &str, root: &str, key: &str) {
        let mut txn = self.doc(doc).transact_mut();
        txn.get_or_insert_map(root).remove(&mut txn, key);
    }

    fn state(&mut self, doc: &str) -> Vec<u8> {
        self.doc(doc).transact().encode_state_as_update_v1(&StateVector::default())
    }

    fn texts(&mut self, doc: &str, root: &str) -> Texts {
        let txn = self.doc(doc).transact();
        let Some(map) = txn.get_map(root) else { return Texts::new() };
        let text = |value: Out| match value {
            Out::YText(text) => text.get_string(&txn),
            other => other.to_string(&txn),
        };
        let mut texts: Texts =
            map.iter(&txn).map(|(key, value)| (key.to_owned(), text(value))).collect();
        texts.sort();
        texts
    }
}

struct Yjs {
    node: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Yjs {
    fn start() -> Option<Self> {
        let folder = std::env::var_os("HEIRLOOM_YJS").map(PathBuf::from)?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/devices/whole_store.js");
        let mut node = Command::new("node")
            .arg(script)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = node.stdin.take();
        let answers = BufReader::new(node.stdout.take().unwrap());
        Some(Self { node, commands, answers })
    }

    fn run(&mut self, command: &Value) -> Value {
        writeln!(self.commands.as_mut().unwrap(), "{command}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        assert!(answer.get("error").is_none(), "Yjs: {}", answer["error"]);
        answer["ok"].take()
    }
}

impl Drop for Yjs {
    fn drop(&mut self) {
        drop(self.commands.take());
        self.node.wait().unwrap();
    }
}

impl Program for Yjs {
    fn apply(&mut self, doc: &str, update: &[u8]) {
        let hex: String = update.iter().map(|byte| format!("{byte:02x}")).collect();
        self.run(&json!({ "name": "apply", "doc": doc, "hex": hex }));
    }

    fn set(&mut self, doc: &str, root: &str, key: &str, text: &str) {
        self.run(&json!({ "name": "set", "doc": doc, "root": root, "key": key, "text": text }));
    }

    fn remove(&mut self, doc: &str, root: &str, key: &str) {
        self.run(&json!({ "name": "remove", "doc": doc, "root": root, "key": key }));
    }

    fn state(&mut self, doc: &str) -> Vec<u8> {
        let hex = self.run(&json!({ "name": "state", "doc": doc }));
        let hex = hex.as_str().unwrap().as_bytes();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
        hex.chunks(2).map(|pair| byte(pair).unwrap()).collect()
    }

    fn texts(&mut self, doc: &str, root: &str) -> Texts {
        let texts = self.run(&json!({ "name": "texts", "doc": doc, "root": root }));
        serde_json::from_value(texts).unwrap()
    }
}

/// Everything that readers see.
fn content(app: &v1::Planner) -> (Vec<v1::Task>, Vec<v0::Tag>, v0::Settings, v0::Window) {
    let (settings, window) = (app.settings.get().unwrap(), app.window.get().unwrap());
    (rows(&app.tasks), rows(&app.tags), settings, window)
}

/// Gives a program all documents of a store, and returns their names.
fn take_out(app: &v1::Planner, program: &mut dyn Program) -> Vec<String> {
    let all = app.changes_since(&Summary::default()).unwrap().to_bytes();
    let mut names = Vec::new();
    for (name, update) in forge::all_updates(&all) {
        program.apply(&name, &update);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn take_back(app: &v1::Planner, program: &mut dyn Program, names: &[String]) {
    let states: Vec<_> = names.iter().map(|name| (name.clone(), program.state(name))).collect();
    let states: Vec<_> =
        states.iter().map(|(name, update)| (name.clone(), update.as_slice())).collect();
    let changes = Changes::from_bytes(&forge::framed_documents("planner", &states)).unwrap();
    assert!(!app.apply(&changes).unwrap().is_pending());
}

/// The rows of the current epoch's tasks, by key, as JSON text.
fn tasks_as_text(app: &v1::Planner) -> Texts {
    let text = |task: v1::Task| (task.id.to_string(), serde_json::to_string(&task).unwrap());
    let mut texts: Texts = rows(&app.tasks).into_iter().map(text).collect();
    texts.sort();
    texts
}

fn goes_through(program: &mut dyn Program) {
    let (_folder, path) = place();
    let ids: Vec<Id<v0::Task>> = (0..6).map(|_| Id::new()).collect();
    {
        let app = v0::Planner::open(&path).unwrap();
        let task = |id: &Id<v0::Task>| v0::Task { id: *id, title: "old".into(), is_done: false };
        app.tasks.insert_many(ids.iter().map(task)).unwrap();
        app.tasks.update(&ids[1], |task| task.is_done = true).unwrap();
        app.tasks.remove(&ids[2]).unwrap();
        app.tags.insert(&v0::Tag { name: "home".into(), colour: None }).unwrap();
        app.tags.insert(&v0::Tag { name: "ü é".into(), colour: Some("red".into()) }).unwrap();
        app.settings.language.set("de").unwrap();
        app.window.width.set(&Some(800)).unwrap();
    }
    let id = |at: usize| Id::<v1::Task>::from_uuid(ids[at].uuid());
    let app = v1::Planner::open(&path).unwrap();
    app.tasks.update(&id(0), |task| task.text = "new".into()).unwrap();
    app.tasks.remove(&id(3)).unwrap();
    app.settings.size.set(&7).unwrap();

    // It is there whole, in each epoch.
    let names = take_out(&app, program);
    let current = names.iter().find(|name| name.starts_with('1')).unwrap().clone();
    assert!(names.len() == 3 && names.contains(&"0".to_owned()), "{names:?}");
    assert_eq!(program.texts(&current, "table:tasks"), tasks_as_text(&app));
    let old = program.texts("0", "table:tasks");
    let expected = [0, 1, 3, 4, 5].map(|at: usize| ids[at].to_string());
    assert_eq!(old.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), expected);
    assert_eq!(program.texts("0", "kv:settings"), [("language".to_owned(), "\"de\"".to_owned())]);
    assert_eq!(program.texts(&current, "table:tags").len(), 2);
    assert_eq!(program.texts(&current, "kv:window"), [("width".to_owned(), "800".to_owned())]);

    // Edited there: rows and entries of the current epoch, and a row of the one before as by old code.
    let text = |id: Id<v1::Task>, text: &str| {
        json!({ "id": id, "text": text, "is_done": true, "place": "of there" }).to_string()
    };
    let new = Id::<v1::Task>::new();
    program.set(&current, "table:tasks", &id(1).to_string(), &text(id(1), "there"));
    program.set(&current, "table:tasks", &new.to_string(), &text(new, "new there"));
    program.remove(&current, "table:tasks", &id(0).to_string());
    program.set(&current, "table:tags", "home", r#"{"name":"home","colour":"blue"}"#);
    program.remove(&current, "table:tags", "ü é");
    program.set(&current, "kv:settings", "language", "\"fr\"");
    program.set(&current, "kv:window", "width", "1200");
    let late = json!({ "id": ids[4], "title": "late", "is_done": false }).to_string();
    program.set("0", "table:tasks", &ids[4].to_string(), &late);

    take_back(&app, program, &names);
    let (tasks, tags, settings, window) = content(&app);
    let found: Vec<_> =
        tasks.iter().map(|task| (task.id, task.text.as_str(), task.is_done)).collect();
    let mut expected = vec![
        (id(1), "there", true),
        (id(4), "late", false),
        (id(5), "old", false),
        (new, "new there", true),
    ];
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(tags, [v0::Tag { name: "home".into(), colour: Some("blue".into()) }]);
    assert_eq!(settings, v0::Settings { language: "fr".into(), size: 7 });
    assert_eq!(window.width, Some(1_200));
    assert!(app.quarantine().unwrap().is_empty());
    assert_eq!(app.tasks.filter(v1::Task::IS_DONE.eq(true)).count().unwrap(), 2);

    // Rows that the code does not know stay, a device that begins with these documents sees the
    // same, and so does the other program.
    app.tasks.update(&id(1), |task| task.is_done = false).unwrap();
    take_out(&app, program);
    let there = program.texts(&current, "table:tasks");
    let row = there.iter().find(|(key, _)| *key == id(1).to_string()).unwrap();
    assert!(row.1.contains("\"place\":\"of there\"") && row.1.contains("\"is_done\":false"));
    let fresh = v1::Planner::in_memory().unwrap();
    take_back(&fresh, program, &names);
    assert_eq!(content(&fresh), content(&app));
    drop(app);
    assert_sound::<v1::Planner>(&path);
}

#[test]
fn a_whole_store_goes_through_yrs() {
    goes_through(&mut Yrs::default());
}

#[test]
fn a_whole_store_goes_through_yjs() {
    if let Some(mut yjs) = Yjs::start() {
        goes_through(&mut yjs);
    }
}

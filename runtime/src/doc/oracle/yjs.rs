//! Documents of Yjs, in a process of node beside the test.
//!
//! `HEIRLOOM_YJS` names a folder in which `npm install yjs` was run; without it there are none.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::copies::{Kinds, Op};
use super::random::Random;
use super::view::{View, with_fractions};
use crate::doc::incoming::joined;
use crate::row::ItemId;

pub(super) fn folder() -> Option<PathBuf> {
    std::env::var_os("HEIRLOOM_YJS").map(PathBuf::from)
}

struct Node {
    _child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    next_id: u64,
}

static NODE: Mutex<Option<Node>> = Mutex::new(None);

impl Node {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/doc/oracle/yjs.js");
        let mut child = Command::new("node")
            .arg(script)
            .current_dir(folder().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { _child: child, commands, answers, next_id: 0 }
    }

    fn run(&mut self, command: &Value) -> Value {
        writeln!(self.commands, "{command}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        assert!(answer.get("error").is_none(), "Yjs: {}", answer["error"]);
        answer["ok"].take()
    }
}

fn with_node<T>(run: impl FnOnce(&mut Node) -> T) -> T {
    let mut node = NODE.lock().unwrap_or_else(PoisonError::into_inner);
    run(node.get_or_insert_with(Node::start))
}

/// A document of Yjs.
pub(super) struct YjsDoc(u64);

impl Drop for YjsDoc {
    fn drop(&mut self) {
        with_node(|node| node.run(&json!({ "name": "free", "id": self.0 })));
    }
}

impl YjsDoc {
    pub(super) fn new(client: u64, keeps_dead: bool) -> Self {
        let client = client.to_string();
        with_node(|node| {
            node.next_id += 1;
            let id = node.next_id;
            node.run(&json!({ "name": "new", "id": id, "client": client, "gc": !keeps_dead }));
            Self(id)
        })
    }

    pub(super) fn write(&self, ops: &[Op], kinds: Kinds, random: &mut Random) -> Vec<u8> {
        let ops = ops.iter().map(|(root, key, value)| {
            let text = value.clone().unwrap_or_default();
            let number = random.below(60);
            let how = match value {
                None => "remove",
                Some(_) if kinds.nested && random.percent(60) => {
                    random.pick(&["map", "map", "array", "text"])
                }
                Some(_) if kinds.overwritten && random.percent(25) => "overwritten",
                Some(_) if kinds.others && random.percent(15) => "json",
                Some(_) if kinds.others && random.percent(10) => "bytes",
                Some(_) => "text",
            };
            json!([root, key, how, text, number])
        });
        let ops: Vec<Value> = ops.collect();
        bytes(&with_node(|node| node.run(&json!({ "name": "write", "id": self.0, "ops": ops }))))
    }

    pub(super) fn apply(&self, update: &[u8]) {
        let update = hex(update);
        with_node(|node| node.run(&json!({ "name": "apply", "id": self.0, "update": update })));
    }

    pub(super) fn since(&self, clocks: &BTreeMap<u64, u32>) -> Vec<u8> {
        let clocks: Vec<_> =
            clocks.iter().map(|(client, clock)| (client.to_string(), clock)).collect();
        let command = json!({ "name": "since", "id": self.0, "clocks": clocks });
        bytes(&with_node(|node| node.run(&command)))
    }

    pub(super) fn view(&self) -> View {
        let mut view = with_node(|node| node.run(&json!({ "name": "view", "id": self.0 })));
        let rows: Vec<(String, String, String, u32, Value)> = take(&mut view, "rows");
        let rows = rows.into_iter().map(|(root, key, client, clock, json)| {
            ((root, key), (ItemId { client: client.parse().unwrap(), clock }, with_fractions(json)))
        });
        let clocks: Vec<(String, u32)> = take(&mut view, "clocks");
        let clocks = clocks.into_iter().filter(|(_, clock)| *clock > 0);
        let deletions: Vec<(String, Vec<(u32, u32)>)> = take(&mut view, "deletions");
        let deletions = deletions.into_iter().map(|(client, ranges)| {
            let ranges = ranges.into_iter().map(|(start, end)| start..end).collect();
            (client.parse().unwrap(), joined(ranges))
        });
        View {
            rows: rows.collect(),
            clocks: clocks.map(|(client, clock)| (client.parse().unwrap(), clock)).collect(),
            deletions: deletions.filter(|(_, ranges)| !ranges.is_empty()).collect(),
        }
    }
}

fn take<T: serde::de::DeserializeOwned>(view: &mut Value, name: &str) -> T {
    serde_json::from_value(view[name].take()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    let pairs = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

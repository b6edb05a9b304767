//! Random values of newer code, changed at random by older code, against what is to be kept.

use std::collections::{BTreeMap, BTreeSet};

use heirloom::__private::write_back;
use heirloom::Table;
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Shape {
    Round { r: u8 },
    Flat { w: u8 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Plain {
    Point,
    Line { w: u8 },
    Area { w: u8 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Named {
    name: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Node {
    id: u32,
    text: u8,
    kids: Vec<Node>,
    by_name: BTreeMap<String, Node>,
    pair: (Named, u8),
    names: Vec<Named>,
    tags: BTreeSet<u8>,
    shape: Shape,
    plain: Plain,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "trees")]
struct Tree {
    #[key]
    k: u8,
    root: Node,
}

/// Chooses by a seed.
struct Choice {
    state: u64,
    /// The last id that was given.
    last: u32,
}

impl Choice {
    fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        usize::try_from(self.state >> 33).unwrap() % end
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(9)).unwrap()
    }

    fn id(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    fn named(&mut self) -> Named {
        Named { name: self.id() }
    }

    fn shape(&mut self) -> Shape {
        match self.below(2) {
            0 => Shape::Round { r: self.byte() },
            _ => Shape::Flat { w: self.byte() },
        }
    }

    fn plain(&mut self) -> Plain {
        match self.below(3) {
            0 => Plain::Point,
            1 => Plain::Line { w: self.byte() },
            _ => Plain::Area { w: self.byte() },
        }
    }

    fn node(&mut self, depth: usize) -> Node {
        let (kids, named) = if depth == 0 { (0, 0) } else { (self.below(4), self.below(3)) };
        Node {
            id: self.id(),
            text: self.byte(),
            kids: (0..kids).map(|_| self.node(depth - 1)).collect(),
            by_name: (0..named).map(|_| (self.id().to_string(), self.node(depth - 1))).collect(),
            pair: (self.named(), self.byte()),
            names: (0..self.below(5)).map(|_| self.named()).collect(),
            tags: (0..self.below(4)).map(|_| self.byte()).collect(),
            shape: self.shape(),
            plain: self.plain(),
        }
    }

    /// Changes a node somewhere, as code does that knows nothing of newer fields.
    fn edit(&mut self, node: &mut Node) {
        let (kids, named) = (node.kids.len(), node.by_name.len());
        if kids + named > 0 && self.below(3) > 0 {
            let chosen = self.below(kids + named);
            let below = match chosen.checked_sub(kids) {
                None => node.kids.get_mut(chosen),
                Some(nth) => node.by_name.values_mut().nth(nth),
            };
            return self.edit(below.unwrap());
        }
        match self.below(12) {
            0 => node.text = self.byte(),
            1 => {
                let at = self.below(kids + 1);
                node.kids.insert(at, self.node(1));
            }
            2 if kids > 0 => drop(node.kids.remove(self.below(kids))),
            3 if kids > 1 => node.kids.swap(self.below(kids), kids - 1),
            4 if named > 0 => {
                // Under another key, perhaps changed as well.
                let (_, mut moved) = node.by_name.pop_first().unwrap();
                moved.text = self.byte();
                node.by_name.insert(self.id().to_string(), moved);
            }
            5 if named > 0 => drop(node.by_name.pop_last()),
            6 => node.pair.1 = self.byte(),
            7 => {
                let at = self.below(node.names.len() + 1);
                node.names.insert(at, self.named());
            }
            8 if !node.names.is_empty() => node.names.rotate_left(1),
            9 => node.tags.extend([self.byte()]),
            10 => node.shape = self.shape(),
            _ => node.plain = self.plain(),
        }
    }

    /// Puts a newer field into every object there is, which says whose it is.
    fn mark(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.values_mut().for_each(|member| self.mark(member));
                if let Some(mark) = mark_of(members) {
                    members.insert("newer".into(), json!({ "of": mark, "list": [1, null] }));
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.mark(item)),
            _ => {}
        }
    }
}

/// Returns the mark that tells an object from all others: its id or name, or the variant that it
/// is.
fn mark_of(members: &Map<String, Value>) -> Option<Value> {
    let own = members.get("id").or(members.get("name")).or(members.get("kind"));
    own.cloned()
}

/// All marked objects: the way to each by ids, and its mark, if it has one.
fn marks(value: &Value, way: &str, found: &mut BTreeMap<String, Option<Value>>) {
    match value {
        Value::Object(members) => {
            let mark = mark_of(members);
            let way = match &mark {
                Some(mark) => format!("{way}/{mark}"),
                None => way.to_owned(),
            };
            if mark.is_some() {
                let newer = members.get("newer").map(|newer| newer["of"].clone());
                found.insert(way.clone(), newer);
            }
            for (name, member) in members.iter().filter(|(name, _)| *name != "newer") {
                // An entry is known by what it is, not by its key.
                let name = if name.parse::<u32>().is_ok() { "" } else { name };
                marks(member, &format!("{way}.{name}"), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| marks(item, way, found)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn what_was_there_is_kept_and_what_is_new_inherits_nothing(seed: u64, edits in 1..6_usize) {
        let mut choice = Choice { state: seed, last: 0 };
        let tree = Tree { k: 1, root: choice.node(2) };
        let mut stored = serde_json::to_value(&tree).unwrap();
        choice.mark(&mut stored);
        let mut changed = None;
        let written = write_back::<Tree>(&stored.to_string(), |tree| {
            (0..edits).for_each(|_| choice.edit(&mut tree.root));
            changed = Some(tree.clone());
        });
        let written: Value = serde_json::from_str(&written.unwrap()).unwrap();

        // It reads as what was asked for.
        let read: Tree = serde_json::from_value(written.clone()).unwrap();
        prop_assert_eq!(Some(read), changed);
        // An object that was there has its mark; a new one has none.
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        marks(&stored, "", &mut before);
        marks(&written, "", &mut after);
        for (way, mark) in after {
            prop_assert_eq!(before.get(&way).cloned().flatten(), mark, "{}", way);
        }
    }
}

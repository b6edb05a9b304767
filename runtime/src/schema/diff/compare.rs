//! Comparing JSON Schemas, path by path.
//!
//! Places are worked off a queue, each pair once, so that neither recursive types nor deep ones
//! cost more than their size.

use std::cell::Cell;
use std::collections::{BTreeSet, HashSet, VecDeque};

use super::shape::{Node, NodeKey, Shape, Types, describe, parse};
use super::{Change, Rule, rules};
use crate::schema::Reserved;

/// How many alternatives and properties are looked at in one comparison of two schemas.
pub(super) const BUDGET: usize = 400_000;

/// The same for hints, which are left out when it is used up.
pub(super) const HINT_BUDGET: usize = 100_000;

/// The context in which two values are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) old: Types<'a>,
    pub(super) new: Types<'a>,
    pub(super) reserved: &'a BTreeSet<Reserved>,
    pub(super) budget: &'a Cell<usize>,
    /// The same for what is only looked at for a hint.
    pub(super) hint_budget: &'a Cell<usize>,
}

/// The table or group that a change is in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owner<'a> {
    Table(&'a str),
    Group(&'a str),
}

impl Owner<'_> {
    pub(super) fn change(self, rule: &'static Rule) -> Change {
        match self {
            Self::Table(name) => Change::of(rule).at_table(name),
            Self::Group(name) => Change::of(rule).at_group(name),
        }
    }

    /// Whether a name was used here before, by what has been removed since.
    pub(super) fn reserves(self, reserved: &BTreeSet<Reserved>, path: &str) -> bool {
        let (table, group) = match self {
            Self::Table(name) => (Some(name.to_owned()), None),
            Self::Group(name) => (None, Some(name.to_owned())),
        };
        reserved.contains(&Reserved { table, group, field: path.to_owned() })
    }
}

/// The path to a part of a JSON Schema.
#[derive(Debug, Clone)]
pub(super) struct SchemaPath {
    pub(super) text: String,
}

impl SchemaPath {
    pub(super) fn field(&self, name: &str) -> Self {
        Self { text: format!("{}.{name}", self.text) }
    }

    pub(super) fn item(&self, suffix: &str) -> Self {
        Self { text: format!("{}{suffix}", self.text) }
    }

    pub(super) fn value(&self) -> Self {
        Self { text: format!("{}{{}}", self.text) }
    }
}

struct Job<'a> {
    old: Node<'a>,
    new: Node<'a>,
    path: SchemaPath,
    /// Whether `null` has been judged already, as a field's default is.
    is_null_judged: bool,
}

/// A comparison of two values' schemas.
pub(super) struct Comparison<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) owner: Owner<'a>,
    /// Whether what was perhaps renamed or wrapped is looked for.
    pub(super) gives_hints: bool,
    queue: VecDeque<Job<'a>>,
    seen: HashSet<(NodeKey, NodeKey, bool)>,
    pub(super) changes: Vec<Change>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(scope: Scope<'a>, owner: Owner<'a>) -> Self {
        Self {
            scope,
            owner,
            gives_hints: true,
            queue: VecDeque::new(),
            seen: HashSet::new(),
            changes: Vec::new(),
        }
    }

    /// Whether two places admit the same.
    pub(super) fn is_same(scope: Scope<'a>, old: &Node<'a>, new: &Node<'a>) -> bool {
        Self::finds_nothing(scope, old, new)
    }

    /// Whether two places admit the same, as far as that can be told at the cost of a hint.
    pub(super) fn seems_same(scope: Scope<'a>, old: &Node<'a>, new: &Node<'a>) -> bool {
        Self::finds_nothing(Scope { budget: scope.hint_budget, ..scope }, old, new)
    }

    fn finds_nothing(scope: Scope<'a>, old: &Node<'a>, new: &Node<'a>) -> bool {
        let mut probe = Self::new(scope, Owner::Table(""));
        probe.gives_hints = false;
        let path = SchemaPath { text: String::new() };
        probe.enqueue(old.clone(), new.clone(), path, false);
        probe.run();
        probe.changes.is_empty()
    }

    /// The changes of a field whose `null` has been judged.
    pub(super) fn of_field(mut self, name: &str, old: Node<'a>, new: Node<'a>) -> Vec<Change> {
        let path = SchemaPath { text: name.to_owned() };
        self.enqueue(old, new, path, true);
        self.run();
        self.changes
    }

    pub(super) fn enqueue(
        &mut self,
        old: Node<'a>,
        new: Node<'a>,
        path: SchemaPath,
        is_null_judged: bool,
    ) {
        let pair = (old.key(self.scope.old), new.key(self.scope.new), is_null_judged);
        if self.seen.insert(pair) {
            self.queue.push_back(Job { old, new, path, is_null_judged });
        }
    }

    pub(super) fn report(&mut self, path: &SchemaPath, rule: &'static Rule) {
        self.changes.push(self.owner.change(rule).at_field(&path.text));
    }

    fn run(&mut self) {
        while let Some(job) = self.queue.pop_front() {
            let old = parse(&job.old, self.scope.old);
            let new = parse(&job.new, self.scope.new);
            let left = self.scope.budget.get().checked_sub(cost(&old) + cost(&new));
            self.scope.budget.set(left.unwrap_or(0));
            if left.is_none() {
                self.report(&job.path, &rules::TOO_LARGE);
                return;
            }
            if old.is_cut || new.is_cut {
                // Word for word the same is the same, however large.
                if !job.old.is_written_as(&job.new) || self.scope.old.0 != self.scope.new.0 {
                    self.report(&job.path, &rules::TOO_LARGE);
                }
                continue;
            }
            self.compare(&job, old, new);
        }
    }

    fn compare(&mut self, job: &Job<'a>, old: Shape<'a>, new: Shape<'a>) {
        let path = &job.path;
        self.compare_unjudged(path, &old, &new);
        if !job.is_null_judged && old.alternatives() > 0 && new.alternatives() > 0 {
            match (old.has_null(), new.has_null()) {
                (false, true) if !new.any => self.retyped(job, &rules::NULL_ALLOWED),
                (true, false) if !old.any => self.retyped(job, &rules::NULL_REFUSED),
                _ => {}
            }
        } else if !job.is_null_judged && old.has_null() != new.has_null() {
            self.retyped(job, &rules::TYPE_CHANGED);
            return;
        }
        if let Some(rule) = self.retyping((&old, &job.old), (&new, &job.new)) {
            self.retyped(job, rule);
            return;
        }
        self.compare_alternatives(path, old, new);
    }

    fn retyped(&mut self, job: &Job<'a>, rule: &'static Rule) {
        let old = describe(&job.old, self.scope.old);
        let new = describe(&job.new, self.scope.new);
        self.push_step(&job.path, rule, old, new);
    }

    pub(super) fn push_step(
        &mut self,
        path: &SchemaPath,
        rule: &'static Rule,
        old: impl Into<String>,
        new: impl Into<String>,
    ) {
        let change = self.owner.change(rule).at_field(&path.text).old_is(old).new_is(new);
        self.changes.push(change);
    }

    fn compare_unjudged(&mut self, path: &SchemaPath, old: &Shape<'a>, new: &Shape<'a>) {
        let keywords: BTreeSet<&str> =
            old.unjudged.keys().chain(new.unjudged.keys()).copied().collect();
        for keyword in keywords {
            let (was, is) = (old.unjudged.get(keyword), new.unjudged.get(keyword));
            if was != is {
                let text = |values: Option<&BTreeSet<String>>| {
                    let values = values.into_iter().flatten().map(String::as_str);
                    let text = values.collect::<Vec<_>>().join(", ");
                    format!("{keyword}: {}", text.chars().take(60).collect::<String>())
                };
                self.push_step(path, &rules::UNJUDGED, text(was), text(is));
            }
        }
    }
}

pub(super) fn cost(shape: &Shape<'_>) -> usize {
    let properties: usize = shape.objects.iter().map(|object| object.properties.len()).sum();
    1 + shape.alternatives() + shape.variants.len() + properties
}

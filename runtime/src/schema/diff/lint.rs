//! Lints of a schema: facts that will make it hard to change later, told while they can still be
//! changed.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet, VecDeque};

use super::compare::{BUDGET, Owner, SchemaPath, cost};
use super::shape::{Array, Node, Payload, Rest, Shape, Types, describe, parse};
use super::variants::is_closed_enum;
use super::{Change, Diff, rules};
use crate::schema::{FieldSchema, Schema};

impl Schema {
    /// Returns warnings about this schema, which are best heeded before it is released.
    ///
    /// Each has the class [`Warn`](super::Class::Warn) and says where and why. There is one rule,
    /// `enum-without-catch-all`: the enum is not an [`Open`](crate::Open) one, so that adding a
    /// variant to it will take an epoch. An enum that is complete for ever needs no variant, and can stay.
    ///
    /// Recording a version shows the warnings that the version before did not have.
    ///
    /// ```
    /// use heirloom::schema::Class;
    /// use heirloom::{Id, Open, Store, Table};
    /// use schemars::JsonSchema;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize, JsonSchema)]
    /// enum Status { Pending, Done }
    ///
    /// #[derive(Serialize, Deserialize, JsonSchema, Table)]
    /// #[table(name = "tasks")]
    /// struct Task { id: Id<Task>, closed: Status, open: Open<Status> }
    ///
    /// #[derive(Store)]
    /// struct App { tasks: Table<Task> }
    ///
    /// let lint = App::schema().lint();
    /// assert_eq!(lint.len(), 1);
    /// let warning = lint.iter().next().unwrap();
    /// assert_eq!(warning.class(), Class::Warn);
    /// assert_eq!(warning.rule(), "enum-without-catch-all");
    /// assert_eq!((warning.table(), warning.field()), (Some("tasks"), Some("closed")));
    /// println!("{lint}");
    /// ```
    pub fn lint(&self) -> Diff {
        let mut changes = Vec::new();
        let budget = Cell::new(BUDGET);
        let types = Types(&self.types);
        for (name, table) in &self.tables {
            Lint { owner: Owner::Table(name), types, budget: &budget }
                .fields(&table.fields, &mut changes);
        }
        for (name, group) in &self.groups {
            Lint { owner: Owner::Group(name), types, budget: &budget }
                .fields(&group.fields, &mut changes);
        }
        Diff::of(changes)
    }

    /// Returns the warnings that an earlier schema does not have.
    pub(crate) fn lint_since(&self, before: Option<&Self>) -> Diff {
        let known = before.map(Self::lint).unwrap_or_default();
        let is_known = |change: &Change| {
            known.iter().any(|known| {
                let place = |change: &Change| {
                    [change.table(), change.group(), change.field()]
                        .map(|name| name.map(str::to_owned))
                };
                place(known) == place(change) && known.rule() == change.rule()
            })
        };
        Diff::of(self.lint().into_iter().filter(|change| !is_known(change)).collect())
    }
}

/// A look at the fields of a table or group.
struct Lint<'a> {
    owner: Owner<'a>,
    types: Types<'a>,
    budget: &'a Cell<usize>,
}

impl<'a> Lint<'a> {
    fn fields(&self, fields: &'a BTreeMap<String, FieldSchema>, changes: &mut Vec<Change>) {
        for (name, field) in fields {
            self.field(name, Node::of(&field.schema), changes);
        }
    }

    /// Finds the closed enums in a field: each once, however often it occurs there.
    fn field(&self, name: &str, node: Node<'a>, changes: &mut Vec<Change>) {
        let mut seen = HashSet::new();
        let mut queue = VecDeque::new();
        queue.push_back((node, SchemaPath { text: name.to_owned() }));
        while let Some((node, place)) = queue.pop_front() {
            if !seen.insert(node.key(self.types)) {
                continue;
            }
            let shape = parse(&node, self.types);
            let Some(left) = self.budget.get().checked_sub(cost(&shape)) else { return };
            self.budget.set(left);
            if is_closed_enum(&shape, self.types) && !is_result(&shape) {
                let change = self.owner.change(&rules::CLOSED_ENUM).at_field(&place.text);
                changes.push(change.new_is(describe(&node, self.types)));
            }
            queue.extend(inner(shape, &place));
        }
    }
}

/// The places inside a value.
fn inner<'a>(shape: Shape<'a>, place: &SchemaPath) -> Vec<(Node<'a>, SchemaPath)> {
    let mut inner = Vec::new();
    let mut objects: Vec<_> =
        shape.objects.into_iter().map(|object| (object, place.clone())).collect();
    for (name, payload) in shape.variants {
        match payload {
            Payload::Unit => {}
            Payload::Value(node) => inner.push((node, place.field(name))),
            Payload::Fields(object) => objects.push((object, place.field(name))),
        }
    }
    for (object, place) in objects {
        if let Rest::Map { values, .. } = object.rest {
            inner.push((values, place.value()));
        }
        let properties = object.properties.into_iter();
        inner.extend(properties.map(|(name, node)| (node, place.field(name))));
    }
    for array in shape.arrays {
        match array {
            Array::List { item, .. } => inner.push((item, place.item("[]"))),
            Array::Tuple(items) => {
                let items = items.into_iter().enumerate();
                inner.extend(items.map(|(at, item)| (item, place.item(&format!("[{at}]")))));
            }
        }
    }
    inner
}

/// Whether it is the `Result` of the standard library, which will never have a third variant.
fn is_result(shape: &Shape<'_>) -> bool {
    shape.variants.keys().copied().eq(["Err", "Ok"])
}

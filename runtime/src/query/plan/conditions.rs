//! The conditions of a filter, by field.

use super::Name;
use crate::query::expr::Node;
use crate::query::ranges::Ranges;

/// The conditions of a filter that all must hold: a set for each field or path, and the rest.
pub(super) struct Conditions<'n> {
    pub(super) fields: Vec<(Name, &'n Ranges)>,
    pub(super) rest: Vec<&'n Node>,
}

impl<'n> Conditions<'n> {
    pub(super) fn of(filter: Option<&'n Node>) -> Self {
        let mut this = Self { fields: Vec::new(), rest: Vec::new() };
        match filter {
            None => {}
            Some(Node::All(nodes)) => nodes.iter().for_each(|node| this.add(node)),
            Some(node) => this.add(node),
        }
        this
    }

    fn add(&mut self, node: &'n Node) {
        match node {
            Node::Within(field, ranges) => {
                self.fields.push(((field.name, field.is_path), ranges));
            }
            other => self.rest.push(other),
        }
    }

    pub(super) fn of_field(&self, name: Name) -> Option<&'n Ranges> {
        self.fields.iter().find_map(|(field, set)| (*field == name).then_some(*set))
    }

    /// The share of rows that the conditions leave, `known` ones not counted.
    pub(super) fn share_beside(&self, known: &[Name]) -> f64 {
        let fields = self.fields.iter().filter(|(name, _)| !known.contains(name));
        let fields: f64 = fields.map(|(_, set)| share(set)).product();
        fields * 0.5_f64.powi(i32::try_from(self.rest.len()).unwrap_or(i32::MAX))
    }
}

/// A guess at the share of rows whose value lies in a set.
pub(super) fn share(set: &Ranges) -> f64 {
    let parts = set.iter().map(|range| match range.point() {
        Some(_) => 0.01,
        None if range.is_bounded() => 0.05,
        None => 0.3,
    });
    parts.sum::<f64>().min(1.0)
}

//! The parts of a query, apart from its source.

use std::fmt::Write as _;

use super::cursor::Cursor;
use super::expr::Node;
use super::order::ColumnOrder;

/// Filter, order, and which part of the result.
#[derive(Clone, Default)]
pub(crate) struct Spec {
    pub(crate) filter: Option<Node>,
    pub(crate) order: Vec<ColumnOrder>,
    pub(crate) offset: usize,
    pub(crate) limit: Option<usize>,
    /// Only rows after this place are wanted.
    pub(crate) cursor: Option<Cursor>,
    /// Whether rows are given in the opposite order, once they are found.
    pub(crate) is_reversed: bool,
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.identity())
    }
}

impl Spec {
    /// Adds a condition that must hold as well.
    pub(crate) fn add_filter(&mut self, condition: Node) {
        self.filter = Some(match self.filter.take() {
            Some(filter) => filter.and(condition),
            None => condition,
        });
    }

    /// The filter, ready to be planned; nothing if all rows are asked for.
    pub(crate) fn simplified(&self) -> Option<Node> {
        self.filter.as_ref().map(Node::simplified)
    }

    /// Says all that tells queries apart: two of one identity have one result.
    pub(crate) fn identity(&self) -> String {
        let mut identity = String::new();
        if let Some(filter) = self.simplified() {
            // Writing to a string cannot fail.
            let _ = write!(identity, "{filter:?} ");
        }
        let _ = write!(identity, "{:?} {} {:?}", self.order, self.offset, self.limit);
        if let Some(cursor) = &self.cursor {
            let _ = write!(identity, " {cursor:?} {}", self.is_reversed);
        }
        identity
    }

    /// Whether it is about a part of the rows that meet the filter.
    pub(crate) fn is_windowed(&self) -> bool {
        self.limit.is_some() || self.offset > 0 || self.cursor.is_some()
    }

    /// How many rows, in order, decide the result.
    pub(crate) fn window(&self) -> Option<usize> {
        self.limit.map(|limit| limit.saturating_add(self.offset))
    }
}

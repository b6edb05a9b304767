//! What a query asks for, apart from where.

use std::fmt::Write as _;

use super::expr::{Expr, Node};
use super::order::Order;

/// Filter, order, and which part of the result.
pub(crate) struct Spec<R> {
    pub(crate) filter: Option<Expr<R>>,
    pub(crate) order: Vec<Order<R>>,
    pub(crate) offset: usize,
    pub(crate) limit: Option<usize>,
}

impl<R> Default for Spec<R> {
    fn default() -> Self {
        Self { filter: None, order: Vec::new(), offset: 0, limit: None }
    }
}

impl<R> Clone for Spec<R> {
    fn clone(&self) -> Self {
        Self {
            filter: self.filter.clone(),
            order: self.order.clone(),
            offset: self.offset,
            limit: self.limit,
        }
    }
}

impl<R> std::fmt::Debug for Spec<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.identity())
    }
}

impl<R> Spec<R> {
    /// The filter, ready to be planned; nothing where all rows are asked for.
    pub(crate) fn simplified(&self) -> Option<Node<R>> {
        self.filter.as_ref().map(|filter| filter.0.simplified())
    }

    /// Says all that tells queries apart: two of one identity have one result.
    pub(crate) fn identity(&self) -> String {
        let mut identity = String::new();
        if let Some(filter) = self.simplified() {
            // Writing to a string cannot fail.
            let _ = write!(identity, "{filter:?} ");
        }
        let _ = write!(identity, "{:?} {} {:?}", self.order, self.offset, self.limit);
        identity
    }

    /// How many rows, in order, decide the result.
    pub(crate) fn window(&self) -> Option<usize> {
        self.limit.map(|limit| limit.saturating_add(self.offset))
    }
}

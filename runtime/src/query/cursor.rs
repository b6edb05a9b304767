//! [`Cursor`]: the place in an order from which rows are wanted.

use std::any::Any;
use std::ops::Bound;

use super::column::Name;
use super::order::{ColumnOrder, rank};
use crate::disk::Span;
use crate::error::{Error, ErrorKind, Result};
use crate::row::cut;

/// The place of a row in the order of a query, whether the row is there or not.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// The encoding of the row's value in each column of the order.
    values: Vec<Vec<u8>>,
    key: Vec<u8>,
    rank: Vec<u8>,
}

impl Cursor {
    pub(crate) fn new(order: &[ColumnOrder], row: &dyn Any, key: &[u8]) -> Self {
        let encode = |order: &ColumnOrder| {
            let mut value = Vec::new();
            order.field.encode(row, &mut value);
            value
        };
        let values = order.iter().map(encode).collect();
        Self { values, key: key.to_vec(), rank: rank(order, row, key) }
    }

    /// Whether what has this rank comes after it.
    pub(super) fn is_before(&self, rank: &[u8]) -> bool {
        *rank > *self.rank
    }

    /// The bytes of the key of the row.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Whether it has this value in a field, if that is one of the order.
    pub(super) fn has(&self, order: &[ColumnOrder], field: Name, value: Option<&[u8]>) -> bool {
        let places = order.iter().zip(&self.values);
        let mut places = places.filter(|(order, _)| order.field.is_named(field));
        places.all(|(_, found)| Some(found.as_slice()) == value)
    }

    /// Returns the row's entry in an index, from the value of the first of `fields` on, which are
    /// those of the order; `None` if a value is too long for an index.
    pub(super) fn entry(&self, order: &[ColumnOrder], fields: &[Name]) -> Option<Vec<u8>> {
        let mut entry = Vec::new();
        for field in fields {
            let place = order.iter().position(|order| order.field.is_named(*field))?;
            let value = self.values.get(place)?;
            if cut(value).is_some() {
                return None;
            }
            entry.extend_from_slice(value);
        }
        entry.extend_from_slice(&self.key);
        Some(entry)
    }

    /// Checks that the order is still the one in which the row has its place.
    pub(super) fn check(&self, order: &[ColumnOrder]) -> Result<()> {
        if self.values.len() == order.len() {
            return Ok(());
        }
        let error = Error::new(
            ErrorKind::InvalidValue,
            "the query was ordered after `after` or `before` had been called",
        );
        Err(error.help("call `order_by` first: a row has its place in an order"))
    }
}

/// Leaves of some spans what comes after an edge, on a way that may go backwards.
pub(super) fn narrow(spans: &mut Vec<Span>, edge: Bound<&[u8]>, is_back: bool) {
    let (Bound::Included(place) | Bound::Excluded(place)) = edge else { return };
    let is_included = matches!(edge, Bound::Included(_));
    let value = |bound: &Bound<Vec<u8>>| match bound {
        Bound::Included(value) | Bound::Excluded(value) => Some(value.clone()),
        Bound::Unbounded => None,
    };
    spans.retain_mut(|span| {
        let (near, far) = match is_back {
            true => (&mut span.to, &span.from),
            false => (&mut span.from, &span.to),
        };
        let is_past = |value: &Vec<u8>| match is_back {
            true => value.as_slice() < place,
            false => value.as_slice() > place,
        };
        if !value(near).is_some_and(|near| is_past(&near) || (is_included && near == place)) {
            *near = edge.map(<[u8]>::to_vec);
        }
        value(far).is_none_or(|far| is_past(&far) || (is_included && far == place))
    });
}

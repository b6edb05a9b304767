//! The row with the least or greatest value of a column, as the first one of an index.

use super::covered::has_invalid;
use crate::error::Result;
use crate::query::buffer::{Buffer, Read};
use crate::query::expr::Node;
use crate::query::order::ColumnOrder;
use crate::query::plan::{Access, Arrangement};
use crate::query::source::Source;
use crate::query::spec::Spec;
use crate::row::Row;

/// The first row in an order that meets a condition; nothing if no index gives it, and all rows have
/// to be looked at.
#[expect(clippy::option_option, reason = "the inner one is whether there is such a row")]
pub(crate) fn first_by_index<R: Row>(
    source: Source<'_>,
    spec: &Spec,
    order: ColumnOrder,
    condition: Node,
    read: Read<R>,
) -> Result<Option<Option<R>>> {
    if spec.is_windowed() {
        return Ok(None);
    }
    let is_filtered = spec.filter.is_some();
    let mut spec = Spec { order: vec![order], limit: Some(1), ..spec.clone() };
    spec.add_filter(condition);
    let plan = source.plan(&spec, spec.simplified().as_ref())?;
    let Access::Index { index, .. } = plan.access else { return Ok(None) };
    if plan.arrangement != Arrangement::AsTheyCome || (!is_filtered && has_invalid(&source, index)?)
    {
        return Ok(None);
    }
    let mut buffer = Buffer::new(read);
    let mut run = source.run(spec, &mut buffer)?;
    buffer.next(&mut run).transpose().map(Some)
}

//! Filling a tally from the rows of a query.

use super::covered::fold_covered;
use super::functions::{Aggregate, Step};
use super::tally::Tally;
use crate::error::{ErrorKind, Result};
use crate::query::buffer::{Buffer, Read};
use crate::query::columns::Columns;
use crate::query::source::Source;
use crate::query::spec::Spec;
use crate::row::Row;

/// Adds the rows of a query to a tally.
///
/// A row that does not decode is an error if there is no filter, unless all such rows are skipped.
pub(crate) fn fold<R: Row, K: Columns<R>, G: Aggregate<R>>(
    tally: &mut Tally<R, K, G>,
    source: &Source<'_>,
    spec: &Spec,
    read: Read<R>,
    step: Step,
    skips_invalid: bool,
) -> Result<()> {
    let is_windowed = spec.is_windowed();
    if !is_windowed && fold_covered(tally, source, spec, read, step, skips_invalid)? {
        return Ok(());
    }
    let mut spec = spec.clone();
    if !is_windowed {
        // In which order rows are added makes no difference.
        spec.order.clear();
    }
    let mut buffer = Buffer::new(read);
    let mut run = source.clone().run(spec, &mut buffer)?.in_full();
    while let Some(row) = run.next(&mut buffer) {
        match row {
            Ok(()) => {
                if let Some(row) = buffer.row() {
                    tally.take(row, step);
                }
            }
            Err(error) if skips_invalid && error.kind() == ErrorKind::InvalidRow => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

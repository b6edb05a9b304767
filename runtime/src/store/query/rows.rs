//! [`QueryRows`]: the rows of a query, one after another.

use std::fmt;

use super::view::read;
use crate::error::Result;
use crate::query::{Buffer, Run, Source, Spec};
use crate::row::Row;
use crate::store::handle::Handle;

/// The rows of a [`Query`](super::Query), one after another.
///
/// Made by [`Query::iter`](super::Query::iter). A row that does not decode is an `Err` item; the rest
/// still come.
pub struct QueryRows<'q, R: Row> {
    run: Run<'q>,
    buffer: Buffer<R>,
    handle: Handle,
}

impl<'q, R: Row> QueryRows<'q, R> {
    pub(super) fn new(source: Source<'q>, spec: Spec, handle: Handle) -> Result<Self> {
        let mut buffer = Buffer::new(read());
        match source.run(spec, &mut buffer) {
            Ok(run) => Ok(Self { run, buffer, handle }),
            Err(error) => Err(handle.placed(error.at_table(R::TABLE))),
        }
    }
}

impl<R: Row> Iterator for QueryRows<'_, R> {
    type Item = Result<R>;

    fn next(&mut self) -> Option<Result<R>> {
        let row = self.buffer.next(&mut self.run)?;
        Some(row.map_err(|error| self.handle.placed(error.at_table(R::TABLE))))
    }
}

impl<R: Row> fmt::Debug for QueryRows<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryRows").field("table", &R::TABLE).finish_non_exhaustive()
    }
}

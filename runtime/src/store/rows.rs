//! The rows of a table, one after another.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::handle::Handle;
use super::read::{stray_row, typed_in_scan};
use crate::disk::{self, View};
use crate::error::{Error, Result};
use crate::row::Row;
use crate::schema::descriptor::TableIdx;

/// The rows of a table in the order of their keys, from a consistent view.
///
/// Made by [`Table::iter`](crate::Table::iter) and [`Snapshot::iter`](crate::Snapshot::iter). An
/// invalid row is an `Err` item; the rest still come.
pub struct Rows<R> {
    rows: disk::Rows,
    strays: std::vec::IntoIter<(String, String)>,
    handle: Handle,
    row: PhantomData<fn() -> R>,
}

impl<R: Row> fmt::Debug for Rows<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("table", &R::TABLE).finish_non_exhaustive()
    }
}

impl<R: Row> Rows<R> {
    pub(super) fn new(view: Arc<View>, table_idx: TableIdx, handle: &Handle) -> Result<Self> {
        Ok(Self {
            rows: view.rows(table_idx)?,
            strays: view.strays(table_idx)?.into_iter(),
            handle: handle.clone(),
            row: PhantomData,
        })
    }
}

impl<R: Row> Iterator for Rows<R> {
    type Item = Result<R>;

    fn next(&mut self) -> Option<Result<R>> {
        let placed = |error: Error| self.handle.placed(error.at_table(R::TABLE));
        match self.rows.next_with(typed_in_scan::<R>) {
            Some(Ok(row)) => Some(row.map_err(placed)),
            Some(Err(error)) => Some(Err(placed(error))),
            None => self.strays.next().map(|(key, _)| Err(placed(stray_row::<R>(&key)))),
        }
    }
}

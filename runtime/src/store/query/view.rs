//! The views in which the rows of a query are looked for.

use std::fmt;
use std::sync::Arc;

use crate::disk::View;
use crate::engine::Topic;
use crate::query::{Read, Source};
use crate::row::Row;
use crate::schema::descriptor::TableIdx;
use crate::store::handle::Handle;
use crate::store::overlay::Overlay;
use crate::store::read::{stray_row, typed_in_scan, typed_text};
use crate::store::snapshot::Reads;

/// The view of a [`Query`](super::Query) of a table: what is committed when it is run.
#[derive(Debug, Clone)]
pub struct Committed(pub(super) Handle);

/// The view of a [`Query`](super::Query) of a snapshot.
#[derive(Debug, Clone)]
pub struct AsOf {
    pub(super) handle: Handle,
    pub(super) view: Arc<View>,
    /// Notes which tables are read, if the snapshot does.
    pub(super) reads: Option<Arc<Reads>>,
}

/// The view of a [`Query`](super::Query) of a transaction: what is committed, with its own writes over
/// it.
pub struct Within<'q> {
    pub(super) handle: &'q Handle,
    pub(super) overlay: Overlay<'q>,
}

impl fmt::Debug for Within<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Within").finish_non_exhaustive()
    }
}

/// A view in which rows are looked for.
#[doc(hidden)]
#[expect(private_interfaces, reason = "only this crate implements it")]
pub trait At {
    #[doc(hidden)]
    fn source(&self, table_idx: TableIdx) -> Source<'_>;

    #[doc(hidden)]
    fn handle(&self) -> &Handle;

    /// A table other than that of the query is read.
    #[doc(hidden)]
    fn reads(&self, _: TableIdx) {}
}

pub(in crate::store) fn read<R: Row>() -> Read<R> {
    Read { stored: typed_in_scan::<R>, text: typed_text::<R>, stray: stray_row::<R> }
}

pub(super) fn source<'s>(handle: &Handle, view: Arc<View>, table_idx: TableIdx) -> Source<'s> {
    Source::new(handle.engine().clone(), view, table_idx, None)
}

#[expect(private_interfaces, reason = "only this crate implements it")]
impl At for Committed {
    fn source(&self, table_idx: TableIdx) -> Source<'_> {
        source(&self.0, self.0.engine().view(), table_idx)
    }

    fn handle(&self) -> &Handle {
        &self.0
    }
}

#[expect(private_interfaces, reason = "only this crate implements it")]
impl At for AsOf {
    fn source(&self, table_idx: TableIdx) -> Source<'_> {
        source(&self.handle, self.view.clone(), table_idx)
    }

    fn handle(&self) -> &Handle {
        &self.handle
    }

    fn reads(&self, table_idx: TableIdx) {
        if let Some(reads) = &self.reads {
            reads.record(Topic::Table(table_idx));
        }
    }
}

#[expect(private_interfaces, reason = "only this crate implements it")]
impl At for Within<'_> {
    fn source(&self, table_idx: TableIdx) -> Source<'_> {
        let (engine, view) = (self.handle.engine().clone(), self.overlay.view.clone());
        Source::new(engine, view, table_idx, Some(&*self.overlay.batch))
    }

    fn handle(&self) -> &Handle {
        self.handle
    }
}

//! Live results: what a query gives, kept up to date from the rows that commits change.

mod delta;
mod list;
mod reader;
mod result;
mod table;

pub use delta::{Delta, Inserted, Moved, Removed, Updated};
pub(crate) use reader::{Next, Reader};
pub(crate) use result::{LiveResult, lost};
pub(crate) use table::TableWatches;

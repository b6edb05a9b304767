//! The write path, the merge path, and telling who wants to know: joins `doc` and `disk`.

mod batch;
mod check;
mod coverage;
mod exchange;
mod fact;
mod head;
mod hub;
mod index_build;
mod indexes;
mod load;
mod loaded;
mod lock;
mod maintain;
mod open;
mod progress;
mod store;
mod touched;
mod write;
mod writer;

pub(crate) use batch::{Batch, RowOp};
pub use check::CheckReport;
pub(crate) use exchange::{MergeOutcome, check_update};
pub(crate) use head::recorded;
pub(crate) use hub::{Change, Topic};
pub use hub::{ChangeKind, Origin, Subscription};
pub(crate) use open::{Engine, Settings, identity};
pub use progress::Progress;

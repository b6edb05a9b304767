//! Epochs: which document a device uses, taking rows from one epoch to the next, and carrying over
//! what is written late.

mod carry_over;
mod convert;
mod convert_thread;
mod forward;
mod incorporate;
mod notify;
mod plan;
mod preview;
mod prune;
mod quarantine;
mod row_chunk;
mod run;
mod scratch_store;
mod select_document;
mod shed_history;
mod sink;
mod source;
mod status;
mod switch_document;

pub(crate) use preview::{Preview, PreviewInvalid, PreviewSample, PreviewTable, preview};
pub(crate) use prune::{PrunedDocument, open_epoch, prune};
pub(crate) use quarantine::{Kept, accept, dismiss, list};
pub(crate) use scratch_store::{MigrationStores, ReadStore};
pub(crate) use select_document::{MergeChanges, rebuild, refuse_other_epoch, select_document};
pub(crate) use shed_history::shed_history;
pub(crate) use status::{EpochStatus, epoch_status};

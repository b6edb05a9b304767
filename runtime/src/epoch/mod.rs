//! Epochs: which document a device uses, taking rows from one epoch to the next, and carrying over
//! what is written late.

mod adopt;
mod ahead;
mod arrive;
mod batch;
mod beside;
mod convert;
mod forward;
mod incorporate;
mod plan;
mod preview;
mod prune;
mod quarantine;
mod run;
mod sink;
mod source;
mod stage;
mod status;
mod tell;

pub(crate) use arrive::{News, arrive, rebuild};
pub(crate) use preview::{Preview, PreviewInvalid, PreviewSample, PreviewTable, preview};
pub(crate) use prune::{PrunedDocument, open_epoch, prune};
pub(crate) use quarantine::{Kept, accept, dismiss, list};
pub(crate) use stage::{Side, Stages};
pub(crate) use status::{EpochStatus, epoch_status};

//! The head document: which versions of its schema a store has had, and how the running code
//! stands to them.

mod compared;
mod head_changes;
mod merge;
mod record;
mod recorded;
mod refusal;

pub(super) use compared::Compared;
pub(super) use head_changes::HeadChange;
pub(crate) use recorded::{read_claims, recorded};

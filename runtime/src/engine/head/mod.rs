//! The head document: which versions of its schema a store has had, and how the running code
//! stands to them.

mod compared;
mod merge;
mod news;
mod record;
mod recorded;
mod refusal;

pub(super) use compared::Compared;
pub(super) use news::News;
pub(super) use recorded::read_claims;
pub(crate) use recorded::recorded;

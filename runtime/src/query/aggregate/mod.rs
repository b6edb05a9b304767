//! Aggregates: sums, counts and the like of the rows of a query, whole or in groups.
//!
//! An [`Aggregate`] says what is kept of rows, a [`Columns`] which of them belong together, and a
//! [`Tally`] is both as it grows. `fold.rs` fills one from the rows of a query, or from the entries
//! of an index that has all of the columns (`covered.rs`); `live.rs` goes on with the rows that
//! commits change.

mod column;
mod covered;
#[cfg(feature = "rust_decimal")]
mod decimal;
mod exact;
mod extreme;
mod fold;
mod functions;
mod live;
mod number;
mod tally;

pub use functions::{Aggregate, Avg, Count, CountDistinct, Max, Min, Needed, Step, Sum, count};
pub use number::{Amount, Summable, Total};

pub(crate) use extreme::first_by_index;
pub(crate) use fold::fold;
pub(crate) use live::{Follow, LiveTally, Make};
pub(crate) use tally::{Tally, Whole};

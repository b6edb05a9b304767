//! [`Successor`]: a record that follows from one of the epoch before.

use std::fmt;

use super::Record;
use crate::schema::step::{ConvertedGroup, Entries, Failure, RecordStep, SourceDef};

/// A row or kv group that is made from the one of the epoch before. Implemented by derives that
/// name a `previous`.
pub trait Successor: Record {
    /// The record of the epoch before.
    type Previous: Record;

    /// The source of each field, in declaration order; `None` if the user's own `From` or `TryFrom`
    /// converts.
    const SOURCES: Option<&'static [SourceDef]>;

    /// Converts.
    ///
    /// # Errors
    ///
    /// Those of the user's own `TryFrom`.
    fn succeed(previous: Self::Previous) -> Result<Self, ConvertError>;
}

/// Why a record could not be converted: the text of the user's own error.
#[derive(Debug, Clone)]
pub struct ConvertError(String);

impl ConvertError {
    /// The error of a conversion.
    pub fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The step to a record from that of the epoch before, with the functions that take it.
pub struct Step<R> {
    pub(crate) def: RecordStep,
    pub(crate) back: fn(u32, &str) -> Result<Back<R>, Failure>,
    pub(crate) carry: fn(u32, &str) -> Result<String, Failure>,
    pub(crate) carry_entries: fn(u32, &Entries) -> ConvertedGroup,
}

impl<R> Step<R> {
    /// Returns the descriptor of the step, without its type.
    pub const fn def(&self) -> RecordStep {
        self.def
    }
}

impl<R> fmt::Debug for Step<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("def", &self.def).finish_non_exhaustive()
    }
}

/// A record read from an earlier epoch.
#[derive(Debug)]
pub(crate) struct Back<R> {
    pub(crate) record: R,
    /// Whether the stored JSON said no more than the type it was written with.
    pub(crate) is_whole: bool,
}

//! Comparing two schemas: typed changes, each judged by a rule.

mod change;
mod rule;

pub use change::{Change, Class, Operation};
pub use rule::Rule;

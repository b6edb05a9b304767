//! Comparing two schemas: typed changes, each judged by a rule.

mod alternatives;
mod change;
mod class;
mod compare;
mod fields;
mod lint;
mod lists;
mod objects;
mod operation;
mod presence;
mod renames;
mod report;
mod rule;
mod rules;
mod scalars;
mod shape;
mod store;
mod variants;

#[cfg(test)]
mod tests;

pub use change::Change;
pub use class::Class;
pub use operation::Operation;
pub use report::Diff;
pub use rule::Rule;

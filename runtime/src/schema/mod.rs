//! What a store looks like, as data: described, fingerprinted, compared, and kept in a history file.
//!
//! Nothing here reads or writes a file.

pub(crate) mod describe;
pub(crate) mod descriptor;
pub(crate) mod guard;
pub(crate) mod step;

mod age;
mod canonical;
mod code;
mod described;
mod diff;
mod history;

pub(crate) use age::sort;
pub(crate) use code::{Break, Code, Comparison, Standing};
pub use described::{
    FieldDefault, FieldSchema, GroupSchema, IndexSchema, KeySchema, Reserved, Schema, TableSchema,
};
pub use diff::{Change, Class, Diff, Operation, Rule};
pub use history::{History, Version};

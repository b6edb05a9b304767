//! The history file of a store, as far as the compiler needs it: that it is whole and this store's,
//! and what its newest version says.
//!
//! Derives run unoptimised, and a history grows for ever. So the lines of older versions are only
//! looked at, by their first bytes, and nothing but the newest version is parsed.

mod branches;
mod file;
mod lines;
mod recorded;

pub(crate) use file::{History, read};
pub(crate) use recorded::{Field, Recorded, Struct};

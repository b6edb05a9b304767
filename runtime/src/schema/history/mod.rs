//! The history file: every version that a schema has had, in a form made for code review.
//!
//! The file is laid out line by line and never reformatted, so that its newest version is found
//! from the end, two branches that both add a version conflict, and a checksum of the lines tells
//! of a change by hand.

mod file;
mod layout;
mod lines;
mod version;

pub use file::History;
pub use version::Version;

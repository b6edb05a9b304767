//! The first guard: what a struct may not do against the newest recorded version of its schema.
//!
//! All of it runs while the user's crate is compiled. `#[derive(Store)]` writes down what is
//! recorded, and calls this with the descriptors of its tables and groups; a message that comes
//! back is the compile error. Types are compared as written, since that is all there is to see.

mod check;
mod compare;
mod conversion;
mod message;
mod recorded;
mod succession;

pub use check::{Structs, check_store, check_struct};
pub use conversion::{Conversion, moved, place, removed_names, stored_name};
pub use message::Message;
pub use recorded::{Recorded, RecordedField, RecordedKey, RecordedStruct};
pub use succession::{Link, Succession, check_unfounded_group, check_unfounded_table};

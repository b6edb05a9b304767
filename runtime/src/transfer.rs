//! Data in and out: rows of a table as JSON Lines.
//!
//! [`Table::export`](crate::Table::export) writes rows to any writer, and
//! [`Table::import`](crate::Table::import) reads them from any reader, all or none. Other programs read and
//! write the same lines. Do not copy a store this way: [`backup`](crate::Store::backup) keeps all of it, and
//! two copies of one store that have exchanged changes stay one.

#[doc(inline)]
pub use crate::store::{Imported, OnExisting};

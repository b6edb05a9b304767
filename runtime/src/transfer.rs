//! Data in and out: rows of a table as JSON Lines and CSV, a whole store as JSON Lines.
//!
//! [`Table::export`](crate::Table::export) writes rows to any writer, and
//! [`Table::import`](crate::Table::import) reads them from any reader, all or none;
//! [`Store::export`](crate::Store::export) and [`Store::import`](crate::Store::import) do so with all tables and
//! groups. With the feature `csv` there are `Table::export_csv` and `Table::import_csv`. Other programs read and
//! write the same lines. Do not copy a store this way: [`backup`](crate::Store::backup) keeps all of it, and
//! two copies of one store that have exchanged changes stay one. The guide `docs/import-and-export.md` has the rules.

#[doc(inline)]
pub use crate::store::{Imported, OnExisting};

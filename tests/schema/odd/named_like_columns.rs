//! A type of the user's own may have the name of a column; columns of one type may stand in a list.

#![deny(warnings, missing_debug_implementations, missing_docs, unnameable_types)]
#![deny(clippy::all, clippy::pedantic)]
#![allow(clippy::upper_case_acronyms)]

use heirloom::query::Expr;
use heirloom::{Column, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A name in capital letters.
pub type ID = u64;

/// A length in capital letters.
pub const CODE: usize = 2;

/// A row.
#[derive(Debug, Serialize, Deserialize, JsonSchema, Table)]
pub struct SIZE {
    /// Of the type that is called like its column.
    pub id: ID,
    /// Called like the constant.
    pub code: [u8; CODE],
    /// Called like the row.
    pub size: u32,
    /// Something else.
    pub weight: u32,
}

/// A store.
#[derive(Debug, Store)]
pub struct Stock {
    /// The rows.
    pub sizes: Table<SIZE>,
}

/// Takes a column of any name.
#[must_use]
pub fn positive<R: 'static, C>(column: Column<R, u32, C>) -> Expr<R> {
    column.gt(0)
}

#[test]
fn columns_of_one_type_stand_in_a_list() {
    let both: [Column<SIZE, u32>; 2] = [SIZE::SIZE.unnamed(), SIZE::WEIGHT.unnamed()];
    let _ = both.map(positive);
    let _ = SIZE::ID.eq(7) & SIZE::CODE.eq([1, 2]) & positive(SIZE::WEIGHT);
}

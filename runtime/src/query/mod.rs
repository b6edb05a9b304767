//! Queries: conditions on columns, orders, and the rows that come out.
//!
//! A [`Query`](crate::Query) is begun by [`Table::filter`](crate::Table::filter),
//! [`Table::order_by`](crate::Table::order_by) or [`Table::query`](crate::Table::query). Conditions
//! ([`Expr`]) and orders ([`Order`]) are made by the methods of a [`Column`](crate::Column); code that
//! uses queries seldom names the types of this module. It names them to keep a condition in a
//! variable, to write a function of any column, or to hold an iterator of rows.
//!
//! Do not use a query to get one row by its key: [`Table::get`](crate::Table::get) is for that.
//!
//! ```
//! use heirloom::query::Expr;
//! # use heirloom::{Store, Table};
//! # #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
//! # struct City { #[key] name: String, country: String, people: u32 }
//! # #[derive(Store)]
//! # struct Atlas { cities: Table<City> }
//!
//! fn shown(country: Option<&str>) -> Expr<City> {
//!     let large = City::PEOPLE.ge(100_000);
//!     match country {
//!         Some(country) => large & City::COUNTRY.eq(country),
//!         None => large,
//!     }
//! }
//! # let atlas = Atlas::in_memory()?;
//! # atlas.cities.insert(&City { name: "Bern".into(), country: "ch".into(), people: 134_000 })?;
//! assert_eq!(atlas.cities.filter(shown(Some("ch"))).count()?, 1);
//! assert_eq!(atlas.cities.filter(shown(Some("de"))).count()?, 0);
//! # Ok::<(), heirloom::Error>(())
//! ```

pub(crate) mod aggregate;
mod buffer;
#[cfg(feature = "collation")]
mod collation;
pub(crate) mod column;
pub(crate) mod columns;
mod cursor;
mod explain;
mod expr;
mod keys;
pub(crate) mod live;
mod named;
mod operand;
mod order;
mod parts;
pub(crate) mod path;
mod picks;
mod plan;
mod ranges;
mod run;
mod source;
mod spec;
mod text;
mod top;
mod walk;

#[doc(hidden)]
pub use self::aggregate::{Needed, Step};
#[doc(inline)]
#[cfg(feature = "collation")]
pub use self::collation::Collation;
pub use self::{
    aggregate::{
        Aggregate, Amount, Avg, Count, CountDistinct, Max, Min, Sum, Summable, Total, count,
    },
    column::Unnamed,
    columns::{Columns, Mapped},
    expr::{Condition, Expr},
    operand::{Contains, Operand, Optional, Text},
    order::{IntoOrder, Order},
};
#[doc(hidden)]
pub use crate::disk::Totals;
#[doc(inline)]
pub use crate::row::SortKey;
// Traits that bounds name and users need not: each is implemented for all that has the trait beside
// it.
#[doc(hidden)]
pub use self::{
    named::{
        ColumnItem, ColumnOperand, ContainsColumn, OptionalColumn, OrderedColumn, SummableColumn,
        TextColumn, UniqueColumn,
    },
    path::{FieldPath, Leads},
};
// The handles, which are made by the layer above.
#[doc(inline)]
pub use crate::row::Reference;
#[doc(hidden)]
pub use crate::store::GetRow;
#[doc(inline)]
pub use crate::store::{
    Aggregation, AsOf, Committed, DanglingRef, Distinct, GroupBy, Groups, QueryRows, Rows, Select,
    SelectRows, Within,
};

pub(crate) use buffer::{Buffer, Read};
pub(crate) use cursor::Cursor;
pub(crate) use explain::explain;
pub(crate) use expr::{Field, Node};
pub(crate) use order::ColumnOrder;
pub(crate) use picks::Picks;
pub(crate) use ranges::Ranges;
pub(crate) use run::Run;
pub(crate) use source::Source;
pub(crate) use spec::Spec;

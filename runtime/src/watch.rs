//! Following changes: what observers are given, and results that stay up to date.
//!
//! There are four ways, and each one ends when its handle is dropped:
//!
//! | | follows | gives | runs |
//! |---|---|---|---|
//! | [`Table::observe`](crate::Table::observe), [`Kv::observe`](crate::Kv::observe) | a table, a kv group | the keys that a commit changed: [`TableChanges`], [`KvChanges`] | your callback, after the commit |
//! | [`Query::watch`](crate::Query::watch) | the rows of a query | a [`Delta`] from each result to the next | when you ask the [`Watch`] for it |
//! | [`Aggregation::watch`](crate::query::Aggregation::watch), [`Groups::watch`](crate::query::Groups::watch) | sums, counts and the like of a query, whole or in groups | the new value | when you ask the [`WatchAggregate`] for it |
//! | [`Store::watch`](crate::Store::watch) | anything that a closure reads | the new value | when you ask the [`WatchValue`] for it |
//!
//! Use `observe` to react to each commit, `Query::watch` for a list on a screen, an aggregate for its
//! sum, and `Store::watch` for any other small value. Do not poll: each of them costs nothing while nothing
//! changes.
//!
//! ```
//! # use heirloom::{Store, Table};
//! # #[derive(Clone, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
//! # struct Task { #[key] name: String, done: bool }
//! # #[derive(Store)]
//! # struct App { tasks: Table<Task> }
//! # let app = App::in_memory()?;
//! let watch = app.tasks.filter(Task::DONE.eq(false)).watch()?;
//! let mut list: Vec<Task> = Vec::new();
//! watch.recv()?.apply(&mut list); // the first delta is the whole result
//!
//! app.tasks.insert(&Task { name: "sow".into(), done: false })?;
//! watch.recv()?.apply(&mut list);
//! assert_eq!(list[0].name, "sow");
//! # Ok::<(), heirloom::Error>(())
//! ```
//!
//! With the feature `stream`, a [`Watch`] is a `futures_core::Stream`, for any executor.

#[doc(inline)]
pub use crate::engine::{ChangeKind, Origin, Subscription};
#[doc(inline)]
pub use crate::query::live::{Delta, Inserted, Moved, Removed, Updated};
#[doc(inline)]
pub use crate::store::{
    Deltas, EntryChange, KvChanges, RowChange, TableChanges, Watch, WatchAggregate, WatchValue,
};

//! Asking for rows: columns, conditions, choosing a way to the rows, and walking it.

mod column;
mod explain;
mod expr;
mod keys;
pub(crate) mod live;
mod named;
mod operand;
mod order;
mod parts;
mod path;
mod plan;
mod ranges;
mod run;
mod source;
mod spec;
mod top;
mod walk;

#[doc(hidden)]
pub use column::column;
pub use column::{Column, Unnamed};
pub(crate) use explain::explain;
pub use expr::Expr;
pub use live::{Delta, Inserted, Moved, Removed, Updated};
pub use named::{
    ColumnItem, ColumnOperand, ContainsColumn, OptionalColumn, OrderedColumn, TextColumn,
};
pub use operand::{Contains, Operand, Optional, Ordered, Text};
pub use order::{IntoOrder, Order};
pub use path::{FieldPath, Leads};
#[doc(hidden)]
pub use path::{Fold, IsOption, IsPlain, Member};
pub(crate) use run::Run;
pub(crate) use source::{Read, Source};
pub(crate) use spec::Spec;

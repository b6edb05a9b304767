//! [`GroupKey`]: by what rows are grouped.

use std::fmt;

use crate::query::column::Column;
use crate::row::order::Encode;
use crate::row::{Comparable, Row};

/// A way to group rows of type `R`: by a column, something computed from one by
/// [`Column::map`], or a tuple of several.
///
/// Implemented for these; do not implement it.
#[diagnostic::on_unimplemented(
    message = "rows of `{R}` cannot be grouped by `{Self}`",
    label = "not a column",
    note = "write a column, `COLUMN.map(|value| …)` for something computed from one, or several as a \
            tuple"
)]
pub trait GroupKey<R>: Clone + Send + Sync + 'static {
    /// The type of what the rows of a group have in common.
    type Value: Clone + Send + 'static;

    /// The key itself: where it is none, what follows has no other mistake.
    #[doc(hidden)]
    type Itself: GroupKey<R, Value = Self::Value>;

    /// The key itself.
    #[doc(hidden)]
    fn itself(self) -> Self::Itself;

    /// Adds the encoding of the value in a row.
    #[doc(hidden)]
    fn encode(&self, row: &R, bytes: &mut Vec<u8>);

    /// The value in a row.
    #[doc(hidden)]
    fn value(&self, row: &R) -> Option<Self::Value>;

    /// The value, if it is that of all rows.
    #[doc(hidden)]
    fn constant(&self) -> Option<Self::Value> {
        None
    }

    /// Adds the stored names of the columns that it reads; false if they are not fields of the row.
    #[doc(hidden)]
    fn needs(&self, columns: &mut Vec<&'static str>) -> bool;
}

impl<R: Row, T: Clone + Send + 'static, C: 'static> GroupKey<R> for Column<R, T, C> {
    type Value = T;
    type Itself = Self;

    fn itself(self) -> Self {
        self
    }

    fn encode(&self, row: &R, bytes: &mut Vec<u8>) {
        Column::encode(*self, row, bytes);
    }

    fn value(&self, row: &R) -> Option<T> {
        let mut found = None;
        self.show(row, &mut |value| found = Some(value.clone()));
        found
    }

    fn needs(&self, columns: &mut Vec<&'static str>) -> bool {
        columns.extend(self.stored_name());
        self.stored_name().is_some()
    }
}

/// Something computed from a column, to group by; made by [`Column::map`].
pub struct Mapped<R, T, C, F> {
    pub(in crate::query) column: Column<R, T, C>,
    pub(in crate::query) compute: F,
}

impl<R, T, C, F: Clone> Clone for Mapped<R, T, C, F> {
    fn clone(&self) -> Self {
        Self { column: self.column, compute: self.compute.clone() }
    }
}

impl<R, T, C, F> fmt::Debug for Mapped<R, T, C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapped").field("column", &self.column).finish_non_exhaustive()
    }
}

impl<R: Row, T: 'static, C: 'static, U, F> GroupKey<R> for Mapped<R, T, C, F>
where
    U: Comparable + Clone + Send + 'static,
    F: Fn(&T) -> U + Clone + Send + Sync + 'static,
{
    type Value = U;
    type Itself = Self;

    fn itself(self) -> Self {
        self
    }

    fn encode(&self, row: &R, bytes: &mut Vec<u8>) {
        let encode: Encode<U> = crate::row::order::encode::<U>;
        self.column.show(row, &mut |value| {
            crate::row::order::encode_stored(&(self.compute)(value), bytes, encode);
        });
    }

    fn value(&self, row: &R) -> Option<U> {
        let mut found = None;
        self.column.show(row, &mut |value| found = Some((self.compute)(value)));
        found
    }

    fn needs(&self, columns: &mut Vec<&'static str>) -> bool {
        columns.extend(self.column.stored_name());
        self.column.stored_name().is_some()
    }
}

macro_rules! tuples {
    ($(($($name:ident $place:tt)*))*) => {
        $(impl<R, $($name: GroupKey<R>),*> GroupKey<R> for ($($name,)*) {
            type Value = ($($name::Value,)*);
            type Itself = Self;

            fn itself(self) -> Self {
                self
            }

            fn encode(&self, row: &R, bytes: &mut Vec<u8>) {
                $(self.$place.encode(row, bytes);)*
            }

            fn value(&self, row: &R) -> Option<Self::Value> {
                Some(($(self.$place.value(row)?,)*))
            }

            fn needs(&self, columns: &mut Vec<&'static str>) -> bool {
                $(self.$place.needs(columns))&&*
            }
        })*
    };
}

tuples!((A 0)(A 0 B 1)(A 0 B 1 C 2)(A 0 B 1 C 2 D 3));

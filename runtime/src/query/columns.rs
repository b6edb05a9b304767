//! [`Columns`]: what is asked of rows, or groups them.

use std::fmt;

use crate::query::column::{Column, Name};
use crate::row::order::Encode;
use crate::row::{Comparable, Row};

/// The columns of rows of type `R` that are selected, or that rows are grouped by: a column,
/// something computed from one by [`Column::map`], or a tuple of several.
///
/// Implemented for these; do not implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name columns of `{R}`",
    label = "not a column",
    note = "write a column, `COLUMN.map(|value| …)` for something computed from one, or several as a \
            tuple"
)]
pub trait Columns<R>: Clone + Send + Sync + 'static {
    /// The type of the values: of a column, that of its field; of a tuple, a tuple.
    type Value: Clone + Send + 'static;

    /// The columns themselves: for a type that does not name any, what follows has no other mistake.
    #[doc(hidden)]
    type Itself: Columns<R, Value = Self::Value>;

    /// The columns themselves.
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

    /// Adds the columns that an index must have for it.
    #[doc(hidden)]
    fn needs(&self, columns: &mut Vec<Name>);

    /// Adds the stored names of the fields of the row that it is read from.
    #[doc(hidden)]
    fn roots(&self, roots: &mut Vec<&'static str>);

    /// The value, from the JSON texts of these fields; nothing if they do not say.
    #[doc(hidden)]
    fn parse(&self, texts: &mut std::slice::Iter<'_, &str>) -> Option<Self::Value>;
}

impl<R: Row, T: Clone + Send + 'static, C: 'static> Columns<R> for Column<R, T, C> {
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

    fn needs(&self, columns: &mut Vec<Name>) {
        columns.push(self.full_name());
    }

    fn roots(&self, roots: &mut Vec<&'static str>) {
        roots.push(self.root());
    }

    fn parse(&self, texts: &mut std::slice::Iter<'_, &str>) -> Option<T> {
        let mut found = None;
        let is_read = Column::parse(*self, texts.next()?, &mut |value| found = Some(value.clone()));
        found.filter(|_| is_read)
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

impl<R: Row, T: 'static, C: 'static, U, F> Columns<R> for Mapped<R, T, C, F>
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

    fn needs(&self, columns: &mut Vec<Name>) {
        columns.push(self.column.full_name());
    }

    fn roots(&self, roots: &mut Vec<&'static str>) {
        roots.push(self.column.root());
    }

    fn parse(&self, texts: &mut std::slice::Iter<'_, &str>) -> Option<U> {
        let mut found = None;
        let mut see = |value: &T| found = Some((self.compute)(value));
        let is_read = self.column.parse(texts.next()?, &mut see);
        found.filter(|_| is_read)
    }
}

macro_rules! tuples {
    ($(($($name:ident $place:tt)*))*) => {
        $(impl<R, $($name: Columns<R>),*> Columns<R> for ($($name,)*) {
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

            fn needs(&self, columns: &mut Vec<Name>) {
                $(self.$place.needs(columns);)*
            }

            fn roots(&self, roots: &mut Vec<&'static str>) {
                $(self.$place.roots(roots);)*
            }

            fn parse(&self, texts: &mut std::slice::Iter<'_, &str>) -> Option<Self::Value> {
                Some(($(self.$place.parse(texts)?,)*))
            }
        })*
    };
}

tuples! {
    (A 0)
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
    (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7)
}

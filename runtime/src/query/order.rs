//! [`Order`]: by which columns rows come, and the bytes that put them there.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::column::Column;
use super::expr::Field;
use super::named::OrderedColumn;
use crate::row::Row;
use crate::row::order::{encode_bytes, encode_key_part};

/// A column that rows are ordered by, and the direction.
///
/// Made by [`Column::asc`] and [`Column::desc`].
pub struct Order<R> {
    column: ColumnOrder,
    row: PhantomData<fn(&R)>,
}

/// An [`Order`], without the type of its rows.
#[derive(Clone)]
pub(crate) struct ColumnOrder {
    pub(crate) field: Field,
    pub(crate) is_desc: bool,
    compare: Compare,
}

impl ColumnOrder {
    /// The order of keys: by each of the fields that are the key.
    pub(crate) fn of_keys<R: Row>() -> impl Iterator<Item = Self> {
        R::KEY_FIELDS.iter().enumerate().map(|(part, &place)| {
            let field = Field::new(R::FIELDS[place].name, false, move |row: &R, bytes| {
                encode_key_part(&*row.key(), part, bytes);
            });
            Self { field, is_desc: false, compare: Arc::new(|_, _| None) }
        })
    }

    /// The opposite order.
    pub(crate) fn flipped(mut self) -> Self {
        self.is_desc = !self.is_desc;
        self
    }
}

/// Compares two rows.
type Compare = Arc<dyn Fn(&dyn Any, &dyn Any) -> Option<Ordering> + Send + Sync>;

/// Says all that tells orders apart.
impl fmt::Debug for ColumnOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ColumnOrder").field(&self.field).field(&self.is_desc).finish()
    }
}

impl<R: 'static> Order<R> {
    /// `compare` compares two rows as the type of the column does.
    pub(crate) fn new(
        field: Field,
        is_desc: bool,
        compare: impl Fn(&R, &R) -> Option<Ordering> + Send + Sync + 'static,
    ) -> Self {
        let compare = move |first: &dyn Any, second: &dyn Any| {
            // The public types see to it that a row is given to no order of another.
            compare(first.downcast_ref()?, second.downcast_ref()?)
        };
        let column = ColumnOrder { field, is_desc, compare: Arc::new(compare) };
        Self { column, row: PhantomData }
    }
}

impl<R> Order<R> {
    pub(crate) fn into_column(self) -> ColumnOrder {
        self.column
    }
}

impl<R> Clone for Order<R> {
    fn clone(&self) -> Self {
        Self { column: self.column.clone(), row: PhantomData }
    }
}

impl<R> fmt::Display for Order<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.column.fmt(f)
    }
}

impl fmt::Display for ColumnOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field.name)?;
        f.write_str(if self.is_desc { " desc" } else { "" })
    }
}

impl<R> fmt::Debug for Order<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.column, f)
    }
}

/// An order as `order_by` takes it: a column, an [`Order`], or several of them as a tuple or a
/// list.
#[diagnostic::on_unimplemented(
    message = "rows of `{R}` cannot be ordered by `{Self}`",
    label = "not an order",
    note = "write a column with its direction, as in `Task::DUE.asc()`, or several as a tuple"
)]
pub trait IntoOrder<R> {
    /// The columns, first things first.
    #[doc(hidden)]
    fn into_order(self) -> Vec<Order<R>>;
}

impl<R> IntoOrder<R> for Order<R> {
    fn into_order(self) -> Vec<Order<R>> {
        vec![self]
    }
}

impl<R: 'static, T: OrderedColumn<C> + 'static, C> IntoOrder<R> for Column<R, T, C> {
    fn into_order(self) -> Vec<Order<R>> {
        vec![self.asc()]
    }
}

impl<R, O: IntoOrder<R>> IntoOrder<R> for Vec<O> {
    fn into_order(self) -> Vec<Order<R>> {
        self.into_iter().flat_map(IntoOrder::into_order).collect()
    }
}

impl<R, O: IntoOrder<R>, const LEN: usize> IntoOrder<R> for [O; LEN] {
    fn into_order(self) -> Vec<Order<R>> {
        self.into_iter().flat_map(IntoOrder::into_order).collect()
    }
}

macro_rules! tuples {
    ($(($($name:ident)*))*) => {
        $(impl<R, $($name: IntoOrder<R>),*> IntoOrder<R> for ($($name,)*) {
            fn into_order(self) -> Vec<Order<R>> {
                #[expect(non_snake_case, reason = "each value is named like its type")]
                let ($($name,)*) = self;
                [$($name.into_order()),*].into_iter().flatten().collect()
            }
        })*
    };
}

tuples!((A)(A B)(A B C)(A B C D)(A B C D E)(A B C D E F));

/// Bytes that sort as rows come: by the columns, then by key in the direction of the last column.
pub(crate) fn rank(order: &[ColumnOrder], row: &dyn Any, key: &[u8]) -> Vec<u8> {
    let Some(last) = order.last() else { return key.to_vec() };
    let mut rank = Vec::with_capacity(32 + key.len());
    for order in order {
        let start = rank.len();
        order.field.encode(row, &mut rank);
        invert_from(&mut rank, start, order.is_desc);
    }
    let start = rank.len();
    // Among keys, the start of another one comes first, and inverted it must come last.
    encode_bytes(&mut rank, key);
    invert_from(&mut rank, start, last.is_desc);
    rank
}

fn invert_from(bytes: &mut [u8], start: usize, is_desc: bool) {
    if is_desc {
        bytes.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
    }
}

/// The column by whose type's own order the first row comes after the second.
pub(super) fn out_of_order<'o>(
    order: &'o [ColumnOrder],
    first: &dyn Any,
    second: &dyn Any,
) -> Option<&'o ColumnOrder> {
    for order in order {
        match (order.compare)(first, second) {
            Some(Ordering::Equal) => {}
            Some(Ordering::Less) if !order.is_desc => return None,
            Some(Ordering::Greater) if order.is_desc => return None,
            Some(_) => return Some(order),
            None => return None,
        }
    }
    None
}

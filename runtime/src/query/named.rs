//! The bounds of a column's operators, once more with the column's name: a wrong operator or type is a
//! compile error that names the column.

use super::aggregate::Summable;
use super::operand::{Contains, Operand, Optional, Text};

/// A value that a column named `C` of type `T` may be compared with: every [`Operand`] of `T`.
///
/// Implemented for every such type; `C` is there for the compiler's message.
#[diagnostic::on_unimplemented(
    message = "the column `{C}` of type `{T}` cannot be compared with a `{Self}`",
    label = "not a `{T}`",
    note = "compare it with a value of its own type; if that is an `Option`, with a value of the type inside"
)]
pub trait ColumnOperand<T, C>: Operand<T> {}

#[diagnostic::do_not_recommend]
impl<V: Operand<T>, T, C> ColumnOperand<T, C> for V {}

/// A value that a column named `C` with items of type `T` may contain: every [`Operand`] of `T`.
///
/// Implemented for every such type; `C` is there for the compiler's message.
#[diagnostic::on_unimplemented(
    message = "the column `{C}` contains values of type `{T}`, never a `{Self}`",
    label = "not a `{T}`",
    note = "ask it for a value of the type that it contains, `{T}`"
)]
pub trait ColumnItem<T, C>: Operand<T> {}

#[diagnostic::do_not_recommend]
impl<V: Operand<T>, T, C> ColumnItem<T, C> for V {}

/// The type of a column named `C` whose values have an order: every type that is `PartialOrd`.
///
/// Implemented for every such type; `C` is there for the compiler's message.
#[diagnostic::on_unimplemented(
    message = "the column `{C}` is of type `{Self}`, whose values have no order",
    label = "`lt`, `le`, `gt`, `ge`, `between`, `asc`, `desc` and `order_by` need an order",
    note = "derive `PartialOrd` for `{Self}`, or compare with `eq`, `ne` or `is_in`"
)]
pub trait OrderedColumn<C>: PartialOrd {}

#[diagnostic::do_not_recommend]
impl<T: PartialOrd, C> OrderedColumn<C> for T {}

/// The type of a column named `C` that may be without a value: every type that is [`Optional`].
///
/// Implemented for every such type; `C` is there for the compiler's message.
#[diagnostic::on_unimplemented(
    message = "the column `{C}` of type `{Self}` always has a value",
    label = "`is_none` and `is_some` need a column whose type is an `Option`",
    note = "remove the condition, or make the field an `Option<{Self}>`"
)]
pub trait OptionalColumn<C>: Optional {}

#[diagnostic::do_not_recommend]
impl<T: Optional, C> OptionalColumn<C> for T {}

/// The type of a column named `C` that is text: every type that is [`Text`].
///
/// Implemented for every such type; `C` is there for the compiler's message.
#[diagnostic::on_unimplemented(
    message = "the column `{C}` is of type `{Self}`, and this condition is one on text",
    label = "not text",
    note = "compare it with `eq`, or `between` if its values have an order"
)]
pub trait TextColumn<C>: Text {}

#[diagnostic::do_not_recommend]
impl<T: Text, C> TextColumn<C> for T {}

/// The type of a column named `C` that is text or a collection of `I`: every type that is
/// [`Contains`].
///
/// Implemented for every such type; `C` is there for the compiler's message.
#[diagnostic::on_unimplemented(
    message = "the column `{C}` is of type `{Self}`, and `contains` needs one of text or of a collection",
    label = "contains nothing",
    note = "compare it with `eq`, or `between` if its values have an order"
)]
pub trait ContainsColumn<I, C>: Contains<Item = I> {}

#[diagnostic::do_not_recommend]
impl<T: Contains<Item = I>, I, C> ContainsColumn<I, C> for T {}

/// The type of a column named `C` whose values can be summed: every type that is [`Summable`].
///
/// Implemented for every such type; `C` is there for the compiler's message.
#[diagnostic::on_unimplemented(
    message = "the column `{C}` is of type `{Self}`, whose values cannot be summed",
    label = "not a number",
    note = "`sum` and `avg` take integers, floats, with the feature `rust_decimal` a `Decimal`, and an \
            `Option` of these; implement `heirloom::query::Summable` for a newtype around one, or count with \
            `count_distinct`"
)]
pub trait SummableColumn<C>: Summable {
    /// The type of a sum, [`Summable::Sum`].
    type Total;

    /// The sum itself.
    #[doc(hidden)]
    fn total(sum: Self::Sum) -> Self::Total;
}

#[diagnostic::do_not_recommend]
impl<T: Summable, C> SummableColumn<C> for T {
    type Total = T::Sum;

    fn total(sum: T::Sum) -> T::Sum {
        sum
    }
}

/// The name of a column that has a value of its own in each row: the key, and a field with
/// `#[index(unique)]`.
///
/// Implemented by the derives; do not implement it.
#[diagnostic::on_unimplemented(
    message = "the column `{Self}` is not unique: several rows may have one value",
    label = "`get_by` and `upsert_by` need a column whose value one row has",
    note = "add `#[index(unique)]` to the field, or use `filter` with `first` or `all`"
)]
pub trait UniqueColumn {}

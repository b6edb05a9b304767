//! Which operators a column has, and what it may be compared with.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet, LinkedList, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use uuid::Uuid;

use crate::row::order::Comparable;
use crate::row::{Id, Open, Ref, Row};

/// A value that a column of type `T` may be compared with: a `T`, a reference to one, a `&str` for
/// text, and a plain value for an `Option`. Implemented for all of these; do not implement it.
#[diagnostic::on_unimplemented(
    message = "a column of type `{T}` cannot be compared with `{Self}`",
    label = "not a `{T}`",
    note = "compare it with a value of its own type, `{T}`"
)]
pub trait Operand<T> {
    /// Shows the value as one of the column's type.
    #[doc(hidden)]
    fn show(self, see: &mut dyn FnMut(&T));

    /// The value as one of the column's type.
    #[doc(hidden)]
    fn into_owned(self) -> T
    where
        T: Clone;
}

impl<T> Operand<T> for T {
    fn show(self, see: &mut dyn FnMut(&T)) {
        see(&self);
    }

    fn into_owned(self) -> T {
        self
    }
}

impl<T> Operand<T> for &T {
    fn show(self, see: &mut dyn FnMut(&T)) {
        see(self);
    }

    fn into_owned(self) -> T
    where
        T: Clone,
    {
        self.clone()
    }
}

impl<T> Operand<Option<T>> for T {
    fn show(self, see: &mut dyn FnMut(&Option<T>)) {
        see(&Some(self));
    }

    fn into_owned(self) -> Option<T> {
        Some(self)
    }
}

impl<T> Operand<Open<T>> for T {
    fn show(self, see: &mut dyn FnMut(&Open<T>)) {
        see(&Open::Known(self));
    }

    fn into_owned(self) -> Open<T> {
        Open::Known(self)
    }
}

impl<T> Operand<Option<Open<T>>> for T {
    fn show(self, see: &mut dyn FnMut(&Option<Open<T>>)) {
        see(&Some(Open::Known(self)));
    }

    fn into_owned(self) -> Option<Open<T>> {
        Some(Open::Known(self))
    }
}

macro_rules! text_operands {
    ($($text:ty)*) => {
        $(
            impl Operand<$text> for &str {
                fn show(self, see: &mut dyn FnMut(&$text)) {
                    see(&self.to_owned().into());
                }

                fn into_owned(self) -> $text {
                    self.to_owned().into()
                }
            }

            impl Operand<Option<$text>> for &str {
                fn show(self, see: &mut dyn FnMut(&Option<$text>)) {
                    see(&Some(self.to_owned().into()));
                }

                fn into_owned(self) -> Option<$text> {
                    Some(self.to_owned().into())
                }
            }
        )*
    };
}

text_operands!(String Box<str> Arc<str> Rc<str> Cow<'static, str>);

/// For a column of references: what a reference is made of.
macro_rules! reference_operands {
    ($({$($bound:tt)*} $operand:ty: |$value:ident| $reference:expr;)*) => {
        $(
            impl<T: $($bound)*> Operand<Ref<T>> for $operand {
                fn show(self, see: &mut dyn FnMut(&Ref<T>)) {
                    let $value = self;
                    see(&$reference);
                }

                fn into_owned(self) -> Ref<T> {
                    let $value = self;
                    $reference
                }
            }

            impl<T: $($bound)*> Operand<Option<Ref<T>>> for $operand {
                fn show(self, see: &mut dyn FnMut(&Option<Ref<T>>)) {
                    let $value = self;
                    see(&Some($reference));
                }

                fn into_owned(self) -> Option<Ref<T>> {
                    let $value = self;
                    Some($reference)
                }
            }
        )*
    };
}

reference_operands! {
    {Row} &T: |row| Ref::to(row);
    {Row<Key = Id<T>>} Id<T>: |id| Ref::from(id);
    {Row<Key = Id<T>>} &Id<T>: |id| Ref::from(*id);
    {Row<Key = String>} &str: |key| Ref::new(key);
    {Row<Key = String>} &String: |key| Ref::new(key.as_str());
    {Row<Key = Uuid>} Uuid: |key| Ref::new(key);
    {Row<Key = u8>} u8: |key| Ref::new(key);
    {Row<Key = u16>} u16: |key| Ref::new(key);
    {Row<Key = u32>} u32: |key| Ref::new(key);
    {Row<Key = u64>} u64: |key| Ref::new(key);
    {Row<Key = usize>} usize: |key| Ref::new(key);
    {Row<Key = i8>} i8: |key| Ref::new(key);
    {Row<Key = i16>} i16: |key| Ref::new(key);
    {Row<Key = i32>} i32: |key| Ref::new(key);
    {Row<Key = i64>} i64: |key| Ref::new(key);
    {Row<Key = isize>} isize: |key| Ref::new(key);
}

impl<T: Row> Operand<Option<Ref<T>>> for &Ref<T> {
    fn show(self, see: &mut dyn FnMut(&Option<Ref<T>>)) {
        see(&Some(self.clone()));
    }

    fn into_owned(self) -> Option<Ref<T>> {
        Some(self.clone())
    }
}

/// An `Option`, for `is_none` and `is_some`.
#[diagnostic::on_unimplemented(
    message = "a column of type `{Self}` always has a value",
    label = "`is_none` and `is_some` need a column whose type is an `Option`",
    note = "remove the condition, or make the field an `Option<{Self}>`"
)]
pub trait Optional {}

impl<T> Optional for Option<T> {}

/// Text, for `starts_with`: `String` and the like, and an `Option` of one.
///
/// A newtype that derives [`Comparable`] and has nothing but text in it may implement it.
#[diagnostic::on_unimplemented(
    message = "`starts_with` needs a column of text, and this one is of type `{Self}`",
    label = "not text"
)]
pub trait Text: Comparable {
    /// How many `Option`s are around the text.
    #[doc(hidden)]
    const OPTIONS: usize = 0;
}

impl Text for String {}
impl Text for Box<str> {}
impl Text for Arc<str> {}
impl Text for Rc<str> {}
impl Text for Cow<'static, str> {}
impl<T: Text> Text for Option<T> {
    const OPTIONS: usize = T::OPTIONS + 1;
}

/// Text or a collection of values that have an equality, for `contains`.
#[diagnostic::on_unimplemented(
    message = "`contains` needs a column of text or of a collection, and this one is of type `{Self}`",
    label = "contains nothing"
)]
pub trait Contains {
    /// The type of the values that it may contain.
    type Item;

    /// Whether it is in there.
    #[doc(hidden)]
    fn holds(&self, item: &Self::Item) -> bool;
}

macro_rules! texts {
    ($($text:ty)*) => {
        $(impl Contains for $text {
            type Item = String;

            fn holds(&self, item: &String) -> bool {
                self.contains(item.as_str())
            }
        })*
    };
}

texts!(String Box<str> Arc<str> Rc<str> Cow<'static, str>);

macro_rules! collections {
    ($({$($generics:tt)*} $collection:ty;)*) => {
        $(impl<T: PartialEq, $($generics)*> Contains for $collection {
            type Item = T;

            fn holds(&self, item: &T) -> bool {
                self.iter().any(|held| held == item)
            }
        })*
    };
}

collections! {
    {} Vec<T>;
    {} VecDeque<T>;
    {} LinkedList<T>;
    {} BTreeSet<T>;
    {S} HashSet<T, S>;
    {const LEN: usize} [T; LEN];
}

impl<T: Contains> Contains for Option<T> {
    type Item = T::Item;

    fn holds(&self, item: &T::Item) -> bool {
        self.as_ref().is_some_and(|inner| inner.holds(item))
    }
}

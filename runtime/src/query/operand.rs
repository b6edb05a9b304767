//! Which operators a column has, and what it may be compared with.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;

use crate::row::order::{SOME, encode, text_of};

/// A value that a column of type `T` may be compared with: a `T`, a reference to one, a `&str` for
/// text, and a plain value for an `Option`. Implemented for all of these; do not implement it.
#[diagnostic::on_unimplemented(
    message = "a column of type `{T}` cannot be compared with `{Self}`",
    label = "not a `{T}`",
    note = "compare it with a value of its own type, `{T}`"
)]
pub trait Operand<T: ?Sized> {
    /// The encoding of the value; nothing for one that equals nothing, such as a NaN.
    #[doc(hidden)]
    fn encoded(&self) -> Option<Vec<u8>>;
}

fn encoded<T: Serialize + ?Sized>(value: &T) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    encode(&mut bytes, value).ok().map(|()| bytes)
}

fn encoded_some<T: Serialize + ?Sized>(value: &T) -> Option<Vec<u8>> {
    let mut bytes = vec![SOME];
    encode(&mut bytes, value).ok().map(|()| bytes)
}

impl<T: Serialize> Operand<T> for T {
    fn encoded(&self) -> Option<Vec<u8>> {
        encoded(self)
    }
}

impl<T: Serialize> Operand<T> for &T {
    fn encoded(&self) -> Option<Vec<u8>> {
        encoded(*self)
    }
}

impl<T: Serialize> Operand<Option<T>> for T {
    fn encoded(&self) -> Option<Vec<u8>> {
        encoded_some(self)
    }
}

macro_rules! text_operands {
    ($($text:ty)*) => {
        $(
            impl Operand<$text> for &str {
                fn encoded(&self) -> Option<Vec<u8>> {
                    encoded(*self)
                }
            }

            impl Operand<Option<$text>> for &str {
                fn encoded(&self) -> Option<Vec<u8>> {
                    encoded_some(*self)
                }
            }
        )*
    };
}

text_operands!(String Box<str> Arc<str> Rc<str> Cow<'static, str>);

/// A type whose values have an order, for `lt`, `le`, `gt`, `ge`, `between`, `asc` and `desc`:
/// every type that is `PartialOrd`.
///
/// Values are ordered as they are stored, which for numbers, text, `bool`, ids and dates is the
/// order they have in Rust. A unit variant of an enum is stored as its name, and so ordered by it.
#[diagnostic::on_unimplemented(
    message = "the values of a column of type `{Self}` have no order",
    label = "`lt`, `le`, `gt`, `ge`, `between`, `asc` and `desc` need an order",
    note = "derive `PartialOrd` for `{Self}`, or compare with `eq`, `ne` or `is_in`"
)]
pub trait Ordered: Serialize {}

impl<T: Serialize + PartialOrd + ?Sized> Ordered for T {}

/// An `Option`, for `is_none` and `is_some`.
#[diagnostic::on_unimplemented(
    message = "a column of type `{Self}` always has a value",
    label = "`is_none` and `is_some` need a column whose type is an `Option`",
    note = "remove the condition, or make the field an `Option<{Self}>`"
)]
pub trait Optional: Serialize {}

impl<T: Serialize> Optional for Option<T> {}

/// Text, for `starts_with`: `String` and the like, and an `Option` of one.
///
/// A newtype that serializes as text may implement it.
#[diagnostic::on_unimplemented(
    message = "`starts_with` needs a column of text, and this one is of type `{Self}`",
    label = "not text"
)]
pub trait Text: Serialize {
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

/// Text or a collection, for `contains`.
#[diagnostic::on_unimplemented(
    message = "`contains` needs a column of text or of a collection, and this one is of type `{Self}`",
    label = "contains nothing"
)]
pub trait Contains {
    /// The type of the values that it may contain.
    type Item: ?Sized;

    /// Whether it is in there.
    #[doc(hidden)]
    fn holds(&self, item: &Item) -> bool;
}

/// What a collection or a text is asked for.
#[derive(Debug)]
#[doc(hidden)]
pub struct Item {
    pub(super) encoded: Vec<u8>,
    text: Option<String>,
}

impl Item {
    pub(super) fn new(encoded: Vec<u8>) -> Self {
        Self { text: text_of(&encoded), encoded }
    }

    fn is_in(&self, text: &str) -> bool {
        self.text.as_deref().is_some_and(|item| text.contains(item))
    }

    fn is_among<'i, T: Serialize + 'i>(&self, items: impl IntoIterator<Item = &'i T>) -> bool {
        let mut bytes = Vec::with_capacity(self.encoded.len());
        items.into_iter().any(|item| {
            bytes.clear();
            encode(&mut bytes, item).is_ok() && bytes == self.encoded
        })
    }
}

macro_rules! texts {
    ($($text:ty)*) => {
        $(impl Contains for $text {
            type Item = String;

            fn holds(&self, item: &Item) -> bool {
                item.is_in(self)
            }
        })*
    };
}

texts!(String Box<str> Arc<str> Rc<str> Cow<'static, str>);

macro_rules! collections {
    ($($collection:ident)*) => {
        $(impl<T: Serialize> Contains for $collection<T> {
            type Item = T;

            fn holds(&self, item: &Item) -> bool {
                item.is_among(self)
            }
        })*
    };
}

collections!(Vec VecDeque BTreeSet);

impl<T: Serialize, S> Contains for HashSet<T, S> {
    type Item = T;

    fn holds(&self, item: &Item) -> bool {
        item.is_among(self)
    }
}

impl<T: Serialize, const LEN: usize> Contains for [T; LEN] {
    type Item = T;

    fn holds(&self, item: &Item) -> bool {
        item.is_among(self)
    }
}

impl<T: Contains> Contains for Option<T> {
    type Item = T::Item;

    fn holds(&self, item: &Item) -> bool {
        self.as_ref().is_some_and(|inner| inner.holds(item))
    }
}

//! Paths: a field of a struct that is itself the value of a field.

use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::row::order::{Encode, NONE, NoOrder, SOME, check};

/// The longest path of stored names, in bytes.
const PATH_LIMIT_BYTES: usize = 512;

/// Adds the encoding of an item; false if it has none.
#[doc(hidden)]
pub type EncodeItem = fn(&dyn Any, &mut Vec<u8>) -> bool;

/// Shows what is computed from a row: nothing if that panics, which code of the app may do.
#[doc(hidden)]
pub fn compute<T>(value: impl FnOnce() -> T, see: &mut dyn FnMut(&T)) {
    if let Ok(value) = catch_unwind(AssertUnwindSafe(value)) {
        see(&value);
    }
}

/// The name of a column of the struct `S` and the type `T`, which finds its value; implemented by the
/// derives.
// No associated types, since those would have to be as visible as the name.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a column without a name leads to no field",
    label = "call `field` on the constant of the struct, before `unnamed`"
)]
pub trait Member<S, T> {
    /// Whether the type is an `Option`.
    type Kind;

    /// The stored name of the field; of a path, all of them with dots between.
    const NAME: &'static str;
    const IS_PATH: bool = false;
    /// How values compare.
    const ENCODE: Encode<T>;
    /// The name of the way, which an index records.
    const CODING: fn() -> &'static str;
    /// How an item of the value is encoded, if an index has each of them.
    const ENCODE_ITEM: Option<EncodeItem> = None;

    /// The stored name of the field of the row in which the value is.
    const ROOT: &'static str = Self::NAME;

    /// Shows the value.
    fn look(of: &S, see: &mut dyn FnMut(&T));

    /// Shows the value in the JSON text of the field `ROOT`; false if that does not say.
    fn parse(json: &str, see: &mut dyn FnMut(&T)) -> bool {
        let _ = (json, see);
        false
    }
}

/// The name of a path: from a field `A` of type `P` to a field `B` of type `T` of the struct `N`.
#[derive(Debug)]
#[expect(clippy::type_complexity, reason = "there is nothing in it")]
pub struct FieldPath<A, B, P, N, T>(PhantomData<fn() -> (A, B, P, N, T)>);

/// Building it builds the check of the field that the path leads to.
impl<A, B, P, N, T> Drop for FieldPath<A, B, P, N, T> {
    fn drop(&mut self) {
        check::<B>();
    }
}

/// Whether a type is an `Option`: `IsOption<{ Is::<T>::OPTION }>`.
#[doc(hidden)]
#[derive(Debug)]
pub enum IsOption<const IS: bool> {}

/// The type of a column `C` that has a field `B` of the struct `N` in it, which is of type `T`: `N`
/// itself, or an `Option` of it.
#[diagnostic::on_unimplemented(
    message = "the column `{C}` is of type `{Self}`, and `{B}` is a field of `{N}`",
    label = "no `{N}`",
    note = "`field` takes a field of the column's own type; if that is an `Option`, of the type inside"
)]
pub trait Leads<N, T, B, C> {
    /// The type of the path: that of the field; from an `Option`, an `Option` of it, unless it is one.
    type To;
    #[doc(hidden)]
    type Kind;

    #[doc(hidden)]
    fn lead(&self, see: &mut dyn FnMut(&Self::To));
    #[doc(hidden)]
    const CODING: fn() -> &'static str;
    #[doc(hidden)]
    fn encode(value: &Self::To, bytes: &mut Vec<u8>) -> Result<(), NoOrder>;
}

impl<N, T, B: Member<N, T>, C> Leads<N, T, B, C> for N {
    type To = T;
    type Kind = B::Kind;
    const CODING: fn() -> &'static str = B::CODING;

    fn lead(&self, see: &mut dyn FnMut(&T)) {
        B::look(self, see);
    }

    fn encode(value: &T, bytes: &mut Vec<u8>) -> Result<(), NoOrder> {
        (B::ENCODE)(value, bytes)
    }
}

impl<N, T, B, C> Leads<N, T, B, C> for Option<N>
where
    B: Member<N, T, Kind: Fold<T>>,
{
    type To = <B::Kind as Fold<T>>::To;
    type Kind = IsOption<true>;
    const CODING: fn() -> &'static str = B::CODING;

    fn lead(&self, see: &mut dyn FnMut(&Self::To)) {
        match self {
            Some(nested) => B::look(nested, &mut |value| see(&B::Kind::some(value))),
            None => see(&B::Kind::none()),
        }
    }

    fn encode(value: &Self::To, bytes: &mut Vec<u8>) -> Result<(), NoOrder> {
        B::Kind::encode_option(value, bytes, B::ENCODE)
    }
}

/// One `Option` around a value, whether it has one or not.
#[doc(hidden)]
pub trait Fold<V> {
    type To;

    fn some(value: &V) -> Self::To;
    fn none() -> Self::To;
    fn encode_option(
        value: &Self::To,
        bytes: &mut Vec<u8>,
        encode: Encode<V>,
    ) -> Result<(), NoOrder>;
}

impl<V: Clone> Fold<V> for IsOption<false> {
    type To = Option<V>;

    fn some(value: &V) -> Option<V> {
        Some(value.clone())
    }

    fn none() -> Option<V> {
        None
    }

    fn encode_option(
        value: &Option<V>,
        bytes: &mut Vec<u8>,
        encode: Encode<V>,
    ) -> Result<(), NoOrder> {
        match value {
            None => {
                bytes.push(NONE);
                Ok(())
            }
            Some(value) => {
                bytes.push(SOME);
                encode(value, bytes)
            }
        }
    }
}

impl<V: Clone> Fold<Option<V>> for IsOption<true> {
    type To = Option<V>;

    fn some(value: &Option<V>) -> Option<V> {
        value.clone()
    }

    fn none() -> Option<V> {
        None
    }

    fn encode_option(
        value: &Option<V>,
        bytes: &mut Vec<u8>,
        encode: Encode<Option<V>>,
    ) -> Result<(), NoOrder> {
        encode(value, bytes)
    }
}

impl<S, A, B, P, N, T> Member<S, P::To> for FieldPath<A, B, P, N, T>
where
    A: Member<S, P>,
    B: Member<N, T>,
    P: Leads<N, T, B, A>,
{
    type Kind = P::Kind;

    const NAME: &'static str = {
        let (bytes, len): &'static ([u8; PATH_LIMIT_BYTES], usize) = &joined(A::NAME, B::NAME);
        match std::str::from_utf8(bytes.split_at(*len).0) {
            Ok(name) => name,
            Err(_) => panic!("names are text"),
        }
    };
    const IS_PATH: bool = true;
    const ROOT: &'static str = A::ROOT;
    const ENCODE: Encode<P::To> = P::encode;
    const CODING: fn() -> &'static str = P::CODING;

    fn look(of: &S, see: &mut dyn FnMut(&P::To)) {
        A::look(of, &mut |value| value.lead(see));
    }

    fn parse(json: &str, see: &mut dyn FnMut(&P::To)) -> bool {
        A::parse(json, &mut |value| value.lead(see))
    }
}

/// Two names with a dot between, and how long that is.
const fn joined(first: &str, second: &str) -> ([u8; PATH_LIMIT_BYTES], usize) {
    let (first, second) = (first.as_bytes(), second.as_bytes());
    let len = first.len() + 1 + second.len();
    assert!(len <= PATH_LIMIT_BYTES, "the stored names of a path have 512 bytes at most");
    let mut bytes = [0; PATH_LIMIT_BYTES];
    let mut at = 0;
    while at < len {
        bytes[at] = if at < first.len() {
            first[at]
        } else if at == first.len() {
            b'.'
        } else {
            second[at - first.len() - 1]
        };
        at += 1;
    }
    (bytes, len)
}

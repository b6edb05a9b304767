//! Which way a type compares, if its name is known: the derives ask with a value of [`Coding`], and
//! the compiler takes the first of the traits below that the type has.

use std::marker::PhantomData;

use serde::Serialize;

use super::probe::{Compared, probe};
use super::shape::encode_shape;
use super::sort_key::{Comparable, Encode, NoOrder, encode};

/// Asks how values of type `T` compare: `(&&&&Coding::<T>::NEW).encoder()`.
#[derive(Debug)]
#[doc(hidden)]
pub struct Coding<T>(PhantomData<fn(&T)>);

impl<T> Coding<T> {
    /// The question.
    pub const NEW: Self = Self(PhantomData);
}

/// As the type itself says.
#[doc(hidden)]
pub trait ByKey<T: Comparable> {
    /// The function that writes sort keys.
    fn encoder(&self) -> Encode<T> {
        encode::<T>
    }

    /// Builds nothing.
    fn check<C: Compared>(&self) {}

    /// The name that an index records: another way makes other bytes.
    fn name(&self) -> &'static str {
        "key"
    }
}

impl<T: Comparable> ByKey<T> for &&&Coding<T> {}

/// As serde writes what has an order.
#[doc(hidden)]
pub trait ByOrder<T: Serialize + PartialOrd> {
    /// The function that writes sort keys.
    fn encoder(&self) -> Encode<T> {
        encode_shape::<T>
    }

    /// Builds what refuses a type for a column `C`.
    fn check<C: Compared>(&self) {
        probe::<C, T, true>();
    }

    /// The name that an index records: another way makes other bytes.
    fn name(&self) -> &'static str {
        "shape"
    }
}

impl<T: Serialize + PartialOrd> ByOrder<T> for &&Coding<T> {}

/// As serde writes what has equality alone.
#[doc(hidden)]
pub trait ByShape<T: Serialize> {
    /// The function that writes sort keys.
    fn encoder(&self) -> Encode<T> {
        encode_shape::<T>
    }

    /// Builds what refuses a type for a column `C`.
    fn check<C: Compared>(&self) {
        probe::<C, T, false>();
    }

    /// The name that an index records: another way makes other bytes.
    fn name(&self) -> &'static str {
        "shape"
    }
}

impl<T: Serialize> ByShape<T> for &Coding<T> {}

/// For a type that cannot be stored either, of which the compiler has told.
#[doc(hidden)]
pub trait ByNothing<T> {
    /// A function that writes nothing.
    fn encoder(&self) -> Encode<T> {
        |_, _| Err(NoOrder)
    }

    /// Builds nothing.
    fn check<C: Compared>(&self) {}

    /// Never recorded.
    fn name(&self) -> &'static str {
        "nothing"
    }
}

impl<T> ByNothing<T> for Coding<T> {}

/// Builds what a column's name has to say about comparing it, and nothing else.
///
/// All that is built for a type of which nothing is known is its destructor; that of a column's name
/// asks [`Coding::check`](ByKey::check).
pub(crate) fn check<C>() {
    fn drop_it<C>(_: Option<C>) {}
    drop_it::<C>(None);
}

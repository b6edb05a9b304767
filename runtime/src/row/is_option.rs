//! Questions about a type, asked where it is known, whatever it is called there.

use std::marker::PhantomData;

/// Asks whether the type `T` is an `Option`: `<Is<T>>::OPTION`, with [`NoOption`] in scope.
#[derive(Debug)]
#[doc(hidden)]
pub struct Is<T>(PhantomData<T>);

// A constant of the type itself comes before one of a trait.
impl<T> Is<Option<T>> {
    /// It is one.
    pub const OPTION: bool = true;
}

/// Any other type.
#[doc(hidden)]
pub trait NoOption {
    /// It is not.
    const OPTION: bool = false;
}

impl<T> NoOption for Is<T> {}

/// Asks whether the type `T` is an `Option` of an `Option`: `<IsTwice<T>>::OPTION`.
#[derive(Debug)]
#[doc(hidden)]
pub struct IsTwice<T>(PhantomData<T>);

impl<T> IsTwice<Option<Option<T>>> {
    /// It is one.
    pub const OPTION: bool = true;
}

impl<T> NoOption for IsTwice<T> {}

//! How the value of a previous field becomes that of a new one.
//!
//! The abilities of a type are found out where both types are known, by looking for a method on a
//! reference to a reference to a [`Way`]: the compiler takes the first that applies.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use super::{Absent, ConvertError, Id, Ref, Row};

/// The way from a value of type `T` to one of type `U`.
#[derive(Debug)]
pub struct Way<T, U>(PhantomData<fn(T) -> U>);

impl<T, U> Way<T, U> {
    /// The way from this value.
    pub const fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

/// There is no such field, and the new one begins as its default.
#[derive(Debug)]
pub struct Begin;

/// The value moves, or is widened.
#[derive(Debug)]
pub struct Widen;

/// The content of the value is carried over.
#[derive(Debug)]
pub struct CarryOver;

/// The first way.
pub trait WayToBegin {
    /// That of a field that there is not.
    fn way(&self) -> Begin {
        Begin
    }
}

impl<U> WayToBegin for &&Way<Absent, U> {}

/// The second way.
pub trait WayToWiden {
    /// That of a type which is the same, or is `Into` the new one.
    fn way(&self) -> Widen {
        Widen
    }
}

impl<T: Into<U>, U> WayToWiden for &Way<T, U> {}

/// The last way.
pub trait WayToCarryOver {
    /// That of ids, and of collections.
    fn way(&self) -> CarryOver {
        CarryOver
    }
}

impl<T, U> WayToCarryOver for Way<T, U> {}

impl Begin {
    /// The default.
    ///
    /// # Errors
    ///
    /// If it cannot be computed.
    pub fn go<U>(
        self,
        _: Absent,
        default: impl FnOnce() -> Result<U, ConvertError>,
    ) -> Result<U, ConvertError> {
        default()
    }
}

impl Widen {
    /// The same value.
    ///
    /// # Errors
    ///
    /// None.
    pub fn go<T: Into<U>, U>(
        self,
        value: T,
        _: impl FnOnce() -> Result<U, ConvertError>,
    ) -> Result<U, ConvertError> {
        Ok(value.into())
    }
}

impl CarryOver {
    /// The same value, with what is inside of it carried over.
    ///
    /// # Errors
    ///
    /// None.
    pub fn go<T: Carry<U, W>, U, W>(
        self,
        value: T,
        _: impl FnOnce() -> Result<U, ConvertError>,
    ) -> Result<U, ConvertError> {
        Ok(value.carry())
    }
}

/// A type whose values can be carried over into another. `W` tells the ways of doing so apart.
#[diagnostic::on_unimplemented(
    message = "a previous field of type `{Self}` does not become a `{U}` by itself",
    label = "not made from a `{Self}`",
    note = "compute it from the previous field: `#[evolve(with = |field| …)]`; or write an \
            `impl From<{Self}> for {U}`, if one of the two is your own type"
)]
pub trait Carry<U, W> {
    /// Carries a value over.
    fn carry(self) -> U;
}

/// By `Into`.
#[derive(Debug)]
pub struct ByInto;
/// As an id of a row that is now of another type.
#[derive(Debug)]
pub struct ByCast;
/// As a reference to a row that is now of another type.
#[derive(Debug)]
pub struct ByReference<W>(PhantomData<W>);
/// One by one.
#[derive(Debug)]
pub struct ByItem<W>(PhantomData<W>);

#[diagnostic::do_not_recommend]
impl<A, B> Carry<Id<B>, ByCast> for Id<A> {
    fn carry(self) -> Id<B> {
        self.cast()
    }
}

#[diagnostic::do_not_recommend]
impl<A, B> Carry<Option<Id<B>>, ByCast> for Id<A> {
    fn carry(self) -> Option<Id<B>> {
        Some(self.cast())
    }
}

#[diagnostic::do_not_recommend]
impl<A: Row, B: Row, W> Carry<Ref<B>, ByReference<W>> for Ref<A>
where
    A::Key: Carry<B::Key, W>,
{
    fn carry(self) -> Ref<B> {
        Ref::new(self.into_key().carry())
    }
}

#[diagnostic::do_not_recommend]
impl<A, B: Row<Key = Id<B>>> Carry<Ref<B>, ByCast> for Id<A> {
    fn carry(self) -> Ref<B> {
        self.cast().into()
    }
}

#[diagnostic::do_not_recommend]
impl<A: Into<B>, B> Carry<B, ByInto> for A {
    fn carry(self) -> B {
        self.into()
    }
}

#[diagnostic::do_not_recommend]
impl<A: Carry<B, W>, B, W> Carry<Option<B>, ByItem<W>> for Option<A> {
    fn carry(self) -> Option<B> {
        self.map(Carry::carry)
    }
}

#[diagnostic::do_not_recommend]
impl<A: Carry<B, W>, B, W> Carry<Vec<B>, ByItem<W>> for Vec<A> {
    fn carry(self) -> Vec<B> {
        self.into_iter().map(Carry::carry).collect()
    }
}

#[diagnostic::do_not_recommend]
impl<A: Carry<B, W>, B, W> Carry<VecDeque<B>, ByItem<W>> for VecDeque<A> {
    fn carry(self) -> VecDeque<B> {
        self.into_iter().map(Carry::carry).collect()
    }
}

#[diagnostic::do_not_recommend]
impl<A: Carry<B, W>, B: Ord, W> Carry<BTreeSet<B>, ByItem<W>> for BTreeSet<A> {
    fn carry(self) -> BTreeSet<B> {
        self.into_iter().map(Carry::carry).collect()
    }
}

#[diagnostic::do_not_recommend]
impl<A, B, S, W> Carry<HashSet<B, S>, ByItem<W>> for HashSet<A, S>
where
    A: Carry<B, W>,
    B: Eq + Hash,
    S: BuildHasher + Default,
{
    fn carry(self) -> HashSet<B, S> {
        self.into_iter().map(Carry::carry).collect()
    }
}

/// Stands for the default of a field that has none: another error says so.
///
/// # Errors
///
/// Always.
pub fn no_default<U>() -> Result<U, ConvertError> {
    Err(ConvertError::new("the field is new and has no default"))
}

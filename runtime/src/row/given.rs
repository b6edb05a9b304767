//! Supertraits that an impl takes as given, so that one mistake gives one error.
//!
//! The compiler checks at each impl of a trait all that its supertraits ask for, however far up. A row
//! that lacks `Serialize` would be reported at its impl of [`Record`], which asks for it, and again at
//! that of [`Row`], which asks for `Record`. So the impl of `Row` has `Note: GivenRecord` in its own
//! clause, and takes the rest as given.
//!
//! The compiler looks into a clause about one type alone before the impl is used. It does not if the
//! clause is about a lifetime of its own, and one of the impl: hence the two.

use super::{Key, Record, Row};

/// A [`Record`], for the clause of an impl.
pub trait GivenRecord<'a, 'impls>: Record {}

impl<R: Record> GivenRecord<'_, '_> for R {}

/// A [`Row`], for the clause of an impl.
pub trait GivenRow<'a, 'impls>: Row {}

impl<R: Row> GivenRow<'_, '_> for R {}

/// A [`Key`], for the clause of an impl.
pub trait GivenKey<'a, 'impls>: Key {}

impl<K: Key> GivenKey<'_, '_> for K {}

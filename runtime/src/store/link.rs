//! How a table or group of a store stands to the store of the epoch before.
//!
//! Both types are known where the constants are named, so that one stands for each that is so, and
//! that of [`NoLink`] for the rest.

use std::marker::PhantomData;

use super::handle::{GroupOf, TableOf};
use super::trait_store::Store;
use crate::row::Successor;

/// The relation of row type `R` to store `P`.
#[derive(Debug)]
pub struct TableLink<R, P>(PhantomData<fn() -> (R, P)>);

/// The relation of group `G` to store `P`.
#[derive(Debug)]
pub struct GroupLink<G, P>(PhantomData<fn() -> (G, P)>);

impl<R: TableOf<P>, P: Store> TableLink<R, P> {
    /// Which table of the store is of the same type.
    pub const SAME: Option<usize> = Some(R::TABLE_IDX.0);
}

impl<R: Successor, P: Store> TableLink<R, P>
where
    R::Previous: TableOf<P>,
{
    /// Which table of the store it follows from.
    pub const FOLLOWS: Option<usize> = Some(<R::Previous as TableOf<P>>::TABLE_IDX.0);
}

impl<G: GroupOf<P>, P: Store> GroupLink<G, P> {
    /// Which group of the store is of the same type.
    pub const SAME: Option<usize> = Some(G::GROUP_IDX.0);
}

impl<G: Successor, P: Store> GroupLink<G, P>
where
    G::Previous: GroupOf<P>,
{
    /// Which group of the store it follows from.
    pub const FOLLOWS: Option<usize> = Some(<G::Previous as GroupOf<P>>::GROUP_IDX.0);
}

/// The relation of a type that has no other.
pub trait NoLink {
    /// No table or group is of the same type.
    const SAME: Option<usize> = None;
    /// It follows from none.
    const FOLLOWS: Option<usize> = None;
}

impl<R, P> NoLink for TableLink<R, P> {}
impl<G, P> NoLink for GroupLink<G, P> {}

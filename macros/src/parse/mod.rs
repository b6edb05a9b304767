//! From syn's tree to the attributes this crate knows, spans kept.
//!
//! Mistakes of an attribute itself are reported here; those of the struct as a whole, by
//! [`validate`](crate::validate).

mod check;
mod closure;
mod column;
mod computed;
mod container;
mod evolve;
mod field;
mod index;
mod merge;
mod meta;
mod reference;
mod removes;
mod serde;
mod shape;
mod ty;

pub(crate) use check::{OverFields, checks};
pub(crate) use closure::Closure;
pub(crate) use computed::Computed;
pub(crate) use container::{Container, container, key_container};
pub(crate) use evolve::{Evolve, Form, With};
pub(crate) use field::{Field, field};
pub(crate) use index::{IndexPath, TableIndex};
pub(crate) use merge::FieldMerge;
pub(crate) use reference::OnRemove;
pub(crate) use removes::Removed;
pub(crate) use serde::{Renames, SerdeContainer, SerdeDefault, SerdeField, serde_container};
pub(crate) use shape::{Newtype, named_fields, newtype};
pub(crate) use ty::{
    generic_argument, is_option, is_primitive, is_tuple, item_type, names_of_self, option_inner,
    resolve_self,
};

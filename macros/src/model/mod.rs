//! The facts of a struct once defaults are resolved: stored names, keys, defaults.
//!
//! A model is made whatever mistakes there are, so that [`validate`](crate::validate) can find all
//! of them and [`fallback`](crate::fallback) has something to stand in for.

mod default;
mod index;
mod name;
mod record;
mod rename;
mod step;
mod store;

pub(crate) use default::{Default, Source};
pub(crate) use index::{Index, IndexField};
pub(crate) use name::{Name, snake_case};
pub(crate) use record::{Computed, Field, Record};
pub(crate) use step::{FieldSource, Step, Way};
pub(crate) use store::{Handle, Member, Store};

//! The catalogue of schema changes: for each, two versions of a row type share rows in all three
//! directions, and the class that the lint gives is the class that this proves.

#[macro_use]
mod case;
mod proof;

mod coverage;
mod defaults;
mod enums;
mod fields;
mod limits;
mod model;
mod pairs;
mod random;
mod stores;
mod types;

/// The names that the versions of a case are written with.
mod prelude {
    pub use std::collections::{BTreeMap, BTreeSet};

    pub use heirloom::{Id, Open, Store, Table};
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
}

//! The catalogue of schema changes: for each, two versions of a row type share rows in all three
//! directions, and the class that the lint gives is the class that this proves.

#[path = "catalogue/case.rs"]
#[macro_use]
mod case;
#[path = "catalogue/proof.rs"]
mod proof;

#[path = "catalogue/coverage.rs"]
mod coverage;
#[path = "catalogue/defaults.rs"]
mod defaults;
#[path = "catalogue/enums.rs"]
mod enums;
#[path = "catalogue/fields.rs"]
mod fields;
#[path = "catalogue/limits.rs"]
mod limits;
#[path = "catalogue/model.rs"]
mod model;
#[path = "catalogue/pairs.rs"]
mod pairs;
#[path = "catalogue/random.rs"]
mod random;
#[path = "catalogue/stores.rs"]
mod stores;
#[path = "catalogue/types.rs"]
mod types;

/// What the versions of a case are written with.
mod prelude {
    pub use std::collections::{BTreeMap, BTreeSet};

    pub use heirloom::{Id, Store, Table};
    pub use schemars::JsonSchema;
    pub use serde::{Deserialize, Serialize};
}

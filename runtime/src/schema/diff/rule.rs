//! [`Rule`]: what a kind of change is judged by.

use serde::{Deserialize, Serialize};

/// The stable id of a rule, such as `field-removed`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rule(std::borrow::Cow<'static, str>);

//! The clock of a store.

use std::sync::Arc;
use std::time::SystemTime;

use super::open::Engine;
use crate::row::millis_of;

/// Tells the time, in place of the clock of the system.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

impl Engine {
    /// The milliseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        let clock = self.settings.clock.as_ref();
        millis_of(&clock.map_or_else(SystemTime::now, |clock| clock()))
    }
}

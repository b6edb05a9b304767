//! [`Stamp`]: the types of the times that heirloom fills in.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The type of a field that heirloom fills in with a time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a time that heirloom can fill in",
    label = "not a time",
    note = "a `#[created]` or `#[updated]` field is an `i64`, which are milliseconds since 1970, a \
            `std::time::SystemTime`, or, with heirloom's feature for the crate, a `jiff::Timestamp`, a \
            `chrono::DateTime<chrono::Utc>` or a `time::OffsetDateTime`; or an `Option` of one"
)]
pub trait Stamp: Sized {
    /// The time so many milliseconds after 1970, or the nearest one that there is.
    fn from_millis(millis: i64) -> Self;

    /// The milliseconds since 1970, rounded down; `None` if there is no time.
    fn to_millis(&self) -> Option<i64>;
}

macro_rules! stamps {
    ($($(#[$feature:meta])? $type:ty: $from:expr, $to:expr;)*) => {
        $(
        $(#[$feature])?
        impl Stamp for $type {
            fn from_millis(millis: i64) -> Self {
                $from(millis)
            }

            fn to_millis(&self) -> Option<i64> {
                Some($to(self))
            }
        }

        $(#[$feature])?
        impl Stamp for Option<$type> {
            fn from_millis(millis: i64) -> Self {
                Some($from(millis))
            }

            fn to_millis(&self) -> Option<i64> {
                self.as_ref().map($to)
            }
        }
        )*
    };
}

stamps! {
    i64: |millis| millis, |millis: &i64| *millis;
    SystemTime: system_time, millis_of;
    #[cfg(feature = "jiff")]
    jiff::Timestamp: |millis: i64| {
        let bound = if millis < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        jiff::Timestamp::from_millisecond(millis).unwrap_or(bound)
    }, |time: &jiff::Timestamp| floor(time.as_nanosecond());
    #[cfg(feature = "chrono")]
    chrono::DateTime<chrono::Utc>: |millis: i64| {
        let (least, most) = (chrono::DateTime::<chrono::Utc>::MIN_UTC, chrono::DateTime::<chrono::Utc>::MAX_UTC);
        let bound = if millis < 0 { least } else { most };
        chrono::DateTime::from_timestamp_millis(millis).unwrap_or(bound)
    }, |time: &chrono::DateTime<chrono::Utc>| time.timestamp_millis();
    #[cfg(feature = "time")]
    time::OffsetDateTime: |millis: i64| {
        let nanos = i128::from(millis) * 1_000_000;
        time::OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
    }, |time: &time::OffsetDateTime| floor(time.unix_timestamp_nanos());
}

/// The milliseconds of these nanoseconds, rounded down.
#[cfg(any(feature = "jiff", feature = "time"))]
fn floor(nanos: i128) -> i64 {
    i64::try_from(nanos.div_euclid(1_000_000)).unwrap_or(i64::MAX)
}

/// serde writes no time before 1970.
fn system_time(millis: i64) -> SystemTime {
    let since = Duration::from_millis(u64::try_from(millis).unwrap_or_default());
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}

/// The milliseconds of a time since 1970.
pub(crate) fn millis_of(time: &SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis)
        }
    }
}

//! How types of other crates compare.

#[cfg(feature = "chrono")]
mod of_chrono {
    use chrono::{
        DateTime, Datelike, Month, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone,
        Timelike, Weekday,
    };

    use super::super::std_types::comparable;

    comparable! {
        // Equal at the same instant, whatever the offset.
        {Tz: TimeZone} DateTime<Tz>: |value, key| key.push(&value.naive_utc());
        NaiveDateTime: |value, key| {
            key.push(&value.date());
            key.push(&value.time());
        };
        NaiveDate: |value, key| key.push(&value.num_days_from_ce());
        NaiveTime: |value, key| {
            key.push(&value.num_seconds_from_midnight());
            // More than a second of them in a leap second.
            key.push(&value.nanosecond());
        };
        TimeDelta: |value, key| {
            // Both have the sign of the whole.
            key.push(&value.num_seconds());
            key.push(&value.subsec_nanos());
        };
        Month: |value, key| key.push(&value.number_from_month());
        Weekday: |value, key| key.push(&value.num_days_from_monday());
    }
}

#[cfg(feature = "jiff")]
mod of_jiff {
    use jiff::civil::{Date, DateTime, Time, Weekday};
    use jiff::{SignedDuration, Timestamp, Zoned};

    use super::super::std_types::comparable;

    comparable! {
        Timestamp: |value, key| key.push(&value.as_nanosecond());
        // Equal at the same instant, whatever the time zone.
        Zoned: |value, key| key.push(&value.timestamp());
        SignedDuration: |value, key| key.push(&value.as_nanos());
        DateTime: |value, key| {
            key.push(&value.date());
            key.push(&value.time());
        };
        Date: |value, key| {
            key.push(&value.year());
            key.push(&value.month());
            key.push(&value.day());
        };
        Time: |value, key| {
            key.push(&value.hour());
            key.push(&value.minute());
            key.push(&value.second());
            key.push(&value.subsec_nanosecond());
        };
        Weekday: |value, key| key.push(&value.to_monday_zero_offset());
    }
}

#[cfg(feature = "time")]
mod of_time {
    use time::{
        Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime, UtcOffset,
        Weekday,
    };

    use super::super::std_types::comparable;

    comparable! {
        // Equal at the same instant, whatever the offset.
        OffsetDateTime: |value, key| key.push(&value.unix_timestamp_nanos());
        UtcDateTime: |value, key| key.push(&value.unix_timestamp_nanos());
        PrimitiveDateTime: |value, key| {
            key.push(&value.date());
            key.push(&value.time());
        };
        Date: |value, key| key.push(&value.to_julian_day());
        Time: |value, key| {
            let (hour, minute, second, nanosecond) = value.as_hms_nano();
            key.push(&hour);
            key.push(&minute);
            key.push(&second);
            key.push(&nanosecond);
        };
        Duration: |value, key| key.push(&value.whole_nanoseconds());
        UtcOffset: |value, key| key.push(&value.whole_seconds());
        Month: |value, key| key.push(&u8::from(*value));
        Weekday: |value, key| key.push(&value.number_days_from_monday());
    }
}

#[cfg(feature = "rust_decimal")]
mod of_rust_decimal {
    use rust_decimal::Decimal;

    use super::super::std_types::comparable;

    comparable! {
        // 1.5 equals 1.50. Both parts have the sign of the whole.
        Decimal: |value, key| {
            let fraction = value.fract();
            let places = Decimal::MAX_SCALE.saturating_sub(fraction.scale());
            key.push(&value.trunc().mantissa());
            key.push(&fraction.mantissa().saturating_mul(10_i128.saturating_pow(places)));
        };
    }
}

#[cfg(feature = "bigdecimal")]
mod of_bigdecimal {
    use std::cmp::Reverse;

    use bigdecimal::BigDecimal;
    use bigdecimal::num_bigint::Sign;

    use super::super::std_types::{comparable, variant};

    comparable! {
        // 1.5 equals 1.50: where the first digit stands, and all digits but the last zeros.
        BigDecimal: |value, key| {
            let (digits, scale) = value.as_bigint_and_exponent();
            let all = digits.magnitude().to_string();
            let significant = all.trim_end_matches('0');
            let place = i128::try_from(all.len()).unwrap_or(i128::MAX).saturating_sub(scale.into());
            match digits.sign() {
                Sign::Minus => variant(key, 0, &Reverse((place, significant))),
                Sign::NoSign => key.push(&1_u8),
                Sign::Plus => variant(key, 2, &(place, significant)),
            }
        };
    }
}

#[cfg(feature = "indexmap")]
mod of_indexmap {
    use indexmap::{IndexMap, IndexSet};

    use super::super::sort_key::Comparable;
    use super::super::std_types::comparable;

    comparable! {
        // Have no order, and are equal in any.
        {K: Comparable, V: Comparable, S} IndexMap<K, V, S>: |value, key| key.set(value);
        {T: Comparable, S} IndexSet<T, S>: |value, key| key.set(value);
    }
}

#[cfg(feature = "semver")]
mod of_semver {
    use semver::{BuildMetadata, Prerelease, Version};

    use super::super::sort_key::SortKey;
    use super::super::std_types::comparable;

    comparable! {
        Version: |value, key| {
            key.push(&value.major);
            key.push(&value.minor);
            key.push(&value.patch);
            key.push(&value.pre);
            key.push(&value.build);
        };
        // One that has none comes after all that have one.
        Prerelease: |value, key| {
            key.push(&value.is_empty());
            identifiers(key, value);
        };
        BuildMetadata: |value, key| {
            key.push(&!value.is_empty());
            identifiers(key, value);
        };
    }

    /// Numbers come before names; of equal ones, that with fewer zeros before it.
    fn identifiers(key: &mut SortKey<'_>, text: &str) {
        key.list(text.split('.').map(|identifier| {
            let is_number =
                !identifier.is_empty() && identifier.bytes().all(|b| b.is_ascii_digit());
            match is_number {
                true => {
                    let digits = identifier.trim_start_matches('0');
                    (false, digits.len(), digits, identifier.len())
                }
                false => (true, 0, identifier, 0),
            }
        }));
    }
}

#[cfg(feature = "smol_str")]
mod of_smol_str {
    use smol_str::SmolStr;

    use super::super::std_types::comparable;

    comparable! {
        SmolStr: |value, key| key.push(value.as_str());
    }

    impl crate::query::Text for SmolStr {}
}

#[cfg(feature = "url")]
mod of_url {
    use url::Url;

    use super::super::std_types::comparable;

    comparable! {
        Url: |value, key| key.push(value.as_str());
    }
}

#[cfg(test)]
mod tests;

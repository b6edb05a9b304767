//! Each type of another crate, with the features of this build.

#![allow(unused_imports, reason = "depends on the features")]

use proptest::prelude::*;

use super::super::tests::{agree, equal};

/// Few enough that many are equal.
#[allow(dead_code, reason = "depends on the features")]
fn nanos() -> impl Strategy<Value = i128> {
    let small = (-3..4_i128, -2..3_i128).prop_map(|(a, b)| a * 1_000_000_000 + b * 500_000_000);
    prop_oneof![small, -4_000_000_000_000_000_000..4_000_000_000_000_000_000_i128]
}

#[cfg(feature = "jiff")]
mod of_jiff {
    use super::*;
    use jiff::tz::{Offset, TimeZone};
    use jiff::{SignedDuration, Timestamp};

    proptest! {
        #[test]
        fn values_compare_as_they_do(a in nanos(), b in nanos(), o in -3..4_i8, p in -3..4_i8) {
            let [x, y] = [a, b].map(|nanos| Timestamp::from_nanosecond(nanos).unwrap());
            agree(&x, &y);
            let zoned = |at: Timestamp, hours| at.to_zoned(TimeZone::fixed(Offset::constant(hours)));
            let (v, w) = (zoned(x, o), zoned(y, p));
            agree(&v, &w);
            agree(&v.datetime(), &w.datetime());
            agree(&v.date(), &w.date());
            agree(&v.time(), &w.time());
            equal(&v.weekday(), &w.weekday());
            agree(&SignedDuration::from_nanos_i128(a), &SignedDuration::from_nanos_i128(b));
            agree(&SignedDuration::MIN, &SignedDuration::from_nanos_i128(a));
        }
    }
}

#[cfg(feature = "chrono")]
mod of_chrono {
    use super::*;
    use chrono::{DateTime, Datelike, FixedOffset, Month, NaiveTime, TimeDelta, Utc};

    proptest! {
        #[test]
        fn values_compare_as_they_do(a in nanos(), b in nanos(), o in -3..4_i32, p in -3..4_i32) {
            let [x, y] = [a, b].map(|nanos| DateTime::from_timestamp_nanos(nanos as i64));
            agree(&x, &y);
            let offset = |at: DateTime<Utc>, hours: i32| {
                at.with_timezone(&FixedOffset::east_opt(hours * 3600).unwrap())
            };
            let (v, w) = (offset(x, o), offset(y, p));
            agree(&v, &w);
            agree(&v.naive_local(), &w.naive_local());
            agree(&v.date_naive(), &w.date_naive());
            agree(&v.time(), &w.time());
            equal(&v.weekday(), &w.weekday());
            agree(&Month::try_from(v.month() as u8).unwrap(), &Month::March);
            agree(&TimeDelta::nanoseconds(a as i64), &TimeDelta::nanoseconds(b as i64));
            let leap = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
            agree(&leap, &v.time());
        }
    }
}

#[cfg(feature = "time")]
mod of_time {
    use super::*;
    use time::{Duration, OffsetDateTime, PrimitiveDateTime, UtcDateTime, UtcOffset};

    proptest! {
        #[test]
        fn values_compare_as_they_do(a in nanos(), b in nanos(), o in -3..4_i8, p in -3..4_i8) {
            let at = |nanos, hours| {
                let offset = UtcOffset::from_hms(hours, 0, 0).unwrap();
                OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap().to_offset(offset)
            };
            let (v, w) = (at(a, o), at(b, p));
            agree(&v, &w);
            agree(&v.date(), &w.date());
            agree(&v.time(), &w.time());
            agree(&v.offset(), &w.offset());
            let local = |at: OffsetDateTime| PrimitiveDateTime::new(at.date(), at.time());
            agree(&local(v), &local(w));
            agree(&UtcDateTime::from(v), &UtcDateTime::from(w));
            equal(&v.weekday(), &w.weekday());
            equal(&v.month(), &w.month());
            let length = |nanos: i128| Duration::nanoseconds(nanos as i64);
            agree(&length(a), &length(b));
            agree(&Duration::MAX, &length(b));
        }
    }
}

#[cfg(feature = "rust_decimal")]
mod of_rust_decimal {
    use super::*;
    use rust_decimal::Decimal;

    fn decimal() -> impl Strategy<Value = Decimal> {
        let any = (-(1_i128 << 96) + 1..1_i128 << 96, 0..=28_u32);
        let small = (-2000..2000_i128, 0..4_u32);
        prop_oneof![any, small]
            .prop_map(|(digits, scale)| Decimal::from_i128_with_scale(digits, scale))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn values_compare_as_they_do(a in decimal(), b in decimal()) {
            agree(&a, &b);
            agree(&a, &a.normalize());
            agree(&a, &-a);
            agree(&Decimal::MAX, &a);
            agree(&Decimal::ZERO, &b);
        }
    }
}

#[cfg(feature = "bigdecimal")]
mod of_bigdecimal {
    use super::*;
    use bigdecimal::BigDecimal;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn values_compare_as_they_do(
            a in (-2000..2000_i64, -3..4_i64),
            b in (-2000..2000_i64, -3..4_i64),
            c in any::<i64>(),
        ) {
            let [x, y] = [a, b].map(|(digits, scale)| BigDecimal::new(digits.into(), scale));
            agree(&x, &y);
            agree(&x, &x.normalized());
            agree(&x, &BigDecimal::new(c.into(), 18));
        }
    }
}

#[cfg(feature = "indexmap")]
#[test]
fn index_sets_are_equal_in_any_order() {
    let (a, b) = (indexmap::IndexSet::from([1, 2]), indexmap::IndexSet::from([2, 1]));
    equal(&a, &b);
    equal(&a, &indexmap::IndexSet::from([1]));
    let (a, b) =
        (indexmap::IndexMap::from([(1, 2), (2, 3)]), indexmap::IndexMap::from([(2, 3), (1, 2)]));
    equal(&a, &b);
}

#[cfg(feature = "semver")]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn versions_compare_as_they_do(
        a in "[01]\\.[01]\\.0(-(0|1|2|10|a|b1)(\\.(1|a))?)?(\\+(0|00|1|01|a)(\\.(1|a))?)?",
        b in "[01]\\.[01]\\.0(-(0|1|2|10|a|b1)(\\.(1|a))?)?(\\+(0|00|1|01|a)(\\.(1|a))?)?",
    ) {
        let version = |text: &str| text.parse::<semver::Version>().unwrap();
        agree(&version(&a), &version(&b));
    }
}

#[cfg(feature = "smol_str")]
proptest! {
    #[test]
    fn short_texts_compare_as_they_do(a in ".{0,3}", b in "[a\u{0}]{0,3}") {
        agree(&smol_str::SmolStr::new(a), &smol_str::SmolStr::new(b));
    }
}

#[cfg(feature = "url")]
proptest! {
    #[test]
    fn urls_compare_as_they_do(a in "http://[ab]{1,2}/[ab~]{0,2}", b in "http://[ab]{1,2}/[ab~]{0,2}") {
        agree(&a.parse::<url::Url>().unwrap(), &b.parse::<url::Url>().unwrap());
    }
}

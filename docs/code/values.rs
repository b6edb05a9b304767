//! The code of the guide "Rules, times and computed columns".

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use heirloom::{ErrorKind, Id, Kv, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// [store]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(
    name = "bookings",
    computed(month: String = day.get(..7).unwrap_or_default().to_owned()),
    index(month, cents)
)]
#[check(!is_paid || cents > 0)]
pub struct Booking {
    pub id: Id<Booking>,
    #[check(day.len() == 10)]
    pub day: String,
    pub cents: i64,
    pub is_paid: bool,
    #[created]
    pub made: SystemTime,
    #[updated]
    pub changed: SystemTime,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "limits")]
#[check(least <= most)]
pub struct Limits {
    #[evolve(default = 1)]
    pub least: u32,
    #[evolve(default = 10)]
    pub most: u32,
}

#[derive(Store)]
#[store(name = "bookings")]
pub struct Bookings {
    pub bookings: Table<Booking>,
    pub limits: Kv<Limits>,
}
// [end]

fn booking(day: &str, cents: i64) -> Booking {
    let (made, changed) = (UNIX_EPOCH, UNIX_EPOCH);
    Booking { id: Id::new(), day: day.into(), cents, is_paid: false, made, changed }
}

#[test]
fn rules() -> heirloom::Result<()> {
    let app = Bookings::in_memory()?;
    let booking = booking("2026-05-01", 0);
    app.bookings.insert(&booking)?;
    // [rules]
    let refused = app.bookings.update(&booking.id, |booking| booking.is_paid = true).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::CheckFailed);
    assert_eq!(refused.found(), Some("is_paid = true, cents = 0"));

    app.transaction(|tx| {
        tx.set(&app.limits.least, &20)?; // alone it would be refused
        tx.set(&app.limits.most, &40)
    })?;

    for violation in app.bookings.violations()? {
        println!("{} {}: {}", violation.key(), violation.rule(), violation.values());
    }
    // [end]
    Ok(())
}

#[test]
fn times() -> heirloom::Result<()> {
    let booking = booking("2026-05-01", 0);
    // [times]
    let app = Bookings::builder().clock(|| UNIX_EPOCH + Duration::from_secs(7)).in_memory()?;
    app.bookings.insert(&booking)?;
    let stored = app.bookings.get(&booking.id)?.unwrap();
    assert_eq!(stored.made, UNIX_EPOCH + Duration::from_secs(7));

    let newest = app.bookings.order_by(Booking::CHANGED.desc()).first()?;
    // [end]
    assert!(newest.is_some());
    Ok(())
}

#[test]
fn computed() -> heirloom::Result<()> {
    let app = Bookings::in_memory()?;
    app.bookings.insert_many([booking("2026-05-01", 40), booking("2026-05-09", 2)])?;
    // [computed]
    let may = app.bookings.filter(Booking::MONTH.eq("2026-05")).order_by(Booking::CENTS.desc());
    assert_eq!(may.explain(), "index (month, cents) of `bookings`, 1 range, backwards");
    assert_eq!(may.sum(Booking::CENTS)?, 42);

    let months = app.bookings.query().group_by(Booking::MONTH).sum(Booking::CENTS)?;
    assert_eq!(months, [("2026-05".to_owned(), 42)]);
    // [end]
    Ok(())
}

//! Large results are read by several threads, and nobody can tell by what comes out.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use heirloom::__private::{StorageHook, StorageOp};
use heirloom::{ErrorKind, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

/// Many times what one thread takes.
const ROWS: u32 = 24_000;

/// Which thread decoded a row, of all since they were last asked for.
static DECODED_BY: Mutex<Option<HashSet<ThreadId>>> = Mutex::new(None);
/// The weights that panic, and that are refused, from this one on.
static PANICS_FROM: AtomicU32 = AtomicU32::new(u32::MAX);
static REFUSED_FROM: AtomicU32 = AtomicU32::new(u32::MAX);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
struct Weight(u32);

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let weight = u32::deserialize(deserializer)?;
        if let Some(threads) = lock(&DECODED_BY).as_mut() {
            threads.insert(thread::current().id());
        }
        assert!(weight < PANICS_FROM.load(SeqCst), "a weight that panics");
        if weight >= REFUSED_FROM.load(SeqCst) {
            return Err(serde::de::Error::custom("too heavy"));
        }
        Ok(Self(weight))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "parcel")]
struct Parcel {
    #[key]
    number: u32,
    #[index]
    shelf: u8,
    /// Grows with the number.
    weight: Weight,
}

#[derive(Store)]
#[store(name = "depot", epoch = 0)]
struct Depot {
    parcels: Table<Parcel>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One test at a time: all decode the same rows.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = lock(&TURN);
    PANICS_FROM.store(u32::MAX, SeqCst);
    REFUSED_FROM.store(u32::MAX, SeqCst);
    turn
}

fn parcel(number: u32) -> Parcel {
    Parcel { number, shelf: u8::from(number.is_multiple_of(4)), weight: Weight(number) }
}

fn fill(depot: Depot) -> Depot {
    depot.parcels.insert_many((0..ROWS).map(parcel)).unwrap();
    depot
}

fn on_shelf(shelf: u8) -> Vec<Parcel> {
    (0..ROWS).map(parcel).filter(|parcel| parcel.shelf == shelf).collect()
}

#[test]
fn they_come_whole_and_in_order_from_whichever_thread() {
    let _turn = turn();
    let depot = fill(Depot::in_memory().unwrap());
    let query = || depot.parcels.filter(Parcel::SHELF.eq(0));
    *lock(&DECODED_BY) = Some(HashSet::new());
    let all = query().all().unwrap();
    let threads = lock(&DECODED_BY).take().unwrap().len();
    assert_eq!(threads, thread::available_parallelism().map_or(1, usize::from).min(4));
    let expected = on_shelf(0);
    assert_eq!(all, expected);

    let before = depot.handle().touched();
    assert_eq!(query().limit(12_001).all().unwrap(), expected[..12_001]);
    let after = depot.handle().touched();
    assert_eq!((after.0 - before.0, after.1 - before.1), (12_001, 12_001));
    assert_eq!(query().offset(5_000).limit(12_001).all().unwrap(), expected[5_000..17_001]);
    let mut by_shelf = on_shelf(0);
    by_shelf.extend(on_shelf(1));
    assert_eq!(depot.parcels.order_by(Parcel::SHELF.asc()).all().unwrap(), by_shelf);
    by_shelf.reverse();
    assert_eq!(depot.parcels.order_by(Parcel::SHELF.desc()).all().unwrap(), by_shelf);

    // A transaction sees what it wrote.
    depot
        .transaction(|tx| {
            assert_eq!(tx.filter(Parcel::SHELF.eq(0)).all()?.len(), expected.len());
            tx.remove::<Parcel>(&1)?;
            tx.put(&Parcel { shelf: 0, ..parcel(ROWS - 4) })?;
            let mut expected = expected.clone();
            expected.remove(0);
            let place = expected.partition_point(|parcel| parcel.number < ROWS - 4);
            expected.insert(place, Parcel { shelf: 0, ..parcel(ROWS - 4) });
            assert_eq!(tx.filter(Parcel::SHELF.eq(0)).all()?, expected);
            Ok(())
        })
        .unwrap();
}

#[test]
fn rows_that_do_not_decode_are_left_out_by_a_condition_and_else_the_first_is_told() {
    let _turn = turn();
    let depot = fill(Depot::in_memory().unwrap());
    REFUSED_FROM.store(18_001, SeqCst);
    let mut expected = on_shelf(0);
    expected.retain(|parcel| parcel.number < 18_001);
    assert_eq!(depot.parcels.filter(Parcel::SHELF.eq(0)).all().unwrap(), expected);
    let wanted = expected.len() + 1;
    assert_eq!(depot.parcels.filter(Parcel::SHELF.eq(0)).limit(wanted).all().unwrap(), expected);
    let error = depot.parcels.order_by(Parcel::SHELF.asc()).all().unwrap_err();
    assert_eq!((error.kind(), error.key()), (ErrorKind::InvalidRow, Some("18001")), "{error}");
}

#[test]
fn a_panic_of_a_rows_own_code_goes_to_the_caller_and_the_store_lives_on() {
    let _turn = turn();
    let depot = fill(Depot::in_memory().unwrap());
    for first in [0, 500, 5_000, 20_000, ROWS - 1] {
        PANICS_FROM.store(first, SeqCst);
        let all = || depot.parcels.filter(Parcel::SHELF.eq(0)).all();
        let panic = catch_unwind(AssertUnwindSafe(all)).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"a weight that panics"), "{first}");
        PANICS_FROM.store(u32::MAX, SeqCst);
        assert_eq!(all().unwrap(), on_shelf(0));
    }
}

#[test]
fn a_read_that_fails_in_any_of_them_is_told() {
    let _turn = turn();
    let left = Arc::new(AtomicUsize::new(usize::MAX));
    let counter = left.clone();
    let hook: StorageHook = Arc::new(move |op| {
        let one_less = |left: usize| match left {
            usize::MAX => Some(usize::MAX),
            left => left.checked_sub(1),
        };
        match op == StorageOp::Read && counter.fetch_update(SeqCst, SeqCst, one_less).is_err() {
            true => Err(std::io::Error::other("refused on purpose")),
            false => Ok(()),
        }
    });
    let depot = fill(Depot::builder().storage_and_read_hook(hook).in_memory().unwrap());
    let all = || depot.parcels.filter(Parcel::SHELF.eq(0)).all();
    for nth in [0, 1, 1_000, 1_100, 5_000, 9_000, 14_000, 17_000] {
        left.store(nth, SeqCst);
        let error = all().unwrap_err();
        left.store(usize::MAX, SeqCst);
        assert_eq!(error.kind(), ErrorKind::Storage, "read {nth}: {error}");
        assert_eq!(all().unwrap(), on_shelf(0));
    }
}

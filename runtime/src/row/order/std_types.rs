//! How the types of std compare.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::{NonZero, Saturating, Wrapping};
use std::ops::{Bound, Range, RangeInclusive};
use std::path::{Component, Path, PathBuf, Prefix};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use uuid::Uuid;

use super::sort_key::{Comparable, SortKey};
use crate::row::{Id, Open, Row};

/// `impl`s whose whole body is one expression.
macro_rules! comparable {
    ($($({$($generics:tt)*})? $type:ty: |$value:ident, $key:ident| $body:expr;)*) => {
        $(impl $(<$($generics)*>)? $crate::row::order::Comparable for $type {
            fn sort_key(&self, $key: &mut $crate::row::order::SortKey<'_>) {
                let $value = self;
                $body
            }
        })*
    };
}

#[allow(unused_imports, reason = "depends on the features")]
pub(super) use comparable;

macro_rules! integers {
    ($($method:ident: $($type:ty)*;)*) => {
        $($(
            impl Comparable for $type {
                fn sort_key(&self, key: &mut SortKey<'_>) {
                    key.$method(*self);
                }
            }

            impl Comparable for NonZero<$type> {
                fn sort_key(&self, key: &mut SortKey<'_>) {
                    key.$method(self.get());
                }
            }
        )*)*
    };
}

integers! {
    signed: i8 i16 i32 i64 i128;
    unsigned: u8 u16 u32 u64 u128;
}

comparable! {
    isize: |value, key| key.signed(*value as i64);
    usize: |value, key| key.unsigned(*value as u64);
    NonZero<isize>: |value, key| key.signed(value.get() as i64);
    NonZero<usize>: |value, key| key.unsigned(value.get() as u64);
    f32: |value, key| key.float((*value).into());
    f64: |value, key| key.float(*value);
    bool: |value, key| key.bool(*value);
    char: |value, key| key.text(value.encode_utf8(&mut [0; 4]));
    str: |value, key| key.text(value);
    String: |value, key| key.text(value);
    (): |_value, _key| ();
    {T: ?Sized} PhantomData<T>: |_value, _key| ();
    Uuid: |value, key| key.uuid(value.as_bytes());

    {T: Comparable + ?Sized} &T: |value, key| (**value).sort_key(key);
    {T: Comparable + ?Sized} Box<T>: |value, key| (**value).sort_key(key);
    {T: Comparable + ?Sized} Rc<T>: |value, key| (**value).sort_key(key);
    {T: Comparable + ?Sized} Arc<T>: |value, key| (**value).sort_key(key);
    {T: Comparable + ToOwned + ?Sized} Cow<'_, T>: |value, key| (**value).sort_key(key);
    {T: Comparable} Wrapping<T>: |value, key| value.0.sort_key(key);
    {T: Comparable} Saturating<T>: |value, key| value.0.sort_key(key);
    {T: Comparable} Reverse<T>: |value, key| key.reversed(|key| value.0.sort_key(key));

    {T: Comparable} Option<T>: |value, key| key.option(value.as_ref());
    {T: Comparable} [T]: |value, key| key.list(value);
    {T: Comparable} Vec<T>: |value, key| key.list(value);
    {T: Comparable, const LEN: usize} [T; LEN]: |value, key| key.list(value);
    {T: Comparable} VecDeque<T>: |value, key| key.list(value);
    {T: Comparable} LinkedList<T>: |value, key| key.list(value);
    {T: Comparable} BTreeSet<T>: |value, key| key.list(value);
    {K: Comparable, V: Comparable} BTreeMap<K, V>: |value, key| key.list(value);
    {T: Comparable, S} HashSet<T, S>: |value, key| key.set(value);
    {K: Comparable, V: Comparable, S} HashMap<K, V, S>: |value, key| key.set(value);

    Duration: |value, key| {
        key.push(&value.as_secs());
        key.push(&value.subsec_nanos());
    };
    SystemTime: |value, key| match value.duration_since(Self::UNIX_EPOCH) {
        Ok(since) => {
            key.push(&true);
            key.push(&since);
        }
        Err(until) => {
            key.push(&false);
            key.push(&Reverse(until.duration()));
        }
    };

    Ipv4Addr: |value, key| key.push(&u32::from(*value));
    Ipv6Addr: |value, key| key.push(&u128::from(*value));
    IpAddr: |value, key| match value {
        Self::V4(address) => variant(key, 0, address),
        Self::V6(address) => variant(key, 1, address),
    };
    SocketAddrV4: |value, key| {
        key.push(value.ip());
        key.push(&value.port());
    };
    SocketAddrV6: |value, key| {
        key.push(value.ip());
        key.push(&value.port());
        key.push(&value.flowinfo());
        key.push(&value.scope_id());
    };
    SocketAddr: |value, key| match value {
        Self::V4(address) => variant(key, 0, address),
        Self::V6(address) => variant(key, 1, address),
    };

    Path: |value, key| key.list(value.components());
    PathBuf: |value, key| value.as_path().sort_key(key);
    Component<'_>: |value, key| match value {
        Self::Prefix(prefix) => variant(key, 0, &prefix.kind()),
        Self::RootDir => key.push(&1_u8),
        Self::CurDir => key.push(&2_u8),
        Self::ParentDir => key.push(&3_u8),
        Self::Normal(name) => {
            key.push(&4_u8);
            key.bytes(name.as_encoded_bytes());
        }
    };
    Prefix<'_>: |value, key| match value {
        Self::Verbatim(name) => parts(key, 0, [name.as_encoded_bytes()]),
        Self::VerbatimUNC(server, share) => {
            parts(key, 1, [server.as_encoded_bytes(), share.as_encoded_bytes()]);
        }
        Self::VerbatimDisk(disk) => variant(key, 2, disk),
        Self::DeviceNS(name) => parts(key, 3, [name.as_encoded_bytes()]),
        Self::UNC(server, share) => {
            parts(key, 4, [server.as_encoded_bytes(), share.as_encoded_bytes()]);
        }
        Self::Disk(disk) => variant(key, 5, disk),
    };

    {T: Comparable, E: Comparable} Result<T, E>: |value, key| match value {
        Ok(value) => variant(key, 0, value),
        Err(error) => variant(key, 1, error),
    };
    {T: Comparable} Range<T>: |value, key| {
        key.push(&value.start);
        key.push(&value.end);
    };
    {T: Comparable} RangeInclusive<T>: |value, key| {
        key.push(value.start());
        key.push(value.end());
    };
    {T: Comparable} Bound<T>: |value, key| match value {
        Self::Included(value) => variant(key, 0, value),
        Self::Excluded(value) => variant(key, 1, value),
        Self::Unbounded => key.push(&2_u8),
    };

    // Has no order; integers and floats are never equal.
    Value: |value, key| match value {
        Self::Null => key.push(&0_u8),
        Self::Bool(value) => variant(key, 1, value),
        Self::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), ..) => variant(key, 2, &number),
            (_, Some(number), _) => variant(key, 2, &number),
            (.., Some(number)) => variant(key, 3, &number),
            // Only digits that no number of Rust holds.
            (.., None) => variant(key, 4, &number.to_string()),
        },
        Self::String(text) => variant(key, 5, text),
        Self::Array(items) => variant(key, 6, items),
        Self::Object(members) => {
            key.push(&7_u8);
            key.set(members);
        }
    };
}

/// A variant with one value.
pub(super) fn variant<T: Comparable + ?Sized>(key: &mut SortKey<'_>, number: u8, value: &T) {
    key.push(&number);
    key.push(value);
}

fn parts<const LEN: usize>(key: &mut SortKey<'_>, number: u8, parts: [&[u8]; LEN]) {
    key.push(&number);
    parts.into_iter().for_each(|part| key.bytes(part));
}

macro_rules! tuples {
    ($(($($name:ident)*))*) => {
        $(impl<$($name: Comparable),*> Comparable for ($($name,)*) {
            fn sort_key(&self, key: &mut SortKey<'_>) {
                #[expect(non_snake_case, reason = "each value is named like its type")]
                let ($($name,)*) = self;
                $(key.push($name);)*
            }
        })*
    };
}

tuples! {
    (A)(A B)(A B C)(A B C D)(A B C D E)(A B C D E F)(A B C D E F G)(A B C D E F G H)
    (A B C D E F G H I)(A B C D E F G H I J)(A B C D E F G H I J K)(A B C D E F G H I J K L)
    (A B C D E F G H I J K L M)(A B C D E F G H I J K L M N)(A B C D E F G H I J K L M N O)
    (A B C D E F G H I J K L M N O P)
}

impl<T: Row> Comparable for Id<T> {
    fn sort_key(&self, key: &mut SortKey<'_>) {
        key.uuid(self.uuid().as_bytes());
    }
}

/// Known variants as in `T`, before unknown ones by their JSON.
impl<T: Comparable> Comparable for Open<T> {
    fn sort_key(&self, key: &mut SortKey<'_>) {
        match self {
            Self::Known(value) => {
                key.push(&0_u8);
                key.push(value);
            }
            Self::Unknown(variant) => {
                key.push(&1_u8);
                key.push(variant.json());
            }
        }
    }
}

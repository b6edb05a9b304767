//! [`BorrowedFrom`]: `&str` where a `&String` is meant, and the like.

use std::path::{Path, PathBuf};

use super::Open;

/// A value that a method takes by reference in place of a `T`: a `T` itself, `str` for a `String`,
/// a slice or array for a `Vec`, `Path` for a `PathBuf`, an enum for an [`Open`] one, `&str` for each
/// `String` of a key of several fields.
#[diagnostic::on_unimplemented(
    message = "expected a reference to `{T}`, found one to `{Self}`",
    label = "not a `{T}`",
    note = "pass a `&{T}`; for a `String`, a `&str` will do"
)]
pub trait BorrowedFrom<T> {
    /// Calls a function with the value as a `T`.
    #[doc(hidden)]
    fn with<O>(&self, work: impl FnOnce(&T) -> O) -> O;
}

impl<T> BorrowedFrom<T> for T {
    fn with<O>(&self, work: impl FnOnce(&T) -> O) -> O {
        work(self)
    }
}

impl<T: Clone> BorrowedFrom<Open<T>> for T {
    fn with<O>(&self, work: impl FnOnce(&Open<T>) -> O) -> O {
        work(&Open::Known(self.clone()))
    }
}

macro_rules! owned {
    ($([$($generics:tt)*] $borrowed:ty => $owned:ty;)*) => {
        $(impl<$($generics)*> BorrowedFrom<$owned> for $borrowed {
            fn with<O>(&self, work: impl FnOnce(&$owned) -> O) -> O {
                work(&self.to_owned().into())
            }
        })*
    };
}

owned! {
    [] str => String;
    [] Path => PathBuf;
    [T: Clone] [T] => Vec<T>;
    [T: Clone, const LEN: usize] [T; LEN] => Vec<T>;
}

/// A key of several fields, of which a text may be a `&str`: each line is a tuple as it is passed.
macro_rules! keys {
    ($([$($generic:ident)*] ($($value:ident: $borrowed:ty => $owned:ty),*);)*) => {
        $(impl<$($generic: Clone),*> BorrowedFrom<($($owned,)*)> for ($($borrowed,)*) {
            fn with<O>(&self, work: impl FnOnce(&($($owned,)*)) -> O) -> O {
                let ($($value,)*) = self;
                work(&($(<$owned>::from($value.clone()),)*))
            }
        })*
    };
}

keys! {
    [A] (a: A => A, b: &str => String);
    [B] (a: &str => String, b: B => B);
    [] (a: &str => String, b: &str => String);
    [A B] (a: A => A, b: B => B, c: &str => String);
    [A C] (a: A => A, b: &str => String, c: C => C);
    [A] (a: A => A, b: &str => String, c: &str => String);
    [B C] (a: &str => String, b: B => B, c: C => C);
    [B] (a: &str => String, b: B => B, c: &str => String);
    [C] (a: &str => String, b: &str => String, c: C => C);
    [] (a: &str => String, b: &str => String, c: &str => String);
    [A B C] (a: A => A, b: B => B, c: C => C, d: &str => String);
    [A B D] (a: A => A, b: B => B, c: &str => String, d: D => D);
    [A B] (a: A => A, b: B => B, c: &str => String, d: &str => String);
    [A C D] (a: A => A, b: &str => String, c: C => C, d: D => D);
    [A C] (a: A => A, b: &str => String, c: C => C, d: &str => String);
    [A D] (a: A => A, b: &str => String, c: &str => String, d: D => D);
    [A] (a: A => A, b: &str => String, c: &str => String, d: &str => String);
    [B C D] (a: &str => String, b: B => B, c: C => C, d: D => D);
    [B C] (a: &str => String, b: B => B, c: C => C, d: &str => String);
    [B D] (a: &str => String, b: B => B, c: &str => String, d: D => D);
    [B] (a: &str => String, b: B => B, c: &str => String, d: &str => String);
    [C D] (a: &str => String, b: &str => String, c: C => C, d: D => D);
    [C] (a: &str => String, b: &str => String, c: C => C, d: &str => String);
    [D] (a: &str => String, b: &str => String, c: &str => String, d: D => D);
    [] (a: &str => String, b: &str => String, c: &str => String, d: &str => String);
}

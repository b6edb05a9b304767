//! [`BorrowedFrom`]: `&str` where a `&String` is meant, and the like.

use std::path::{Path, PathBuf};

use super::Open;

/// A value that a method takes by reference in place of a `T`: a `T` itself, `str` for a `String`,
/// a slice or array for a `Vec`, `Path` for a `PathBuf`, an enum for an [`Open`] one.
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

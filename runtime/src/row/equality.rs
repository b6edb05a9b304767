//! Whether two values are equal, of types that may have no equality.
//!
//! It is found out where the type is known, by looking for a method on a reference to a reference:
//! the compiler takes the first that applies.

/// Two values to compare.
#[derive(Debug)]
pub struct Compare<'a, T>(pub &'a T, pub &'a T);

/// The comparison of types that have an equality.
pub trait WithEquality {
    /// Whether both are equal.
    fn is_same(&self) -> Option<bool>;
}

impl<T: PartialEq> WithEquality for &Compare<'_, T> {
    fn is_same(&self) -> Option<bool> {
        Some(self.0 == self.1)
    }
}

/// The comparison of types that have none.
pub trait WithoutEquality {
    /// Nothing.
    fn is_same(&self) -> Option<bool> {
        None
    }
}

impl<T> WithoutEquality for Compare<'_, T> {}

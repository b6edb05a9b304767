//! [`Summable`]: what can be summed, and in which type.

#[cfg(feature = "rust_decimal")]
use super::decimal::DecimalSum;
use super::exact::{FloatSum, IntegerSum};
use crate::row::order::{NONE, SOME, float_of, integer_of};

/// A number that can be summed: all integers and floats, `Decimal` with the feature `rust_decimal`, an
/// `Option` of one, and a newtype that says how.
///
/// Integers are summed exactly; the sum of signed ones is an `i64`, of unsigned ones a `u64`, of
/// those with 128 bits a number of the same type. A sum beyond that is an error, whatever the order
/// of the rows. Floats are summed exactly, too, and rounded once at the end, so that the sum does not
/// depend on the order either. Decimals are summed as integers are, and the sum has no zeros at its end.
/// `None` is left out.
///
/// ```
/// use heirloom::query::{Amount, Summable, Total};
/// use heirloom::{Store, Table};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
/// struct Cents(i64);
///
/// impl Summable for Cents {
///     type Sum = Cents;
///
///     fn amount(&self) -> Amount {
///         self.0.into()
///     }
///
///     fn from_total(total: &Total) -> Option<Cents> {
///         total.integer().map(Cents)
///     }
/// }
///
/// #[derive(Serialize, Deserialize, JsonSchema, Table)]
/// struct Payment {
///     #[key]
///     number: u32,
///     paid: Cents,
/// }
/// # #[derive(Store)]
/// # struct App { payments: Table<Payment> }
/// # let app = App::in_memory()?;
/// # app.payments.insert(&Payment { number: 1, paid: Cents(250) })?;
/// # app.payments.insert(&Payment { number: 2, paid: Cents(-50) })?;
/// assert_eq!(app.payments.query().sum(Payment::PAID)?, Cents(200));
/// # Ok::<(), heirloom::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "values of type `{Self}` cannot be summed",
    label = "not `Summable`",
    note = "`sum` and `avg` take integers, floats, with the feature `rust_decimal` a `Decimal`, and an \
            `Option` of these; implement `heirloom::query::Summable` for a newtype around one"
)]
pub trait Summable {
    /// The type of a sum.
    type Sum;

    /// Returns what the value adds to a sum.
    fn amount(&self) -> Amount;

    /// Returns a sum as a value; `None` if it is out of range.
    fn from_total(total: &Total) -> Option<Self::Sum>;

    /// Returns the amount that the value of an index entry adds; `None` if the bytes do not say.
    #[doc(hidden)]
    fn amount_of(encoded: &[u8]) -> Option<Amount> {
        let _ = encoded;
        None
    }

    /// Whether a sum is in the range of its type.
    #[doc(hidden)]
    fn is_in_range(total: &Total) -> bool {
        Self::from_total(total).is_some()
    }

    /// Whether [`amount_of`](Self::amount_of) tells.
    #[doc(hidden)]
    const IS_READ_FROM_INDEX: bool = false;

    /// Whether an index knows the sums of many of them.
    #[doc(hidden)]
    const IS_SUMMED_IN_INDEX: bool = false;
}

/// The addend of one value in a sum: an integer, a float, a decimal, or nothing.
///
/// Made from a number by `into`.
#[derive(Debug, Clone, Copy)]
pub struct Amount(Kind);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Nothing,
    Integer(i128),
    Unsigned(u128),
    Float(f64),
    #[cfg(feature = "rust_decimal")]
    Decimal(rust_decimal::Decimal),
}

impl Amount {
    #[cfg(feature = "rust_decimal")]
    pub(super) const fn of_decimal(value: rust_decimal::Decimal) -> Self {
        Self(Kind::Decimal(value))
    }

    /// Nothing, which does not count in an average either.
    pub const NOTHING: Self = Self(Kind::Nothing);

    pub(super) fn is_nothing(self) -> bool {
        matches!(self.0, Kind::Nothing)
    }
}

/// The exact sum of several amounts.
#[derive(Debug, Clone, Default)]
pub struct Total {
    integers: IntegerSum,
    floats: Option<Box<FloatSum>>,
    #[cfg(feature = "rust_decimal")]
    decimals: DecimalSum,
}

impl Total {
    /// The sum of integers.
    pub(super) fn of(sum: i128) -> Self {
        let mut total = Self::default();
        total.integers.add(sum);
        total
    }

    /// Returns the sum of the integers in it; `None` if it does not fit the type.
    pub fn integer<T: TryFrom<i128>>(&self) -> Option<T> {
        self.integers.value().and_then(|sum| sum.try_into().ok())
    }

    /// Returns the whole sum as the nearest float.
    pub fn float(&self) -> f64 {
        let parts = [
            self.integers.to_f64(),
            self.floats.as_ref().map_or(0.0, |floats| floats.value()),
            #[cfg(feature = "rust_decimal")]
            self.decimals.to_f64(),
        ];
        parts.iter().sum()
    }

    #[cfg(feature = "rust_decimal")]
    pub(super) fn decimals(&self) -> &DecimalSum {
        &self.decimals
    }

    /// Whether it may leave the range of its type, as one with a float in it cannot.
    pub(super) fn is_bounded(&self) -> bool {
        self.floats.is_none()
    }

    pub(super) fn add(&mut self, amount: Amount) {
        match amount.0 {
            Kind::Nothing => {}
            Kind::Integer(value) => self.integers.add(value),
            Kind::Unsigned(value) => self.integers.add_unsigned(value),
            Kind::Float(value) => self.floats().add(value),
            #[cfg(feature = "rust_decimal")]
            Kind::Decimal(value) => self.decimals.add(value),
        }
    }

    pub(super) fn subtract(&mut self, amount: Amount) {
        match amount.0 {
            Kind::Nothing => {}
            Kind::Integer(value) => self.integers.subtract(value),
            Kind::Unsigned(value) => self.integers.subtract_unsigned(value),
            Kind::Float(value) => self.floats().subtract(value),
            #[cfg(feature = "rust_decimal")]
            Kind::Decimal(value) => self.decimals.subtract(value),
        }
    }

    fn floats(&mut self) -> &mut FloatSum {
        self.floats.get_or_insert_with(|| Box::new(FloatSum::NOTHING))
    }
}

macro_rules! integers {
    ($($kind:ident $sum:ty, $is_summed:literal: $($type:ty)*;)*) => {
        $($(
            impl From<$type> for Amount {
                fn from(value: $type) -> Self {
                    // Each fits: the types of 64 bits and less, and that of 128 bits itself.
                    Self(Kind::$kind(value as _))
                }
            }

            impl Summable for $type {
                type Sum = $sum;

                const IS_READ_FROM_INDEX: bool = true;
                const IS_SUMMED_IN_INDEX: bool = $is_summed;

                fn amount(&self) -> Amount {
                    (*self).into()
                }

                fn from_total(total: &Total) -> Option<$sum> {
                    total.integer()
                }

                fn amount_of(encoded: &[u8]) -> Option<Amount> {
                    integer_of(encoded).map(|value| Amount(Kind::Integer(value)))
                }
            }
        )*)*
    };
}

integers! {
    Integer i64, true: i8 i16 i32 i64 isize;
    Integer i128, false: i128;
    Unsigned u64, true: u8 u16 u32 u64 usize;
    Unsigned u128, false: u128;
}

macro_rules! floats {
    ($($type:ty)*) => {
        $(
            impl From<$type> for Amount {
                fn from(value: $type) -> Self {
                    Self(Kind::Float(value.into()))
                }
            }

            impl Summable for $type {
                type Sum = f64;

                const IS_READ_FROM_INDEX: bool = true;

                fn amount(&self) -> Amount {
                    (*self).into()
                }

                fn from_total(total: &Total) -> Option<f64> {
                    Some(total.float())
                }

                fn amount_of(encoded: &[u8]) -> Option<Amount> {
                    // No entry says more of a NaN than that it has no order.
                    let value = float_of(encoded).unwrap_or(f64::NAN);
                    Some(Amount(Kind::Float(value)))
                }
            }
        )*
    };
}

floats!(f32 f64);

impl<T: Summable> Summable for Option<T> {
    type Sum = T::Sum;

    const IS_READ_FROM_INDEX: bool = T::IS_READ_FROM_INDEX;
    const IS_SUMMED_IN_INDEX: bool = T::IS_SUMMED_IN_INDEX;

    fn amount(&self) -> Amount {
        self.as_ref().map_or(Amount::NOTHING, T::amount)
    }

    fn from_total(total: &Total) -> Option<T::Sum> {
        T::from_total(total)
    }

    fn is_in_range(total: &Total) -> bool {
        T::is_in_range(total)
    }

    fn amount_of(encoded: &[u8]) -> Option<Amount> {
        match encoded.split_first()? {
            (&NONE, _) => Some(Amount::NOTHING),
            (&SOME, value) => T::amount_of(value),
            // A value that has no order: the whole says so, not a part of it.
            _ => T::amount_of(encoded),
        }
    }
}

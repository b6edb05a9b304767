//! Sums of `Decimal`s: exact, in 256 bits, as multiples of the smallest fraction that one has.

use rust_decimal::Decimal;

use super::exact::{IntegerSum, product};
use super::number::{Amount, Summable, Total};

/// A decimal has as many bits, and no more than [`Decimal::MAX_SCALE`] places.
const MANTISSA_BITS: u32 = 96;

/// How many units make a one.
const ONE: u128 = 10_u128.pow(Decimal::MAX_SCALE);

/// The sum of decimals.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DecimalSum(IntegerSum);

impl DecimalSum {
    pub(super) fn add(&mut self, value: Decimal) {
        let (units, is_negative) = units(value);
        if is_negative { self.0.subtract_wide(units) } else { self.0.add_wide(units) }
    }

    pub(super) fn subtract(&mut self, value: Decimal) {
        let (units, is_negative) = units(value);
        if is_negative { self.0.add_wide(units) } else { self.0.subtract_wide(units) }
    }

    pub(super) fn to_f64(self) -> f64 {
        self.0.to_f64() / ONE as f64
    }

    /// Whether it is not beyond what a decimal holds.
    fn is_in_range(&self) -> bool {
        // What is nearer to the greatest decimal than to the next integer is rounded to it.
        let (high, low) = product((1 << MANTISSA_BITS) - 1, ONE);
        let (low, is_carried) = low.overflowing_add(ONE / 2 - 1);
        self.0.magnitude() <= (high + u128::from(is_carried), low)
    }

    /// The decimal that is nearest to it, the even one of two, without zeros at its end.
    fn value(&self) -> Option<Decimal> {
        let (mut high, mut low) = self.0.magnitude();
        // The last digit that was left out, and whether one before it was not 0.
        let (mut digit, mut has_more) = (0, false);
        for scale in (0..=Decimal::MAX_SCALE).rev() {
            if high == 0 && low >> MANTISSA_BITS == 0 {
                let is_up = digit > 5 || (digit == 5 && (has_more || low & 1 == 1));
                let rounded = low + u128::from(is_up);
                if rounded >> MANTISSA_BITS == 0 {
                    let signed = i128::try_from(rounded).ok()?;
                    let signed = if self.0.is_negative() { -signed } else { signed };
                    return Decimal::try_from_i128_with_scale(signed, scale)
                        .ok()
                        .map(|value| value.normalize());
                }
            }
            has_more |= digit != 0;
            (high, low, digit) = tenth(high, low);
        }
        None
    }
}

/// How many units a decimal is, without its sign.
fn units(value: Decimal) -> ((u128, u128), bool) {
    let places = Decimal::MAX_SCALE.saturating_sub(value.scale());
    let mantissa = value.mantissa();
    (product(mantissa.unsigned_abs(), 10_u128.saturating_pow(places)), mantissa < 0)
}

/// A tenth of a number of 256 bits, and its last digit.
fn tenth(high: u128, low: u128) -> (u128, u128, u128) {
    // Four halves, one after another, as by hand.
    let divide = |rest: u128, half: u128| {
        let whole = rest << 64 | half;
        (whole / 10, whole % 10)
    };
    let (a, rest) = (high / 10, high % 10);
    let (b, rest) = divide(rest, low >> 64);
    let (c, rest) = divide(rest, low & u128::from(u64::MAX));
    (a, b << 64 | c, rest)
}

impl From<Decimal> for Amount {
    fn from(value: Decimal) -> Self {
        Self::of_decimal(value)
    }
}

impl Summable for Decimal {
    type Sum = Self;

    fn amount(&self) -> Amount {
        (*self).into()
    }

    fn from_total(total: &Total) -> Option<Self> {
        total.decimal()
    }

    fn is_in_range(total: &Total) -> bool {
        total.decimals().is_in_range()
    }
}

impl Total {
    /// Returns the sum of the decimals in it, without zeros at its end; `None` if a decimal does not hold it.
    ///
    /// It is exact, and rounded once if it has more digits than a decimal holds.
    pub fn decimal(&self) -> Option<Decimal> {
        self.decimals().value()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::DecimalSum;

    fn sum(values: &[Decimal]) -> DecimalSum {
        let mut sum = DecimalSum::default();
        values.iter().for_each(|value| sum.add(*value));
        sum
    }

    fn decimal() -> impl Strategy<Value = Decimal> {
        let digits = prop_oneof![any::<i128>().prop_map(|digits| digits >> 32), -300..300_i128];
        (digits, 0..=28_u32)
            .prop_map(|(digits, scale)| Decimal::from_i128_with_scale(digits, scale))
    }

    #[test]
    fn sums_are_exact_and_rounded_once() {
        let [small, tenth] = [Decimal::new(1, 28), Decimal::new(1, 1)];
        assert_eq!(sum(&[]).value(), Some(Decimal::ZERO));
        assert_eq!(sum(&[tenth; 10]).value().unwrap().to_string(), "1");
        assert_eq!(sum(&[Decimal::MAX, small, -Decimal::MAX]).value(), Some(small));
        // Half of a one more is beyond; what is less is rounded away.
        let [less, half] = [Decimal::new(4_999, 4), Decimal::new(5, 1)];
        for sign in [Decimal::ONE, -Decimal::ONE] {
            let most = Decimal::MAX * sign;
            assert_eq!(sum(&[most, less * sign]).value(), Some(most));
            assert!(sum(&[most, less * sign]).is_in_range());
            for beyond in [half * sign, sign, most] {
                assert_eq!(sum(&[most, beyond]).value(), None);
                assert!(!sum(&[most, beyond]).is_in_range());
            }
        }
        // To the even one of two.
        let odd = Decimal::MAX - Decimal::from(2);
        assert_eq!(sum(&[odd, half]).value(), Some(odd + Decimal::ONE));
        assert_eq!(sum(&[odd - Decimal::ONE, half]).value(), Some(odd - Decimal::ONE));
        assert_eq!(sum(&[odd - Decimal::ONE, half, small]).value(), Some(odd));
    }

    proptest! {
        #[test]
        fn two_decimals_are_added_as_the_crate_does(a in decimal(), b in decimal()) {
            prop_assert_eq!(sum(&[a]).value(), Some(a));
            let both = sum(&[a, b]);
            prop_assert_eq!(both.value().is_some(), both.is_in_range());
            match (both.value(), a.checked_add(b)) {
                // The crate rounds, too, if the digits are too many.
                (Some(found), Some(added)) => {
                    let off = (found - added).abs();
                    let last = Decimal::new(1, added.scale());
                    prop_assert!(off <= last, "{} {}", found, added);
                }
                (found, added) => prop_assert_eq!(found, added),
            }
        }

        #[test]
        fn what_was_added_can_be_taken_out(
            kept in prop::collection::vec(decimal(), 0..20),
            gone in prop::collection::vec(decimal(), 0..20),
        ) {
            let mut all = sum(&kept);
            gone.iter().for_each(|value| all.add(*value));
            gone.iter().for_each(|value| all.subtract(*value));
            prop_assert_eq!(all.value(), sum(&kept).value());
        }
    }
}

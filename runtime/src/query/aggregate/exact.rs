//! Sums without rounding: integers in 256 bits, floats in as many as all floats have.
//!
//! An added value can be taken out again, and nothing depends on the order. So a sum that follows
//! commits is the one that reading all rows gives.

/// A sum of integers; no number of rows makes it overflow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct IntegerSum {
    high: i128,
    low: u128,
}

impl IntegerSum {
    pub(super) fn add(&mut self, value: i128) {
        self.add_parts(value >> 127, value as u128);
    }

    pub(super) fn add_unsigned(&mut self, value: u128) {
        self.add_parts(0, value);
    }

    pub(super) fn subtract(&mut self, value: i128) {
        self.subtract_parts(value >> 127, value as u128);
    }

    pub(super) fn subtract_unsigned(&mut self, value: u128) {
        self.subtract_parts(0, value);
    }

    /// Adds a number without a sign: its upper and its lower half.
    #[cfg(feature = "rust_decimal")]
    pub(super) fn add_wide(&mut self, (high, low): (u128, u128)) {
        self.add_parts(high as i128, low);
    }

    #[cfg(feature = "rust_decimal")]
    pub(super) fn subtract_wide(&mut self, (high, low): (u128, u128)) {
        self.subtract_parts(high as i128, low);
    }

    #[cfg(feature = "rust_decimal")]
    pub(super) fn is_negative(&self) -> bool {
        self.high < 0
    }

    /// The sum without its sign: its upper and its lower half.
    #[cfg(feature = "rust_decimal")]
    pub(super) fn magnitude(&self) -> (u128, u128) {
        if !self.is_negative() {
            return (self.high as u128, self.low);
        }
        let (low, is_carried) = (!self.low).overflowing_add(1);
        ((!self.high as u128).wrapping_add(u128::from(is_carried)), low)
    }

    fn add_parts(&mut self, high: i128, low: u128) {
        let (low, is_carried) = self.low.overflowing_add(low);
        self.low = low;
        self.high = self.high.wrapping_add(high).wrapping_add(i128::from(is_carried));
    }

    fn subtract_parts(&mut self, high: i128, low: u128) {
        let (low, is_borrowed) = self.low.overflowing_sub(low);
        self.low = low;
        self.high = self.high.wrapping_sub(high).wrapping_sub(i128::from(is_borrowed));
    }

    /// The sum, if it fits.
    pub(super) fn value(&self) -> Option<i128> {
        let low = self.low as i128;
        (self.high == low >> 127).then_some(low)
    }

    pub(super) fn to_f64(self) -> f64 {
        // Beyond 128 bits the lower half counts for less than a float holds, unless it cancels out.
        self.value().map_or_else(
            || self.high as f64 * 2.0_f64.powi(128) + self.low as f64,
            |value| value as f64,
        )
    }
}

/// The product of two numbers: its upper and its lower half.
#[cfg(feature = "rust_decimal")]
pub(super) const fn product(a: u128, b: u128) -> (u128, u128) {
    const HALF: u128 = u64::MAX as u128;
    let ((a_high, a_low), (b_high, b_low)) = ((a >> 64, a & HALF), (b >> 64, b & HALF));
    let (first, second) = (a_high * b_low, a_low * b_high);
    let (low, is_carried) = (a_low * b_low).overflowing_add(first << 64);
    let (low, is_carried_again) = low.overflowing_add(second << 64);
    let carried = is_carried as u128 + is_carried_again as u128;
    (a_high * b_high + (first >> 64) + (second >> 64) + carried, low)
}

const DIGIT_BITS: usize = 32;
const DIGIT_MASK: i64 = (1 << DIGIT_BITS) - 1;

/// From the least bit of the smallest float to the greatest one of the largest, and 64 bits for
/// carries.
const DIGITS: usize = 68;

/// How many floats may be added until digits are carried: each adds less than 2^32 to a digit.
const UNCARRIED: u32 = 1 << 30;

const MANTISSA_BITS: usize = 52;
const INFINITE_EXPONENT: u64 = 0x7FF;

/// A sum of floats that is rounded once, when it is read.
#[derive(Debug, Clone)]
pub(super) struct FloatSum {
    /// The finite part in units of the smallest float, 32 bits a digit, the least first. Digits may
    /// be negative or large until they are carried.
    digits: [i64; DIGITS],
    uncarried: u32,
    nans: i64,
    infinities: i64,
    negative_infinities: i64,
}

impl FloatSum {
    pub(super) const NOTHING: Self =
        Self { digits: [0; DIGITS], uncarried: 0, nans: 0, infinities: 0, negative_infinities: 0 };

    pub(super) fn add(&mut self, value: f64) {
        self.change(value, 1);
    }

    pub(super) fn subtract(&mut self, value: f64) {
        self.change(value, -1);
    }

    fn change(&mut self, value: f64, by: i64) {
        let bits = value.to_bits();
        let exponent = (bits >> MANTISSA_BITS) & INFINITE_EXPONENT;
        if exponent == INFINITE_EXPONENT {
            if value.is_nan() {
                self.nans += by;
            } else if value > 0.0 {
                self.infinities += by;
            } else {
                self.negative_infinities += by;
            }
            return;
        }
        let fraction = bits & ((1 << MANTISSA_BITS) - 1);
        // Subnormal floats have the exponent of the smallest normal ones.
        let mantissa = if exponent == 0 { fraction } else { fraction | (1 << MANTISSA_BITS) };
        let place = usize::try_from(exponent.saturating_sub(1)).unwrap_or_default();
        let sign = if bits >> 63 == 1 { -by } else { by };
        let mut rest = u128::from(mantissa) << (place % DIGIT_BITS);
        for digit in self.digits.iter_mut().skip(place / DIGIT_BITS).take(3) {
            *digit += sign * (rest as i64 & DIGIT_MASK);
            rest >>= DIGIT_BITS;
        }
        self.uncarried += 1;
        if self.uncarried >= UNCARRIED {
            self.carry();
        }
    }

    /// Brings all digits but the last between 0 and 2^32.
    fn carry(&mut self) {
        let mut carried = 0;
        let last = DIGITS - 1;
        for digit in &mut self.digits[..last] {
            let sum = *digit + carried;
            *digit = sum & DIGIT_MASK;
            carried = sum >> DIGIT_BITS;
        }
        self.digits[last] += carried;
        self.uncarried = 0;
    }

    /// The float next to the sum, of two equally near the even one.
    pub(super) fn value(&self) -> f64 {
        let (has_infinity, has_negative) = (self.infinities > 0, self.negative_infinities > 0);
        if self.nans > 0 || (has_infinity && has_negative) {
            return f64::NAN;
        }
        if has_infinity || has_negative {
            return if has_infinity { f64::INFINITY } else { f64::NEG_INFINITY };
        }
        let mut sum = self.clone();
        sum.carry();
        let is_negative = sum.digits[DIGITS - 1] < 0;
        if is_negative {
            sum.digits.iter_mut().for_each(|digit| *digit = -*digit);
            sum.carry();
        }
        let magnitude = sum.rounded();
        if is_negative { -magnitude } else { magnitude }
    }

    /// The float next to a sum that is carried and not negative.
    fn rounded(&self) -> f64 {
        let Some(top) = self.digits.iter().rposition(|digit| *digit != 0) else { return 0.0 };
        let width = i64::BITS - self.digits[top].leading_zeros();
        let end = top * DIGIT_BITS + width as usize;
        // The bits that a float holds begin here; those below decide how it is rounded.
        let start = end.saturating_sub(MANTISSA_BITS + 1);
        let mut mantissa = self.bits_from(start);
        if start > 0 {
            let half = self.bits_from(start - 1) & 1 == 1;
            let is_more = self.has_bits_below(start - 1);
            if half && (is_more || mantissa & 1 == 1) {
                mantissa += 1;
            }
        }
        // A mantissa that rounding made one bit longer adds one to the exponent by itself, and so
        // does the leading bit of a normal float.
        let bits = mantissa + ((start as u64) << MANTISSA_BITS);
        if bits >> MANTISSA_BITS >= INFINITE_EXPONENT {
            return f64::INFINITY;
        }
        f64::from_bits(bits)
    }

    /// The 53 bits from a place on.
    fn bits_from(&self, start: usize) -> u64 {
        let digits = self.digits.iter().skip(start / DIGIT_BITS).take(3).enumerate();
        let wide = digits.fold(0_u128, |wide, (at, digit)| {
            wide | (u128::from(digit.unsigned_abs()) << (at * DIGIT_BITS))
        });
        (wide >> (start % DIGIT_BITS)) as u64 & ((1 << (MANTISSA_BITS + 1)) - 1)
    }

    fn has_bits_below(&self, end: usize) -> bool {
        let whole = end / DIGIT_BITS;
        let part = self.digits.get(whole).copied().unwrap_or_default();
        self.digits.iter().take(whole).any(|digit| *digit != 0)
            || part & ((1 << (end % DIGIT_BITS)) - 1) != 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FloatSum, IntegerSum};

    fn sum(values: &[f64]) -> f64 {
        let mut sum = FloatSum::NOTHING;
        values.iter().for_each(|value| sum.add(*value));
        sum.value()
    }

    #[test]
    fn nothing_is_lost_on_the_way() {
        assert_eq!(sum(&[]), 0.0);
        assert_eq!(sum(&[1e300, 1.0, -1e300]), 1.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(sum(&[-f64::MAX, -f64::MAX]), f64::NEG_INFINITY);
        let least = f64::from_bits(1);
        assert_eq!(sum(&[least, least]), f64::from_bits(2));
        assert_eq!(sum(&[f64::MIN_POSITIVE, -least]), f64::from_bits((1 << 52) - 1));
        // Half of what the last bit of 1 is: to the even one, unless there is a bit more.
        let half = f64::EPSILON / 2.0;
        assert_eq!(sum(&[1.0, half]), 1.0);
        assert_eq!(sum(&[1.0, half, least]), 1.0 + f64::EPSILON);
        assert_eq!(sum(&[1.0 + f64::EPSILON, half]), 1.0 + 2.0 * f64::EPSILON);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert!(sum(&[f64::NAN, 1.0]).is_nan());
        assert_eq!(sum(&[f64::INFINITY, -1.0]), f64::INFINITY);
    }

    fn float() -> impl Strategy<Value = f64> {
        prop_oneof![any::<f64>(), -1e3..1e3_f64, (0..3_u64).prop_map(f64::from_bits)]
    }

    proptest! {
        #[test]
        fn two_floats_are_added_as_rust_does(a in float(), b in float()) {
            prop_assert_eq!(sum(&[a]).to_bits(), (a + 0.0).to_bits());
            prop_assert_eq!((sum(&[a, b]) + 0.0).to_bits(), (a + b + 0.0).to_bits());
        }

        #[test]
        fn what_was_added_can_be_taken_out(
            kept in prop::collection::vec(float(), 0..20),
            gone in prop::collection::vec(prop_oneof![9 => float(), 1 => Just(f64::NAN)], 0..20),
        ) {
            let mut all = FloatSum::NOTHING;
            kept.iter().chain(&gone).for_each(|value| all.add(*value));
            gone.iter().for_each(|value| all.subtract(*value));
            prop_assert_eq!(all.value().to_bits(), sum(&kept).to_bits());
        }

        #[test]
        fn integers_do_not_overflow(values in prop::collection::vec(any::<i128>(), 0..20)) {
            let mut sum = IntegerSum::default();
            values.iter().for_each(|value| sum.add(*value));
            values.iter().skip(1).for_each(|value| sum.subtract(*value));
            prop_assert_eq!(sum.value(), Some(values.first().copied().unwrap_or_default()));
            let small: Vec<i64> = values.iter().map(|value| *value as i64).collect();
            let mut sum = IntegerSum::default();
            small.iter().for_each(|value| sum.add((*value).into()));
            prop_assert_eq!(sum.value(), Some(small.iter().map(|value| i128::from(*value)).sum()));
        }
    }
}

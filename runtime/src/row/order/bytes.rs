//! The meaning of each byte of a sort key, and reading values back out of them.

pub(crate) const UNENCODABLE: u8 = 0x00;
pub(crate) const NONE: u8 = 0x01;
pub(crate) const SOME: u8 = 0x02;
pub(super) const FALSE: u8 = 0x08;
pub(super) const TRUE: u8 = 0x09;
pub(super) const ZERO: u8 = 0x30;
pub(super) const FLOAT: u8 = 0x48;
pub(crate) const TEXT: u8 = 0x50;
pub(super) const BYTES: u8 = 0x51;
pub(super) const UUID: u8 = 0x52;
pub(super) const SEQUENCE: u8 = 0x60;
pub(super) const MAP: u8 = 0x61;
pub(super) const END: u8 = 0x00;
/// Ends a text; a NUL inside one is followed by a greater byte.
const TEXT_END: [u8; 2] = [0x00, 0x01];
const ESCAPED_NUL: [u8; 2] = [0x00, 0xFF];

/// Adds bytes, so that those which start others come before them.
pub(crate) fn encode_bytes(bytes: &mut Vec<u8>, value: &[u8]) {
    text(bytes, BYTES, value);
}

pub(super) fn text(bytes: &mut Vec<u8>, tag: u8, text: &[u8]) {
    bytes.push(tag);
    escape(bytes, text);
    bytes.extend_from_slice(&TEXT_END);
}

pub(super) fn integer(bytes: &mut Vec<u8>, is_negative: bool, magnitude: u128) {
    let all = magnitude.to_be_bytes();
    let skipped = magnitude.leading_zeros() as usize / 8;
    let digits = all.get(skipped..).unwrap_or_default();
    // At most sixteen.
    let len = digits.len() as u8;
    if is_negative {
        bytes.push(ZERO - len);
        bytes.extend(digits.iter().map(|digit| !digit));
    } else {
        bytes.push(ZERO + len);
        bytes.extend_from_slice(digits);
    }
}

/// Adds a float that is not a NaN.
pub(super) fn float(bytes: &mut Vec<u8>, value: f64) {
    // The two zeros are equal.
    let bits = (value + 0.0).to_bits();
    let sorted = if bits >> 63 == 1 { !bits } else { bits | (1 << 63) };
    bytes.push(FLOAT);
    bytes.extend_from_slice(&sorted.to_be_bytes());
}

/// The float that `bytes` are the encoding of.
pub(crate) fn float_of(bytes: &[u8]) -> Option<f64> {
    let sorted = u64::from_be_bytes(bytes.strip_prefix(&[FLOAT])?.try_into().ok()?);
    Some(f64::from_bits(if sorted >> 63 == 1 { sorted & !(1 << 63) } else { !sorted }))
}

/// How many bytes the number has whose encoding these bytes start with, with the `Some` around it;
/// 1 of a `None`.
pub(crate) fn number_len(bytes: &[u8]) -> Option<usize> {
    match *bytes.first()? {
        SOME => number_len(bytes.get(1..)?).map(|len| len + 1),
        NONE | UNENCODABLE => Some(1),
        FLOAT => Some(9),
        tag => Some(usize::from(tag.abs_diff(ZERO))).filter(|len| *len <= 16).map(|len| len + 1),
    }
}

/// The integer that `bytes` are the encoding of.
pub(crate) fn integer_of(bytes: &[u8]) -> Option<i128> {
    let (tag, digits) = bytes.split_first()?;
    let is_negative = *tag < ZERO;
    if digits.len() != usize::from(tag.abs_diff(ZERO)) || digits.len() > 16 {
        return None;
    }
    let flip = if is_negative { u8::MAX } else { 0 };
    // Nearly all fit half of the bits, which a processor computes with at once.
    let (high, low) = digits.split_at(digits.len().saturating_sub(8));
    let half = |digits: &[u8]| {
        digits.iter().fold(0_u64, |half, digit| half << 8 | u64::from(digit ^ flip))
    };
    let magnitude = u128::from(half(high)) << 64 | u128::from(half(low));
    let value = i128::try_from(magnitude).ok()?;
    Some(if is_negative { -value } else { value })
}

/// The integer whose encoding these bytes start with, without the `Some` around it.
pub(crate) fn leading_integer(bytes: &[u8]) -> Option<i128> {
    let value = bytes.get(..number_len(bytes)?)?;
    let somes = value.iter().take_while(|byte| **byte == SOME).count();
    integer_of(value.get(somes..)?)
}

/// The UUID that `bytes` are the encoding of.
pub(crate) fn uuid_of(bytes: &[u8]) -> Option<[u8; 16]> {
    bytes.strip_prefix(&[UUID])?.try_into().ok()
}

/// Returns the bytes that the sort key of every text that starts with `prefix` starts with.
pub(crate) fn text_prefix(prefix: &str) -> Vec<u8> {
    let mut bytes = vec![TEXT];
    escape(&mut bytes, prefix.as_bytes());
    bytes
}

/// How many bytes the text has whose encoding these bytes start with.
pub(super) fn text_len(bytes: &[u8]) -> Option<usize> {
    let body = bytes.strip_prefix(&[TEXT])?;
    // A NUL inside is followed by a greater byte.
    let end = body.windows(2).position(|pair| pair == TEXT_END)?;
    Some(1 + end + TEXT_END.len())
}

/// The text that `bytes` are the encoding of.
pub(crate) fn text_of(bytes: &[u8]) -> Option<String> {
    let body = bytes.strip_prefix(&[TEXT])?.strip_suffix(&TEXT_END)?;
    let mut text = Vec::with_capacity(body.len());
    let mut rest = body.iter();
    while let Some(byte) = rest.next() {
        text.push(*byte);
        if *byte == 0 {
            rest.next();
        }
    }
    String::from_utf8(text).ok()
}

fn escape(bytes: &mut Vec<u8>, text: &[u8]) {
    for part in text.split_inclusive(|byte| *byte == 0) {
        match part.split_last() {
            Some((0, before)) => {
                bytes.extend_from_slice(before);
                bytes.extend_from_slice(&ESCAPED_NUL);
            }
            _ => bytes.extend_from_slice(part),
        }
    }
}

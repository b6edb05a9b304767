//! What each byte means, and reading values back out of them.

use std::fmt;

use serde::ser::{self, Serialize};

use super::encoder::Encoder;

const UNENCODABLE: u8 = 0x00;
pub(crate) const NONE: u8 = 0x01;
pub(crate) const SOME: u8 = 0x02;
pub(super) const FALSE: u8 = 0x08;
pub(super) const TRUE: u8 = 0x09;
pub(super) const ZERO: u8 = 0x30;
pub(super) const FLOAT: u8 = 0x48;
pub(crate) const TEXT: u8 = 0x50;
pub(super) const BYTES: u8 = 0x51;
pub(super) const SEQUENCE: u8 = 0x60;
pub(super) const MAP: u8 = 0x61;
pub(super) const END: u8 = 0x00;
/// Ends a text; a NUL inside one is followed by a greater byte.
pub(super) const TEXT_END: [u8; 2] = [0x00, 0x01];
const ESCAPED_NUL: [u8; 2] = [0x00, 0xFF];

/// Why a value has no place in the order: it is a NaN, or does not serialize.
#[derive(Debug)]
pub(crate) struct NoOrder;

impl fmt::Display for NoOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value has no place in an order")
    }
}

impl std::error::Error for NoOrder {}

impl ser::Error for NoOrder {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Adds a value to `bytes`; after an error it holds a part of it.
pub(crate) fn encode<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) -> Result<(), NoOrder> {
    value.serialize(Encoder::new(bytes))
}

/// Adds a stored value to `bytes`, whatever it is.
pub(crate) fn encode_stored<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) {
    let start = bytes.len();
    if encode(bytes, value).is_err() {
        bytes.truncate(start);
        bytes.push(UNENCODABLE);
    }
}

/// Adds bytes, so that those which start others come before them.
pub(crate) fn encode_bytes(bytes: &mut Vec<u8>, value: &[u8]) {
    Encoder::new(bytes).text(BYTES, value);
}

/// The integer that `bytes` are the encoding of.
pub(crate) fn integer_of(bytes: &[u8]) -> Option<i128> {
    let (tag, digits) = bytes.split_first()?;
    let mut magnitude: u128 = 0;
    let is_negative = *tag < ZERO;
    if digits.len() != usize::from(tag.abs_diff(ZERO)) || digits.len() > 16 {
        return None;
    }
    for digit in digits {
        let digit = if is_negative { !*digit } else { *digit };
        magnitude = magnitude << 8 | u128::from(digit);
    }
    let value = i128::try_from(magnitude).ok()?;
    Some(if is_negative { -value } else { value })
}

/// What every text that starts with `prefix` starts with.
pub(crate) fn text_prefix(prefix: &str) -> Vec<u8> {
    let mut bytes = vec![TEXT];
    escape(&mut bytes, prefix.as_bytes());
    bytes
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

pub(super) fn escape(bytes: &mut Vec<u8>, text: &[u8]) {
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

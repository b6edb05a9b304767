//! Values of a document's table with a checksum before them: eight bytes of XXH3, little-endian, of the
//! value and of the key that it stands under.

use twox_hash::XxHash3_64;

use super::failure::{Failure, Try, corrupt};

fn checksum(key: &[u8], value: &[u8]) -> u64 {
    XxHash3_64::oneshot(value) ^ XxHash3_64::oneshot(key).rotate_left(29)
}

/// Returns a value with its checksum.
pub(super) fn seal(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + value.len());
    bytes.extend(checksum(key, value).to_le_bytes());
    bytes.extend(value);
    bytes
}

/// Returns the value of sealed bytes.
pub(super) fn unseal<'b>(key: &[u8], bytes: &'b [u8]) -> Try<&'b [u8]> {
    let value = bytes
        .split_first_chunk::<8>()
        .filter(|(sum, value)| u64::from_le_bytes(**sum) == checksum(key, value));
    value.map(|(_, value)| value).ok_or_else(|| {
        Failure(corrupt(format!(
            "what the file says of a document is damaged (`{}`)",
            name_of(key)
        )))
    })
}

/// Returns the bytes of a key in a form for people.
fn name_of(key: &[u8]) -> String {
    key.iter()
        .take(24)
        .map(|byte| match byte {
            0x21..=0x7e => char::from(*byte).to_string(),
            other => format!("\\x{other:02x}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flipped_bit_a_cut_and_another_key_are_noticed() {
        let bytes = seal(b"key", b"some value");
        assert_eq!(unseal(b"key", &bytes).ok().unwrap(), b"some value");
        assert!(unseal(b"kez", &bytes).is_err());
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(unseal(b"key", &flipped).is_err(), "bit {bit} flipped unnoticed");
        }
        for len in 0..bytes.len() {
            assert!(unseal(b"key", &bytes[..len]).is_err(), "cut at {len} unnoticed");
        }
    }
}

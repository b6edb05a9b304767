//! Changes as no heirloom makes them: a right frame around any update.

use heirloom::sync::Changes;
use twox_hash::XxHash3_64;

const HEADER_LEN: usize = 13;

/// The bytes of changes that hold `update`, framed as the sync format says.
pub fn framed(store: &str, document: &str, update: &[u8]) -> Vec<u8> {
    framed_all(store, document, &[update])
}

/// The bytes of changes that hold several updates of one document.
pub fn framed_all(store: &str, document: &str, updates: &[&[u8]]) -> Vec<u8> {
    let mut parts = Vec::new();
    text(&mut parts, store.as_bytes());
    parts.extend((updates.len() as u64).to_le_bytes());
    for update in updates {
        text(&mut parts, document.as_bytes());
        parts.extend((update.len() as u64).to_le_bytes());
        text(&mut parts, &lz4_literals(update));
    }
    sealed(b"HLch", &parts)
}

/// Parts under a tag, with the checksum that belongs to them.
pub fn sealed(tag: &[u8; 4], parts: &[u8]) -> Vec<u8> {
    let mut bytes = tag.to_vec();
    bytes.push(1);
    bytes.extend(XxHash3_64::oneshot(parts).to_le_bytes());
    bytes.extend(parts);
    bytes
}

/// The same parts with one bit flipped, and a checksum that says it is right so.
pub fn flipped_inside(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut parts = bytes[HEADER_LEN..].to_vec();
    parts[bit / 8] ^= 1 << (bit % 8);
    let tag = bytes[..4].try_into().unwrap();
    sealed(tag, &parts)
}

pub fn parts_len(bytes: &[u8]) -> usize {
    bytes.len() - HEADER_LEN
}

/// Changes of the notebook that hold `update`.
pub fn changes(update: &[u8]) -> Changes {
    Changes::from_bytes(&framed("notebook", "0", update)).unwrap()
}

fn text(parts: &mut Vec<u8>, text: &[u8]) {
    parts.extend((text.len() as u64).to_le_bytes());
    parts.extend(text);
}

/// An LZ4 block that repeats nothing.
fn lz4_literals(bytes: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    if bytes.len() < 15 {
        block.push((bytes.len() as u8) << 4);
    } else {
        block.push(15 << 4);
        let mut rest = bytes.len() - 15;
        while rest >= 255 {
            block.push(255);
            rest -= 255;
        }
        block.push(rest as u8);
    }
    block.extend(bytes);
    block
}

//! Changes as no heirloom makes them: a right frame around any update.

use heirloom::sync::Changes;
use twox_hash::XxHash3_64;

const HEADER_LEN: usize = 13;

/// An update, piece by piece, as no encoder writes it.
#[derive(Debug, Clone, Default)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    pub fn number(mut self, mut number: u64) -> Self {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
        self
    }

    pub fn text(self, text: &str) -> Self {
        self.number(text.len() as u64).raw(text.as_bytes())
    }

    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }
}

/// The bytes of changes that hold `update`, framed as the sync format says.
pub fn framed(store: &str, document: &str, update: &[u8]) -> Vec<u8> {
    framed_all(store, document, &[update])
}

/// The bytes of changes that hold several updates of one document.
pub fn framed_all(store: &str, document: &str, updates: &[&[u8]]) -> Vec<u8> {
    let documents = updates.iter().map(|update| (document.to_owned(), *update));
    framed_documents(store, &documents.collect::<Vec<_>>())
}

/// The bytes of changes that hold updates, each of a document.
pub fn framed_documents(store: &str, updates: &[(String, &[u8])]) -> Vec<u8> {
    let mut parts = Vec::new();
    text(&mut parts, store.as_bytes());
    varint(&mut parts, updates.len() as u64);
    for (document, update) in updates {
        text(&mut parts, document.as_bytes());
        varint(&mut parts, update.len() as u64);
        text(&mut parts, &lz4_literals(update));
    }
    sealed(b"HLch", &parts)
}

/// The parts of a frame, one after the other.
struct Parts<'b>(&'b [u8]);

impl<'b> Parts<'b> {
    fn number(&mut self) -> u64 {
        let len = 1 + self.0.iter().take_while(|byte| **byte >= 0x80).count();
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes.iter().rev().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f))
    }

    fn bytes(&mut self) -> &'b [u8] {
        let len = usize::try_from(self.number()).unwrap();
        let (bytes, rest) = self.0.split_at(len);
        self.0 = rest;
        bytes
    }
}

/// The updates of one document among the bytes of changes.
pub fn updates_of(bytes: &[u8], document: &str) -> Vec<Vec<u8>> {
    let of_it = all_updates(bytes).into_iter().filter(|(name, _)| name == document);
    of_it.map(|(_, update)| update).collect()
}

/// The updates among the bytes of changes, each with the name of its document.
pub fn all_updates(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut parts = Parts(&bytes[HEADER_LEN..]);
    parts.bytes();
    let mut updates = Vec::new();
    for _ in 0..parts.number() {
        let (name, len) = (parts.bytes(), usize::try_from(parts.number()).unwrap());
        let update = match parts.bytes() {
            plain if plain.len() == len => plain.to_vec(),
            block => lz4_flex::block::decompress(block, len).unwrap(),
        };
        updates.push((String::from_utf8(name.to_vec()).unwrap(), update));
    }
    updates
}

/// The same changes without those of one document.
pub fn without(bytes: &[u8], document: &str) -> Vec<u8> {
    let mut parts = Parts(&bytes[HEADER_LEN..]);
    let store = parts.bytes();
    let (mut kept, mut documents) = (0, Vec::<u8>::new());
    for _ in 0..parts.number() {
        let start = parts.0;
        let name = parts.bytes();
        parts.number();
        parts.bytes();
        if name != document.as_bytes() {
            kept += 1;
            documents.extend(&start[..start.len() - parts.0.len()]);
        }
    }
    let mut all = Vec::new();
    text(&mut all, store);
    varint(&mut all, kept);
    all.extend(documents);
    sealed(b"HLch", &all)
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
    varint(parts, text.len() as u64);
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

/// A Yjs update in which one client writes values into a root map: one item each, counting up from
/// `clock`.
pub fn update(client: u64, clock: u64, root: &str, values: &[(&str, Value<'_>)]) -> Vec<u8> {
    let mut update = Vec::new();
    let numbers = [1, values.len() as u64, client, clock];
    numbers.into_iter().for_each(|number| varint(&mut update, number));
    for (key, value) in values {
        // Any content, with the root as its parent and a key.
        update.extend([0x28, 1]);
        short_text(&mut update, root);
        short_text(&mut update, key);
        update.push(1);
        match value {
            Value::Text(text) => {
                update.push(119);
                short_text(&mut update, text);
            }
            Value::Null => update.push(126),
        }
    }
    // And no deletions.
    update.push(0);
    update
}

/// The value that a forged update writes.
pub enum Value<'a> {
    Text(&'a str),
    Null,
}

fn short_text(bytes: &mut Vec<u8>, text: &str) {
    varint(bytes, text.len() as u64);
    bytes.extend(text.as_bytes());
}

fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

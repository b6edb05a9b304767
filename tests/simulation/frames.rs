//! Which documents a message is about.

const HEADER_LEN: usize = 13;

/// The names of the documents that framed changes hold updates of.
pub fn documents_in(bytes: &[u8]) -> Vec<String> {
    fn number(bytes: &[u8]) -> u64 {
        u64::from_le_bytes(bytes[..8].try_into().unwrap())
    }
    fn text<'b>(rest: &mut &'b [u8]) -> &'b [u8] {
        let (text, after) = rest[8..].split_at(number(rest) as usize);
        *rest = after;
        text
    }
    let mut rest = &bytes[HEADER_LEN..];
    text(&mut rest);
    let count = number(rest);
    rest = &rest[8..];
    let mut names = Vec::new();
    for _ in 0..count {
        names.push(String::from_utf8_lossy(text(&mut rest)).into_owned());
        // The length that the update has when it is not compressed.
        rest = &rest[8..];
        text(&mut rest);
    }
    names
}

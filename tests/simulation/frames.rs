//! Which documents a message is about.

const HEADER_LEN: usize = 13;

/// The names of the documents that framed changes hold updates of.
pub fn documents_in(bytes: &[u8]) -> Vec<String> {
    fn number(rest: &mut &[u8]) -> usize {
        let (mut number, mut shift) = (0, 0);
        loop {
            let (byte, after) = rest.split_first().unwrap();
            *rest = after;
            number |= usize::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return number;
            }
            shift += 7;
        }
    }
    fn text<'b>(rest: &mut &'b [u8]) -> &'b [u8] {
        let len = number(rest);
        let (text, after) = rest.split_at(len);
        *rest = after;
        text
    }
    let mut rest = &bytes[HEADER_LEN..];
    text(&mut rest);
    let count = number(&mut rest);
    let mut names = Vec::new();
    for _ in 0..count {
        names.push(String::from_utf8_lossy(text(&mut rest)).into_owned());
        // The length that the update has when it is not compressed.
        number(&mut rest);
        text(&mut rest);
    }
    names
}

//! JSON text taken apart, every part left as the text it is.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// The kind of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    Text,
    Array,
    Object,
}

/// One value of a text. The names of an object's members are parts as well, each before its value.
#[derive(Debug)]
struct Part {
    kind: Kind,
    start: usize,
    end: usize,
    /// The part that follows all that is inside this one.
    next: usize,
}

/// A JSON text and where its parts are.
///
/// It is read without recursion, so that no nesting exhausts the stack, and without making values
/// of it, so that what is not changed is written back to the letter: numbers beyond 64 bits, and
/// members whose names mean something to serde_json.
#[derive(Debug)]
pub(crate) struct Json<'a> {
    text: &'a str,
    parts: Vec<Part>,
    depth: usize,
}

/// One value of a [`Json`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonValue<'j> {
    text: &'j str,
    parts: &'j [Part],
    index: usize,
}

impl<'a> Json<'a> {
    /// Takes a text apart; `None` if it is not one JSON value.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        split(text)
    }

    /// How deep arrays and objects are nested.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The whole value.
    pub(crate) fn root(&self) -> JsonValue<'_> {
        JsonValue { text: self.text, parts: &self.parts, index: 0 }
    }
}

/// The parts of a text that is known to be JSON.
fn split(text: &str) -> Option<Json<'_>> {
    let bytes = text.as_bytes();
    let mut parts: Vec<Part> = Vec::with_capacity(text.len() / 8 + 1);
    let (mut open, mut depth, mut at) = (Vec::<usize>::new(), 0, 0);
    while let Some(&byte) = bytes.get(at) {
        let kind = match byte {
            b' ' | b'\n' | b'\r' | b'\t' | b',' | b':' => {
                at += 1;
                continue;
            }
            b']' | b'}' => {
                at += 1;
                let next = parts.len();
                let part = parts.get_mut(open.pop()?)?;
                (part.end, part.next) = (at, next);
                continue;
            }
            b'[' => Kind::Array,
            b'{' => Kind::Object,
            b'"' => Kind::Text,
            b't' | b'f' => Kind::Bool,
            b'n' => Kind::Null,
            _ => Kind::Number,
        };
        let end = match kind {
            Kind::Array | Kind::Object => {
                open.push(parts.len());
                depth = depth.max(open.len());
                at + 1
            }
            Kind::Text => end_of_text(bytes, at)?,
            _ => end_of_scalar(bytes, at),
        };
        parts.push(Part { kind, start: at, end, next: parts.len() + 1 });
        at = end;
    }
    (open.is_empty() && !parts.is_empty()).then_some(Json { text, parts, depth })
}

/// Shows the members of an object, of a text that is known to be JSON: the name, and the value as it is
/// written. `None` if the text is something else, or a name is not written as it is.
pub(crate) fn scan_members<'t>(text: &'t str, see: &mut dyn FnMut(&'t str, &'t str)) -> Option<()> {
    let bytes = text.as_bytes();
    let mut at = skip_blanks(bytes, 0);
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    at = skip_blanks(bytes, at + 1);
    while bytes.get(at) == Some(&b'"') {
        let end = end_of_text(bytes, at)?;
        let name = text.get(at + 1..end - 1).filter(|name| !name.contains('\\'))?;
        let start = skip_blanks(bytes, end);
        let end = end_of_value(bytes, start)?;
        see(name, text.get(start..end)?);
        at = skip_blanks(bytes, end);
    }
    (bytes.get(at) == Some(&b'}')).then_some(())
}

/// Goes past blanks and the signs between values.
fn skip_blanks(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',' | b':');
    start + rest.iter().take_while(|byte| is_blank(byte)).count()
}

fn end_of_value(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut depth) = (start, 0_usize);
    loop {
        match bytes.get(at)? {
            b'"' => at = end_of_text(bytes, at)?,
            b'[' | b'{' => {
                depth += 1;
                at += 1;
            }
            b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            b' ' | b'\n' | b'\r' | b'\t' | b',' | b':' => at += 1,
            _ => at = end_of_scalar(bytes, at),
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

fn end_of_text(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn end_of_scalar(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let ends = |byte: &u8| matches!(byte, b',' | b':' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
    rest.iter().position(ends).map_or(bytes.len(), |length| start + length.max(1))
}

impl<'j> JsonValue<'j> {
    fn part(&self) -> &'j Part {
        &self.parts[self.index]
    }

    fn at(&self, index: usize) -> Self {
        Self { index, ..*self }
    }

    /// Returns its kind.
    pub(crate) fn kind(&self) -> Kind {
        self.part().kind
    }

    /// It as it is written.
    pub(crate) fn text(&self) -> &'j str {
        let part = self.part();
        self.text.get(part.start..part.end).unwrap_or_default()
    }

    /// Returns its beginning in the whole text.
    pub(crate) fn start(&self) -> usize {
        self.part().start
    }

    /// Returns the text between the quotes, escapes left as they are; `None` if it is not a string.
    pub(crate) fn quoted(&self) -> Option<&'j str> {
        self.text().strip_prefix('"')?.strip_suffix('"')
    }

    /// The parts directly inside it.
    fn inside(self) -> impl Iterator<Item = Self> {
        let (end, mut next) = (self.part().next, self.index + 1);
        std::iter::from_fn(move || {
            let part = self.at((next < end).then_some(next)?);
            next = part.part().next;
            Some(part)
        })
    }

    /// The elements of an array; of another value none.
    pub(crate) fn elements(self) -> impl Iterator<Item = Self> {
        let is_array = self.kind() == Kind::Array;
        self.inside().filter(move |_| is_array)
    }

    /// The members of an object; of another value none.
    pub(crate) fn members(self) -> impl Iterator<Item = Member<'j>> {
        let is_object = self.kind() == Kind::Object;
        let mut inside = self.inside();
        std::iter::from_fn(move || {
            let name = inside.next().filter(|_| is_object)?;
            Some(Member { name, value: inside.next()? })
        })
    }

    /// The member of a name.
    pub(crate) fn member(self, name: &str) -> Option<Self> {
        self.members().find(|member| member.name() == name).map(|member| member.value)
    }
}

/// A member of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<'j> {
    name: JsonValue<'j>,
    /// Its value.
    pub(crate) value: JsonValue<'j>,
}

impl<'j> Member<'j> {
    /// Its name.
    pub(crate) fn name(&self) -> Cow<'j, str> {
        let quoted = self.name.quoted().unwrap_or_default();
        if !quoted.contains('\\') {
            return Cow::Borrowed(quoted);
        }
        // Code cannot have half a surrogate pair as a name: the text stands for it.
        let name = serde_json::from_str(self.name.text());
        name.map_or(Cow::Borrowed(self.name.text()), Cow::Owned)
    }

    /// Its name as it is written, quotes and all.
    pub(crate) fn written_name(&self) -> &'j str {
        self.name.text()
    }

    /// Returns its beginning in the whole text.
    pub(crate) fn start(&self) -> usize {
        self.name.start()
    }

    /// Returns its end in the whole text.
    pub(crate) fn end(&self) -> usize {
        self.value.part().end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_and_elements_are_the_text_they_were() {
        let text = r#" { "a" : [1, "]\"" ,{}] , "b\u0063":-1.5e400,"d":{"e":null}, "f":[] } "#;
        let json = Json::parse(text).expect("it is JSON");
        let members: Vec<_> =
            json.root().members().map(|m| (m.name().into_owned(), m.value.text())).collect();
        let expected =
            [("a", r#"[1, "]\"" ,{}]"#), ("bc", "-1.5e400"), ("d", r#"{"e":null}"#), ("f", "[]")];
        assert_eq!(members, expected.map(|(name, value)| (name.to_owned(), value)));
        let list = json.root().member("a").expect("there is one");
        assert_eq!(list.elements().map(|e| e.text()).collect::<Vec<_>>(), ["1", r#""]\"""#, "{}"]);
        assert_eq!((list.members().count(), json.root().elements().count()), (0, 0));
        assert_eq!(json.depth(), 3);
    }

    #[test]
    fn members_are_scanned_as_they_are_taken_apart() {
        let texts = [
            r#" { "a" : [1, "]\"" ,{}] , "bc":-1.5e400,"d":{"e":null,"f":[{}]}, "g":"\\", "h":[] } "#,
            "{}",
            "{\"a\":1}",
        ];
        for text in texts {
            let json = Json::parse(text).expect("it is JSON");
            let members = json.root().members();
            let parsed: Vec<_> =
                members.map(|m| (m.name().into_owned(), m.value.text().to_owned())).collect();
            let mut scanned = Vec::new();
            let mut see =
                |name: &str, value: &str| scanned.push((name.to_owned(), value.to_owned()));
            scan_members(text, &mut see).expect("it is an object");
            assert_eq!(scanned, parsed);
        }
        assert_eq!(scan_members("[1]", &mut |_, _| {}), None);
        assert_eq!(scan_members(r#"{"b\u0063":1}"#, &mut |_, _| {}), None);
    }

    #[test]
    fn what_is_not_json_is_not_taken_apart() {
        for text in ["", "{", "[1,]", "{}x", "{\"a\"}", "nul", "\"a", "\"\\\"", "01", "'a'"] {
            assert!(Json::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn no_nesting_exhausts_the_stack() {
        let text = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Json::parse(&text).map(|json| json.depth()), Some(100_000));
    }

    proptest! {
        #[test]
        fn no_text_at_all_is_a_panic(text in r#"[\[\]{},:"\\a0 \-.e]{0,24}"#) {
            let _ = scan_members(&text, &mut |_, _| {});
            if let Some(json) = split(&text) {
                let mut open = vec![json.root()];
                while let Some(value) = open.pop() {
                    let _ = value.text();
                    open.extend(value.elements());
                    open.extend(value.members().map(|member| member.value));
                }
            }
        }
    }
}

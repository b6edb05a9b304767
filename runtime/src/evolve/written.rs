//! The one way in which a value becomes stored text: patched onto what is stored already, and read
//! back before it is stored.
//!
//! The stored value must be the given one. So the text is decoded and encoded again, and has to
//! give the same canonical form, with the same kinds of null in it (`None`, `()` and `Some(())` are
//! all `null` in JSON). Of an untagged enum two variants can have the same form: there the values
//! are compared, if their type has an equality. Every value is checked: the effect of a `Serialize`
//! or `Deserialize` written by hand cannot be known otherwise.

use super::decode_text;
use super::explain::{Invalid, snippet};
use crate::row::{
    EncodeError, Encoded, Known, Object, Patch, Record, USUAL_BYTES, encode_sized, overwrite,
    without,
};
use crate::schema::descriptor::FieldDef;

/// Of how many stored members it is found out at most whether they are read under another name.
const MAX_ASKED: usize = 32;

/// How values of a type are written and read.
pub(crate) struct Form<'f, T> {
    /// Gives the canonical form, in room for so many bytes if they are enough.
    pub(crate) encode: &'f dyn Fn(&T, usize) -> Result<Encoded, EncodeError>,
    pub(crate) decode: &'f dyn Fn(&str) -> Result<T, Invalid>,
    /// Whether two values are equal, if the type has an equality.
    pub(crate) is_same: &'f dyn Fn(&T, &T) -> Option<bool>,
    pub(crate) known: Known<'f>,
    /// The fields of a record; none of another value.
    pub(crate) fields: &'f [FieldDef],
}

impl<R: Record> Form<'static, R> {
    /// The form of a record.
    pub(crate) fn of_record() -> Self {
        Self {
            encode: &encode_sized::<R>,
            decode: &decode_text::<R>,
            is_same: &R::is_same,
            known: R::shape().whole(),
            fields: R::FIELDS,
        }
    }
}

impl<T> Form<'_, T> {
    /// The text of a value that takes no other's place.
    pub(crate) fn new_text(&self, value: &T) -> Result<String, Invalid> {
        let wanted = self.wanted(value)?;
        // The same text, without room to spare.
        Ok(self.check(&wanted.json, &wanted, value)?.json)
    }

    /// The text of a value in place of a stored one, with what this code does not know of that;
    /// `None` if it is the same already.
    pub(crate) fn text_over(&self, stored: &str, value: &T) -> Result<Option<String>, Invalid> {
        let read =
            |text: &str, bytes, compares: bool| self.read(text, bytes, compares.then_some(value));
        let before = read(stored, stored.len(), false).ok().map(|read| read.again);
        self.given(&read).changed_text(stored, before.as_ref(), &self.wanted(value)?)
    }

    /// [`text_over`](Self::text_over), if it is known how this code reads the stored text.
    pub(crate) fn changed_text(
        &self,
        stored: &str,
        before: Option<&Encoded>,
        value: &T,
    ) -> Result<Option<String>, Invalid> {
        let read =
            |text: &str, bytes, compares: bool| self.read(text, bytes, compares.then_some(value));
        self.given(&read).changed_text(stored, before, &self.wanted(value)?)
    }

    /// Finds out whether a text reads as what is wanted; returns how it reads.
    pub(crate) fn check(
        &self,
        text: &str,
        wanted: &Encoded,
        value: &T,
    ) -> Result<Encoded, Invalid> {
        let read =
            |text: &str, bytes, compares: bool| self.read(text, bytes, compares.then_some(value));
        self.given(&read).check(text, wanted)
    }

    /// [`check`](Self::check) of a value that is not ambiguous.
    pub(crate) fn check_unambiguous(&self, text: &str, wanted: &Encoded) -> Result<(), Invalid> {
        let read = |text: &str, bytes, _| self.read(text, bytes, None);
        self.given(&read).read_back(text, wanted, false).map(drop)
    }

    fn wanted(&self, value: &T) -> Result<Encoded, Invalid> {
        (self.encode)(value, USUAL_BYTES).map_err(Invalid::unencodable)
    }

    fn read(&self, text: &str, bytes: usize, value: Option<&T>) -> Result<ReadBack, Invalid> {
        let read = (self.decode)(text).map_err(Invalid::unreadable)?;
        let again = (self.encode)(&read, bytes).map_err(Invalid::unencodable)?;
        Ok(ReadBack { again, is_same: value.and_then(|value| (self.is_same)(value, &read)) })
    }

    fn given<'g>(&'g self, read: &'g Read<'g>) -> Given<'g> {
        Given { read, known: &self.known, fields: self.fields }
    }
}

/// How a text reads.
struct ReadBack {
    /// Encoded again.
    again: Encoded,
    /// Whether it equals a value, if that was asked for, and the type has an equality.
    is_same: Option<bool>,
}

/// Reads a text, which is encoded again in room for so many bytes, and compared with the value if so wanted.
type Read<'r> = dyn Fn(&str, usize, bool) -> Result<ReadBack, Invalid> + 'r;

/// A value that is to be stored, and what is known of its type: code that is generic over types is
/// compiled again for each of them, and this is not.
struct Given<'g> {
    read: &'g Read<'g>,
    known: &'g Known<'g>,
    fields: &'g [FieldDef],
}

impl Given<'_> {
    fn changed_text(
        &self,
        stored: &str,
        before: Option<&Encoded>,
        wanted: &Encoded,
    ) -> Result<Option<String>, Invalid> {
        let is_read = |text: &str| self.check(text, wanted).is_ok();
        if let Some(before) = before {
            // Two variants of an untagged enum may have one form.
            if before == wanted && (!self.known.is_ambiguous() || is_read(stored)) {
                return Ok(None);
            }
            // If nothing else is stored, there is nothing to keep.
            if before.json != stored {
                let patched = self.patched(stored, before, wanted, &is_read);
                if patched.is_some() {
                    return Ok(patched);
                }
            }
        }
        let is_known = before.is_some_and(|before| before.json == stored);
        if !self.fields.is_empty() && !is_known {
            let merged = overwrite(stored, &wanted.json, self.fields);
            if is_read(&merged) {
                return Ok(Some(merged));
            }
        }
        Ok(Some(self.check(&wanted.json, wanted)?.json))
    }

    /// The stored text with the difference applied, as deep as it reads as what is wanted.
    fn patched(
        &self,
        stored: &str,
        before: &Encoded,
        wanted: &Encoded,
        is_read: &dyn Fn(&str) -> bool,
    ) -> Option<String> {
        let mut patch = Patch::new(self.known, self.fields);
        let first = patch.apply(stored, &before.json, &wanted.json)?;
        if is_read(&first.text) {
            return Some(first.text);
        }
        // A member that was taken for unknown may be read under another name: an alias that only
        // serde knows. It gives way to the member that has the name of today.
        let is_alias = |member: &&std::ops::Range<usize>| {
            let read = without(stored, member)
                .and_then(|text| (self.read)(&text, stored.len(), false).ok());
            read.as_ref().map(|read| &read.again) != Some(before)
        };
        let aliases = first.kept.iter().take(MAX_ASKED).filter(is_alias);
        let aliases: Vec<usize> = aliases.map(|member| member.start).collect();
        patch.dropped = &aliases;
        let second = patch.apply(stored, &before.json, &wanted.json)?.text;
        if is_read(&second) {
            return Some(second);
        }
        patch.depth = usize::from(!self.fields.is_empty());
        let coarse = patch.apply(stored, &before.json, &wanted.json)?.text;
        is_read(&coarse).then_some(coarse)
    }

    fn check(&self, text: &str, wanted: &Encoded) -> Result<Encoded, Invalid> {
        let ReadBack { again, is_same } =
            self.read_back(text, wanted, self.known.is_ambiguous())?;
        if is_same == Some(false) {
            let reason = "it does not read back as what was given: another variant of an untagged \
                          enum has the same form, and comes first";
            let field = self.known.ambiguous_member();
            return Err(self.differing(&wanted.json, &again.json, field, reason));
        }
        Ok(again)
    }

    /// Returns a text as it reads, which must be what is wanted.
    fn read_back(&self, text: &str, wanted: &Encoded, compares: bool) -> Result<ReadBack, Invalid> {
        let read = (self.read)(text, wanted.json.len(), compares)?;
        let again = &read.again;
        if again.json != wanted.json {
            let reason = "it does not read back as what was given";
            return Err(self.differing(&wanted.json, &again.json, None, reason));
        }
        if let Some(field) = wanted.other_null(again) {
            let reason = "it does not read back as what was given: `Some(())`, `Some(Null)` and the \
                          like are stored as `null`, which reads as `None`";
            return Err(self.differing(&wanted.json, &again.json, Some(field), reason));
        }
        Ok(read)
    }

    /// Says in which field two texts differ.
    fn differing(&self, given: &str, read: &str, field: Option<&str>, reason: &str) -> Invalid {
        let (given_members, read_members) = (Object::parse(given), Object::parse(read));
        let members = given_members.zip(read_members).filter(|_| !self.fields.is_empty());
        let Some((given, read)) = members else {
            return Invalid::differing(None, given, read, reason);
        };
        let mut names = self.fields.iter().map(|field| field.name);
        let name = field.or_else(|| names.find(|name| given.get(name) != read.get(name)));
        let of = |object: &Object<'_>| {
            let value = name.and_then(|name| object.get(name).map(str::to_owned));
            value.unwrap_or_else(|| "nothing".to_owned())
        };
        Invalid::differing(name, &of(&given), &of(&read), reason)
    }
}

impl Invalid {
    /// A value that serde does not write.
    pub(crate) fn unencodable(error: EncodeError) -> Self {
        Self {
            field: error.field.map(str::to_owned),
            expected: None,
            found: None,
            reason: error.message,
        }
    }

    fn unreadable(self) -> Self {
        Self { reason: format!("it cannot be read back: {}", self.reason), ..self }
    }

    fn differing(field: Option<&str>, given: &str, read: &str, reason: &str) -> Self {
        Self {
            field: field.filter(|field| !field.is_empty()).map(str::to_owned),
            // If they differ in what JSON does not tell, one of the two says all.
            expected: (given != read).then(|| snippet(given)),
            found: Some(snippet(read)),
            reason: reason.to_owned(),
        }
    }
}

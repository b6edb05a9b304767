//! Missing fields filled with their defaults, in declaration order, as JSON.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::decode::decode_text;
use super::explain::Invalid;
use super::stable::stable_default;
use crate::row::{Above, DefaultError, EncodeError, Encoded, Object, Record, Shape, encode};
use crate::schema::descriptor::{DefaultKind, FieldDef};
use crate::schema::step::Failure;

/// The fields of a record and their defaults, without its type: code that is generic over records is
/// compiled again for each of them, so that it only fetches this.
#[derive(Clone, Copy)]
pub(crate) struct Defaults {
    fields: &'static [FieldDef],
    default_of: fn(usize, &Above<'_>) -> Result<String, DefaultError>,
    shape: fn() -> &'static Shape,
}

/// The JSON text under a stored name.
pub(crate) type Stored<'s> = dyn Fn(&str) -> Option<String> + 's;

impl Defaults {
    pub(crate) const fn of<R: Record>() -> Self {
        Self { fields: R::FIELDS, default_of: R::default_of, shape: R::shape }
    }

    pub(super) fn fields(&self) -> &'static [FieldDef] {
        self.fields
    }

    /// The answer of the record for one field.
    fn ask(
        &self,
        index: usize,
        read: &dyn Fn(&str) -> Result<Option<String>, DefaultError>,
    ) -> Result<String, DefaultError> {
        let known = (self.shape)().field(self.fields[index].name);
        (self.default_of)(index, &Above::new(known, read))
    }

    /// The JSON text of a default that reads no other field.
    pub(super) fn constant(&self, index: usize) -> Result<String, DefaultError> {
        let default = || self.ask(index, &|_| Ok(None));
        match self.fields[index].default {
            DefaultKind::Serde => stable_default(default),
            _ => default(),
        }
    }

    /// The JSON text of the default of a field that reads no field above it; nothing if it has none
    /// that is sure.
    pub(crate) fn alone(&self, index: usize) -> Option<String> {
        let nothing = |_: &str| Err(DefaultError::new("no field above it is known"));
        // It is user code, which is run here without being asked for.
        catch_unwind(AssertUnwindSafe(|| self.ask(index, &nothing).ok())).ok().flatten()
    }

    /// The fields that a stored object lacks and that have a default of ours, with its JSON.
    fn missing(&self, stored: &Stored<'_>) -> Result<Vec<(usize, String)>, (usize, DefaultError)> {
        let mut filled = Vec::new();
        for (index, field) in self.fields.iter().enumerate() {
            if field.default.is_evolve() && self.stored_field(stored, index).is_none() {
                let default = self.after(stored, &filled, index);
                filled.push((index, default.map_err(|error| (index, error))?));
            }
        }
        Ok(filled)
    }

    /// The JSON text of the default of one field, computed from what is stored and from the defaults
    /// above it.
    pub(crate) fn of_field(
        &self,
        stored: &Stored<'_>,
        index: usize,
    ) -> Result<String, DefaultError> {
        let mut filled = Vec::new();
        if matches!(self.fields[index].default, DefaultKind::Computed(_)) {
            for above in 0..index {
                // A default above that fails matters only to a default that reads it, which then
                // reports it.
                if self.fields[above].default.is_evolve()
                    && self.stored_field(stored, above).is_none()
                    && let Ok(json) = self.after(stored, &filled, above)
                {
                    filled.push((above, json));
                }
            }
        }
        self.after(stored, &filled, index)
    }

    fn after(
        &self,
        stored: &Stored<'_>,
        filled: &[(usize, String)],
        index: usize,
    ) -> Result<String, DefaultError> {
        if self.fields[index].default == DefaultKind::Serde {
            return self.constant(index);
        }
        self.ask(index, &|name| self.read_above(stored, filled, name))
    }

    fn stored_field(&self, stored: &Stored<'_>, index: usize) -> Option<String> {
        let field = &self.fields[index];
        stored(field.name).or_else(|| field.aliases.iter().find_map(|alias| stored(alias)))
    }

    fn read_above(
        &self,
        stored: &Stored<'_>,
        filled: &[(usize, String)],
        name: &str,
    ) -> Result<Option<String>, DefaultError> {
        let Some(index) = self.fields.iter().position(|field| field.name == name) else {
            return Err(DefaultError::new(format_args!("there is no field `{name}` above")));
        };
        if let Some(json) = self.stored_field(stored, index) {
            return Ok(Some(json));
        }
        if let Some((_, json)) = filled.iter().find(|(filled, _)| *filled == index) {
            return Ok(Some(json.clone()));
        }
        match self.fields[index].default {
            DefaultKind::Optional => Ok(None),
            DefaultKind::Serde => self.constant(index).map(Some),
            _ => Err(DefaultError::new(format_args!("the field `{name}` above it is missing"))),
        }
    }

    /// The stored object with its missing fields added.
    pub(super) fn fill(&self, json: &str) -> Result<String, Invalid> {
        let Some(object) = Object::parse(json) else {
            return Err(Invalid::whole(json, "it is not a JSON object"));
        };
        let stored = |name: &str| object.get(name).map(str::to_owned);
        let filled = self
            .missing(&stored)
            .map_err(|(index, error)| Invalid::no_default(&self.fields[index], &error))?;

        let body = json.trim_end();
        let body = body.strip_suffix('}').unwrap_or(body);
        let mut whole = String::with_capacity(json.len() + 32 * filled.len());
        whole.push_str(body);
        let mut separator = if object.iter().next().is_some() { "," } else { "" };
        for (index, json) in filled {
            // Stored names are written by serde as JSON strings, escapes and all.
            let name = serde_json::Value::from(self.fields[index].name);
            // Writing to a string cannot fail.
            let _ = write!(whole, "{separator}{name}:{json}");
            separator = ",";
        }
        whole.push('}');
        Ok(whole)
    }

    /// The same, if there are any.
    fn fill_shorter(&self, json: &str) -> Result<Option<String>, Failure> {
        let filled = self.fill(json).map_err(Invalid::into_failure)?;
        Ok((filled.len() > json.trim_end().len()).then_some(filled))
    }

    /// Refuses a default that reads as something else once it is stored.
    fn refuse_other(&self, wanted: &Encoded, read: &Encoded) -> Result<(), Failure> {
        let mut defaults = self.fields.iter().filter(|field| field.default.is_evolve());
        match defaults.find(|field| !wanted.is_same_in(field.name, read)) {
            Some(field) => Err(Failure {
                field: Some(field.name.to_owned()),
                expected: None,
                found: None,
                reason: "its default does not read back as what it is".to_owned(),
            }),
            None => Ok(()),
        }
    }
}

/// The stored object with its missing defaults written out; `None` if it lacks none, or does not
/// decode.
///
/// The filled fields must read as they did without being stored.
pub(crate) fn fill_defaults<R: Record>(json: &str) -> Result<Option<String>, Failure> {
    let Ok(row) = decode_text::<R>(json) else { return Ok(None) };
    let defaults = Defaults::of::<R>();
    let Some(filled) = defaults.fill_shorter(json)? else { return Ok(None) };
    let wanted = encode(&row).map_err(unencodable)?;
    let read = decode_text::<R>(&filled).map_err(Invalid::into_failure)?;
    defaults.refuse_other(&wanted, &encode(&read).map_err(unencodable)?)?;
    Ok(Some(filled))
}

fn unencodable(error: EncodeError) -> Failure {
    Invalid::unencodable(error).into_failure()
}

//! A record taken apart, so that the one of the next epoch can be made from its fields.

use super::{Above, ConvertError, DefaultError, Record};

/// A record whose fields can be taken one by one. Implemented by the derives.
pub trait Apart {
    /// Its fields, as long as they have not been taken.
    type Parts: Parts;

    /// Takes it apart.
    fn apart(self) -> Self::Parts;
}

/// The fields of a record, as long as they have not been taken.
pub trait Parts {}

/// The field of type `T` that stands at a place in its struct.
///
/// `T` is a parameter, since an associated type could not be private, as the types of private
/// fields may be.
pub trait Part<const PLACE: usize, T> {
    /// Takes it; `None` if it was taken before.
    fn part(&mut self) -> Option<T>;
}

/// The place of a field that a record does not have.
pub const NOWHERE: usize = usize::MAX;

/// The value of a field that a record does not have.
#[derive(Debug, Clone, Copy)]
pub struct Absent;

impl<P: Parts> Part<NOWHERE, Absent> for P {
    fn part(&mut self) -> Option<Absent> {
        Some(Absent)
    }
}

/// Takes the field at a place.
///
/// # Errors
///
/// If it was taken before, which generated code does not do.
pub fn take<const PLACE: usize, T, P: Part<PLACE, T>>(parts: &mut P) -> Result<T, ConvertError> {
    parts.part().ok_or_else(|| ConvertError::new("a field was taken twice"))
}

/// The JSON text of a field above a computed default; `None` if it is absent.
pub type FieldJson<'a> = &'a dyn Fn() -> Result<Option<String>, DefaultError>;

/// The JSON text of the computed default of field `index`, from the fields above it.
///
/// # Errors
///
/// As [`Record::default_of`].
pub fn computed_default<R: Record>(
    index: usize,
    above: &[(&str, FieldJson<'_>)],
) -> Result<String, ConvertError> {
    let read = |name: &str| match above.iter().find(|(above, _)| *above == name) {
        Some((_, json)) => json(),
        None => Err(DefaultError::new(format_args!("there is no field `{name}` above"))),
    };
    let known = R::shape().field(R::FIELDS[index].name);
    R::default_of(index, &Above::new(known, &read)).map_err(ConvertError::new)
}

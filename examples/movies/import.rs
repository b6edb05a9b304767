//! From JSON into the first schema.

use std::error::Error;
use std::path::Path;

use serde_json::{Map, Value};

use crate::loose::{Film, Movies};

/// Stores every film of a JSON array, and gives their number.
pub fn import(json: &str, file: &Path) -> Result<usize, Box<dyn Error>> {
    let rows: Vec<Map<String, Value>> = serde_json::from_str(json)
        .map_err(|error| format!("the input is no JSON array of objects: {error}"))?;
    let films = (1..)
        .zip(rows)
        .map(|(row, mut fields)| {
            fields.insert("row".to_owned(), Value::from(row));
            serde_json::from_value(Value::Object(fields))
                .map_err(|error| format!("row {row} of the input: {error}"))
        })
        .collect::<Result<Vec<Film>, String>>()?;

    let store = Movies::open(file)?;
    // One transaction, so that a file holds all of an import or nothing of it. `put` and not
    // `insert`, so that a second import into the same file replaces the rows of the first.
    store.transaction(|tx| films.iter().try_for_each(|film| tx.put(film)))?;
    Ok(films.len())
}

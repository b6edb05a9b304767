//! Rows that the second schema cannot read.

use std::error::Error;

use heirloom::InvalidRow;

use crate::cell::Cell;
use crate::evolved::{Film, Movies};
use crate::loose;
use crate::title::Title;

/// Prints how many rows can be read, and gives those that cannot.
pub fn survey(store: &Movies) -> heirloom::Result<Vec<InvalidRow>> {
    let valid = store.films.iter()?.filter(Result::is_ok).count();
    let invalid = store.films.invalid()?;
    let stored = store.films.len()?;
    println!("  {valid} valid + {} invalid = {stored} stored", invalid.len());
    Ok(invalid)
}

/// Lists invalid rows as heirloom describes them.
pub fn list(invalid: &[InvalidRow]) {
    println!("\n  {:>6}  {:<6} {:<26} found", "key", "field", "expected");
    for row in invalid {
        let of = |part: Option<&str>| part.unwrap_or("-").to_owned();
        let (field, expected, found) = (of(row.field()), of(row.expected()), of(row.found()));
        println!("  {:>6}  {field:<6} {expected:<26} {found}", row.key());
    }
    println!();
}

/// Gives each a title that fits, in one transaction.
pub fn repair(store: &Movies, invalid: &[InvalidRow]) -> Result<(), Box<dyn Error>> {
    let films = invalid.iter().map(repaired).collect::<serde_json::Result<Vec<Film>>>()?;
    store.transact(|tx| films.iter().try_for_each(|film| tx.put(film)))?;
    Ok(())
}

/// What is stored is there to the letter, and the first schema still understands it.
fn repaired(invalid: &InvalidRow) -> serde_json::Result<Film> {
    let film: loose::Film = serde_json::from_str(invalid.json())?;
    let title = film.title.as_ref().map_or_else(|| "(untitled)".to_owned(), Cell::to_string);
    Ok(Film::from_loose(film, Title::new(title)))
}

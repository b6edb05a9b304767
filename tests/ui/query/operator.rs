// Columns are compared by methods, not by the operators of Rust.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Film {
    #[key]
    number: u32,
    title: String,
    seen: bool,
}

#[derive(Store)]
struct Cinema {
    films: Table<Film>,
}

fn main() -> heirloom::Result<()> {
    let cinema = Cinema::in_memory()?;
    cinema.films.filter(Film::TITLE == "Alien").all()?;
    cinema.films.filter(Film::NUMBER < 3).all()?;
    cinema.films.filter(!Film::SEEN).all()?;
    cinema.films.filter(Film::SEEN & Film::TITLE.eq("Alien")).all()?;
    Ok(())
}

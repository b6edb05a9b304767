// A filter takes a condition, which a column or a `bool` alone is not.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema, Table)]
struct Film {
    #[key]
    number: u32,
    seen: bool,
}

#[derive(Store)]
struct Cinema {
    films: Table<Film>,
}

fn main() -> heirloom::Result<()> {
    let cinema = Cinema::in_memory()?;
    cinema.films.filter(Film::SEEN).all()?;
    cinema.films.filter(true).all()?;
    cinema.transaction(|tx| {
        tx.filter::<Film>(Film::SEEN).all()?;
        Ok(())
    })
}

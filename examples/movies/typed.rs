//! The second epoch: titles are text, dates are dates, and genres have a table of their own.

use heirloom::migration::Migration;
use heirloom::{Id, Store, Table};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{evolved, parse};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "films", previous = evolved::Film, try_from)]
pub struct Film {
    #[key]
    pub row: u32,
    pub title: String,
    pub released: Option<Date>,
    /// The text of the source about the release if it is not a date: `1942`, or `TBD`.
    pub release_note: Option<String>,
    #[index]
    pub year: Option<u16>,
    pub minutes: Option<u16>,
    #[index]
    pub genre: Option<Id<Genre>>,
    pub creative_type: Option<String>,
    pub source: Option<String>,
    pub director: Option<String>,
    pub distributor: Option<String>,
    pub mpaa_rating: Option<String>,
    pub budget: Option<i64>,
    pub us_gross: Option<i64>,
    pub worldwide_gross: Option<i64>,
    pub us_dvd_sales: Option<i64>,
    pub profit: Option<i64>,
    pub rotten_tomatoes_rating: Option<u8>,
    pub imdb_rating: Option<f64>,
    pub imdb_votes: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "genres")]
pub struct Genre {
    pub id: Id<Genre>,
    pub name: String,
}

#[derive(Store)]
#[store(name = "movies", epoch = 1, previous = evolved::Movies, migrate = split_genres)]
pub struct Movies {
    pub films: Table<Film>,
    pub genres: Table<Genre>,
}

impl TryFrom<evolved::Film> for Film {
    type Error = String;

    /// Taken apart without `..`, so that no field is forgotten.
    fn try_from(film: evolved::Film) -> Result<Self, String> {
        let evolved::Film {
            row,
            title,
            us_gross,
            worldwide_gross,
            us_dvd_sales,
            budget,
            release_date,
            mpaa_rating,
            running_time: _,
            distributor,
            source,
            genre: _,
            creative_type,
            director,
            rotten_tomatoes_rating,
            imdb_rating,
            imdb_votes,
            year,
            minutes,
            profit,
        } = film;
        // `300` and `1776` are titles. Which film has none, only a person can tell.
        let title = title.ok_or("the film has no title")?.to_string();
        let released = release_date.as_ref().and_then(parse::date);
        let release_note = release_date.filter(|_| released.is_none()).map(|cell| cell.to_string());
        Ok(Self {
            row,
            title,
            released,
            release_note,
            year,
            minutes,
            // Set by `split_genres`.
            genre: None,
            creative_type,
            source,
            director,
            distributor,
            mpaa_rating,
            budget,
            us_gross,
            worldwide_gross,
            us_dvd_sales,
            profit,
            rotten_tomatoes_rating,
            imdb_rating,
            imdb_votes,
        })
    }
}

/// Makes a row of each genre, and points the films to it.
///
/// The id follows from the genre's name alone: so it does not matter which of the old films this is
/// given, and which device does it.
fn split_genres(m: &mut Migration<evolved::Movies, Movies>) -> heirloom::Result<()> {
    let mut films = Vec::new();
    for film in m.old().iter::<evolved::Film>()? {
        let evolved::Film { row, genre, .. } = film?;
        films.extend(genre.map(|genre| (row, genre)));
    }
    for (row, name) in films {
        let id = m.id_for::<Genre>("genre", &name);
        if !m.contains::<Genre>(&id)? {
            m.put(&Genre { id, name })?;
        }
        m.update::<Film>(&row, |film| film.genre = Some(id))?;
    }
    Ok(())
}

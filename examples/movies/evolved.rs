//! The second schema: the same store, the same table, more meaning.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::title::Title;
use crate::{loose, parse};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "films")]
pub struct Film {
    #[key]
    pub row: u32,
    /// Was `Option<Cell>`, which its JSON Schema still is: `String` would be a breaking change, and
    /// refused. Rows that break the rule of `Title` are found and repaired. `minutes`, below, is the
    /// way that needs no repair: the old field stays, and a new one makes sense of it.
    #[serde(rename = "Title")]
    #[evolve(default = "(untitled)")]
    pub title: Title,
    #[serde(rename = "US Gross")]
    pub us_gross: Option<i64>,
    #[serde(rename = "Worldwide Gross")]
    pub worldwide_gross: Option<i64>,
    #[serde(rename = "US DVD Sales")]
    pub us_dvd_sales: Option<i64>,
    #[serde(rename = "Production Budget")]
    pub budget: Option<i64>,
    #[serde(rename = "Release Date")]
    pub release_date: Option<Cell>,
    #[serde(rename = "MPAA Rating")]
    pub mpaa_rating: Option<String>,
    #[serde(rename = "Running Time min")]
    pub running_time: Option<Cell>,
    #[serde(rename = "Distributor")]
    pub distributor: Option<String>,
    #[serde(rename = "Source")]
    pub source: Option<String>,
    #[serde(rename = "Major Genre")]
    pub genre: Option<String>,
    #[serde(rename = "Creative Type")]
    pub creative_type: Option<String>,
    #[serde(rename = "Director")]
    pub director: Option<String>,
    #[serde(rename = "Rotten Tomatoes Rating")]
    pub rotten_tomatoes_rating: Option<u8>,
    #[serde(rename = "IMDB Rating")]
    pub imdb_rating: Option<f64>,
    #[serde(rename = "IMDB Votes")]
    pub imdb_votes: Option<u32>,

    // New. No stored row has these, so each read computes them from the fields above; a program
    // that has better figures can store them, and they take the place of the computed ones.
    #[evolve(default = |release_date| release_date.as_ref().and_then(parse::year))]
    pub year: Option<u16>,
    #[evolve(default = |year| year.map(parse::decade))]
    pub decade: Option<u16>,
    #[evolve(default = |running_time| running_time.as_ref().and_then(parse::minutes))]
    pub minutes: Option<u16>,
    #[evolve(default = |worldwide_gross, budget| parse::profit(worldwide_gross, budget))]
    pub profit: Option<i64>,
}

#[derive(Store)]
#[store(name = "movies")]
pub struct Movies {
    pub films: Table<Film>,
}

impl Film {
    /// A row of the first schema with a title that fits.
    ///
    /// Defaults are heirloom's, applied when a row is read; a struct made by hand names every field.
    pub fn from_loose(film: loose::Film, title: Title) -> Self {
        let year = film.release_date.as_ref().and_then(parse::year);
        Self {
            row: film.row,
            title,
            us_gross: film.us_gross,
            worldwide_gross: film.worldwide_gross,
            us_dvd_sales: film.us_dvd_sales,
            budget: film.budget,
            mpaa_rating: film.mpaa_rating,
            distributor: film.distributor,
            source: film.source,
            genre: film.genre,
            creative_type: film.creative_type,
            director: film.director,
            rotten_tomatoes_rating: film.rotten_tomatoes_rating,
            imdb_rating: film.imdb_rating,
            imdb_votes: film.imdb_votes,
            year,
            decade: year.map(parse::decade),
            minutes: film.running_time.as_ref().and_then(parse::minutes),
            profit: parse::profit(film.worldwide_gross, film.budget),
            release_date: film.release_date,
            running_time: film.running_time,
        }
    }
}

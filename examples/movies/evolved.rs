//! The second schema: the same rows, more meaning. It only adds, so that nothing has to be converted
//! and the first schema goes on reading and writing the same file.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::parse;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "films")]
pub struct Film {
    #[key]
    pub row: u32,
    #[serde(rename = "Title")]
    pub title: Option<Cell>,
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
    /// A row out of its stored JSON.
    ///
    /// Defaults are heirloom's, applied where it reads a row; serde alone leaves the fields empty.
    pub fn from_json(json: &str) -> serde_json::Result<Self> {
        let film: Self = serde_json::from_str(json)?;
        Ok(Self {
            year: film.year.or_else(|| film.release_date.as_ref().and_then(parse::year)),
            minutes: film.minutes.or_else(|| film.running_time.as_ref().and_then(parse::minutes)),
            profit: film.profit.or_else(|| parse::profit(film.worldwide_gross, film.budget)),
            ..film
        })
    }
}

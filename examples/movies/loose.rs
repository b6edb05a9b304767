//! The first schema: takes whatever the source holds, under the source's own names.

use heirloom::{Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cell::Cell;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "films")]
pub struct Film {
    /// The row's number in the source. A title would not do: remakes share theirs, one film has
    /// none, and the key is the one field that never changes.
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
}

#[derive(Store)]
#[store(name = "movies")]
pub struct Movies {
    pub films: Table<Film>,
}

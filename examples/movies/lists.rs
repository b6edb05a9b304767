//! Lists made of the films.

use std::collections::BTreeMap;

use crate::parse;
use crate::typed::{Film, Movies};

/// Below this, a rating is the opinion of a few.
const MIN_VOTES: u32 = 10_000;

pub fn print(store: &Movies, films: &[Film]) -> heirloom::Result<()> {
    best_of_each_decade(films);
    genres(store)?;
    profits(store)?;
    lengths(films);
    Ok(())
}

fn best_of_each_decade(films: &[Film]) {
    println!("\nThe best-rated film of each decade, among those with {MIN_VOTES} votes and more");
    let mut best: BTreeMap<u16, (f64, &Film)> = BTreeMap::new();
    let known = films.iter().filter(|film| film.imdb_votes.is_some_and(|votes| votes >= MIN_VOTES));
    for film in known {
        if let (Some(decade), Some(rating)) = (film.year.map(parse::decade), film.imdb_rating)
            && best.get(&decade).is_none_or(|(best, _)| rating > *best)
        {
            best.insert(decade, (rating, film));
        }
    }
    for (decade, (rating, film)) in best {
        println!("  {decade}s  {rating:.1}  {}", named(film));
    }
}

fn genres(store: &Movies) -> heirloom::Result<()> {
    println!("\nFilms by genre");
    let mut counted = Vec::new();
    for genre in store.genres.iter()? {
        let genre = genre?;
        counted.push((store.films.filter(Film::GENRE.eq(genre.id)).count()?, genre.name));
    }
    counted.sort_unstable_by(|a, b| b.cmp(a));
    for (count, name) in counted {
        println!("  {count:>5}  {name}");
    }
    Ok(())
}

fn profits(store: &Movies) -> heirloom::Result<()> {
    let known = store.films.filter(Film::PROFIT.is_some());
    println!("\nThe largest profits, in millions of dollars");
    for film in known.clone().order_by(Film::PROFIT.desc()).limit(5).iter()? {
        print_profit(&film?);
    }
    println!("and the largest loss");
    known.order_by(Film::PROFIT.asc()).first()?.iter().for_each(print_profit);
    Ok(())
}

fn print_profit(film: &Film) {
    println!("  {:>6}  {}", film.profit.unwrap_or_default() / 1_000_000, named(film));
}

fn lengths(films: &[Film]) {
    let known = || films.iter().filter_map(|film| Some((film.minutes?, film)));
    println!("\nThe longest and the shortest of {} with a known length", known().count());
    let longest = known().max_by_key(|(minutes, _)| *minutes);
    let shortest = known().min_by_key(|(minutes, _)| *minutes);
    for (minutes, film) in longest.into_iter().chain(shortest) {
        println!("  {minutes:>4} min  {}", named(film));
    }
}

/// A film as people speak of it.
fn named(film: &Film) -> String {
    let mut name = film.title.to_string();
    if let Some(year) = film.year {
        name += &format!(" ({year})");
    }
    if let Some(director) = &film.director {
        name += &format!(", {director}");
    }
    name
}

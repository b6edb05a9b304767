//! What the films have to say.

use std::collections::BTreeMap;

use crate::evolved::Film;

/// Below this, a rating is the opinion of a few.
const MIN_VOTES: u32 = 10_000;

pub fn print(films: &[Film]) {
    best_of_each_decade(films);
    profits(films);
    lengths(films);
}

fn best_of_each_decade(films: &[Film]) {
    println!("\nThe best-rated film of each decade, among those with {MIN_VOTES} votes and more");
    let mut best: BTreeMap<u16, (f64, &Film)> = BTreeMap::new();
    let known = films.iter().filter(|film| film.imdb_votes.is_some_and(|votes| votes >= MIN_VOTES));
    for film in known {
        if let (Some(decade), Some(rating)) = (film.decade, film.imdb_rating)
            && best.get(&decade).is_none_or(|(best, _)| rating > *best)
        {
            best.insert(decade, (rating, film));
        }
    }
    for (decade, (rating, film)) in best {
        println!("  {decade}s  {rating:.1}  {}", named(film));
    }
}

fn profits(films: &[Film]) {
    let mut by_profit: Vec<(i64, &Film)> =
        films.iter().filter_map(|film| Some((film.profit?, film))).collect();
    by_profit.sort_by_key(|(profit, _)| -profit);

    println!("\nThe largest profits, in millions of dollars");
    for (profit, film) in by_profit.iter().take(5) {
        println!("  {:>6}  {}", profit / 1_000_000, named(film));
    }
    if let Some((profit, film)) = by_profit.last() {
        println!("and the largest loss\n  {:>6}  {}", profit / 1_000_000, named(film));
    }
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

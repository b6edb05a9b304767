//! Which way a query takes, in one line, and how much it reads on it: counts, never times.

use std::sync::OnceLock;

use crate::support::refused;
use heirloom::{Query, Row, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const ROWS: u32 = 100_000;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "tracks", index(genre, rating), unique(disc, number))]
struct Track {
    #[key]
    id: u32,
    /// One of 1,000.
    #[index]
    artist: String,
    /// One of 10.
    genre: String,
    rating: u32,
    #[index]
    plays: u64,
    label: Option<String>,
    disc: u32,
    number: u32,
}

#[derive(Store)]
#[store(name = "music")]
struct Music {
    tracks: Table<Track>,
}

fn track(id: u32) -> Track {
    Track {
        id,
        artist: format!("artist {:03}", id % 1000),
        genre: format!("genre {}", id % 10),
        rating: id / 7 % 100,
        plays: u64::from(id.wrapping_mul(2_654_435_761)),
        label: id.is_multiple_of(3).then(|| "indie".to_owned()),
        disc: id / 10,
        number: id % 10,
    }
}

fn music() -> &'static Music {
    static MUSIC: OnceLock<Music> = OnceLock::new();
    MUSIC.get_or_init(|| {
        let music = Music::in_memory().unwrap();
        music.tracks.insert_many((0..ROWS).map(track)).unwrap();
        music
    })
}

/// The plan, the answer, and how many rows and index entries it took.
///
/// The tests of this file share a store, and count what they read one at a time.
fn run<T>(query: &Query<Track>, ask: impl FnOnce(&Query<Track>) -> T) -> (String, T, u64, u64) {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let before = music().handle().touched();
    let answer = ask(query);
    let after = music().handle().touched();
    drop(turn);
    (query.explain(), answer, after.0 - before.0, after.1 - before.1)
}

fn all(query: &Query<Track>) -> Vec<Track> {
    query.all().unwrap()
}

fn len(query: &Query<Track>) -> usize {
    query.all().unwrap().len()
}

fn count(query: &Query<Track>) -> usize {
    query.count().unwrap()
}

fn keys(query: &Query<Track>) -> usize {
    query.keys().unwrap().len()
}

#[track_caller]
fn is<T: PartialEq + std::fmt::Debug>(
    (plan, answer, rows, entries): (String, T, u64, u64),
    expected: (&str, T, u64, u64),
) {
    assert_eq!((plan.as_str(), answer, rows, entries), expected);
}

#[test]
fn equality_reads_the_rows_it_gives() {
    let tracks = &music().tracks;
    let query = tracks.filter(Track::ARTIST.eq("artist 007"));
    is(run(&query, len), ("index (artist) of `tracks`, 1 range", 100, 100, 100));
    // All entries of a block, and the block.
    is(run(&query, count), ("index (artist) of `tracks`, 1 range", 100, 0, 101));
    is(run(&query, keys), ("index (artist) of `tracks`, 1 range", 100, 0, 100));
    let first = query.clone().limit(10);
    is(run(&first, len), ("index (artist) of `tracks`, 1 range, at most 10", 10, 10, 10));
    let query = query.filter(Track::LABEL.is_some());
    is(run(&query, len), ("index (artist) of `tracks`, 1 range, filtered", 33, 100, 100));
    let query = tracks.filter(Track::ARTIST.is_in(["artist 007", "artist 008", "nobody"]));
    let plan = "index (artist) of `tracks`, 3 ranges, in the order of keys";
    is(run(&query, len), (plan, 200, 200, 200));
    let query = tracks.filter(Track::ARTIST.eq("artist 007") | Track::ARTIST.eq("artist 008"));
    let plan = "index (artist) of `tracks`, 2 ranges, in the order of keys";
    is(run(&query, len), (plan, 200, 200, 200));
}

#[test]
fn ranges_and_prefixes_read_no_more_than_they_hold() {
    let tracks = &music().tracks;
    let range = tracks.filter(Track::PLAYS.between(0_u64, 42_949_672_u64));
    let (plan, found, rows, entries) = run(&range, len);
    assert_eq!(plan, "index (plays) of `tracks`, 1 range, in the order of keys");
    assert!((900..1100).contains(&found), "{found}");
    assert_eq!((rows, entries), (found as u64, found as u64));
    assert_eq!(run(&range, count).2, 0, "counting reads no rows");
    let query = tracks.filter(Track::ARTIST.starts_with("artist 00"));
    let plan = "index (artist) of `tracks`, 1 range, in the order of keys";
    let (found, count, rows, entries) = run(&query, count);
    assert_eq!((found.as_str(), count, rows), (plan, 1000, 0));
    assert!(entries < 2 * 512, "of the blocks between it reads no entry: {entries}");
    let empty = tracks.filter(Track::PLAYS.between(9_u64, 8_u64));
    is(run(&empty, len), ("nothing can match", 0, 0, 0));
    let empty = tracks.filter(Track::PLAYS.gt(9_u64) & Track::PLAYS.lt(8_u64));
    is(run(&empty, len), ("nothing can match", 0, 0, 0));
}

#[test]
fn an_index_in_the_order_asked_for_is_read_as_far_as_the_limit() {
    let tracks = &music().tracks;
    let top = tracks.order_by(Track::PLAYS.desc()).limit(20);
    is(run(&top, len), ("index (plays) of `tracks`, backwards, at most 20", 20, 20, 20));
    let page = top.offset(100);
    let plan = "index (plays) of `tracks`, backwards, without the first 100, at most 20";
    is(run(&page, len), (plan, 20, 120, 120));
    let best = tracks
        .filter(Track::GENRE.eq("genre 3"))
        .order_by((Track::GENRE.asc(), Track::RATING.asc()))
        .limit(5);
    is(run(&best, len), ("index (genre, rating) of `tracks`, 1 range, at most 5", 5, 5, 5));
    // By key within one rating.
    let best = run(&best, all).1;
    assert!(best.windows(2).all(|w| (w[0].rating, w[0].id) < (w[1].rating, w[1].id)), "{best:?}");
    let rare = tracks.filter(Track::PLAYS.gt(1_u64 << 31)).order_by(Track::PLAYS).limit(3);
    is(run(&rare, len), ("index (plays) of `tracks`, 1 range, at most 3", 3, 3, 3));
    // Within one artist, by something else: a hundred rows are sorted.
    let query = tracks.filter(Track::ARTIST.eq("artist 007")).order_by(Track::LABEL).limit(2);
    let plan = "index (artist) of `tracks`, 1 range, sorted by label, at most 2";
    is(run(&query, len), (plan, 2, 100, 100));
    // Opposite directions are no order of an index.
    let query = tracks.order_by((Track::GENRE.asc(), Track::RATING.desc())).limit(2);
    let plan = "scan of `tracks`, sorted by genre, rating desc, at most 2";
    is(run(&query, len), (plan, 2, 100_000, 0));
}

#[test]
fn a_compound_index_serves_conditions_on_its_leading_columns() {
    let tracks = &music().tracks;
    let query = tracks.filter(Track::GENRE.eq("genre 3") & Track::RATING.eq(50_u32));
    let (plan, found, rows, entries) = run(&query, len);
    assert_eq!(plan, "index (genre, rating) of `tracks`, 1 range");
    assert_eq!((rows, entries), (found as u64, found as u64));
    assert!((50..200).contains(&found), "{found}");
    let query = tracks.filter(Track::GENRE.is_in(["genre 3", "genre 4"]) & Track::RATING.lt(2_u32));
    let (plan, found, rows, _) = run(&query, len);
    assert_eq!(plan, "index (genre, rating) of `tracks`, 2 ranges, in the order of keys");
    assert_eq!(rows, found as u64);
    // The second column alone is no beginning.
    let query = tracks.filter(Track::RATING.eq(50_u32));
    assert_eq!(query.explain(), "scan of `tracks`, filtered");
    let query = tracks.filter(Track::DISC.eq(77_u32) & Track::NUMBER.eq(3_u32));
    is(run(&query, len), ("index (disc, number) of `tracks`, 1 range", 1, 1, 1));
}

#[test]
fn the_key_is_an_index() {
    let tracks = &music().tracks;
    is(run(&tracks.filter(Track::ID.eq(5_u32)), len), ("`tracks` by key, 1 range", 1, 1, 0));
    let query = tracks.filter(Track::ID.is_in([5_u32, 7, 1_000_000]));
    is(run(&query, len), ("`tracks` by key, 3 ranges", 2, 2, 0));
    let query = tracks.filter(Track::ID.between(5_u32, 14_u32));
    is(run(&query, len), ("`tracks` by key, 1 range", 10, 10, 0));
    let query = tracks.order_by(Track::ID.desc()).limit(3);
    is(run(&query, len), ("scan of `tracks`, backwards, at most 3", 3, 3, 0));
    let query = tracks.filter(Track::ID.lt(10_u32)).order_by(Track::ID.desc()).limit(3);
    is(run(&query, len), ("`tracks` by key, 1 range, backwards, at most 3", 3, 3, 0));
    is(run(&tracks.query(), count), ("scan of `tracks`", 100_000, 0, 0));
    is(run(&tracks.limit(3), len), ("scan of `tracks`, at most 3", 3, 3, 0));
}

#[test]
fn alternatives_are_looked_up_one_by_one() {
    let tracks = &music().tracks;
    let query = tracks.filter(Track::ARTIST.eq("artist 007") | Track::ID.between(5_u32, 7_u32));
    let plan = "index (artist) of `tracks`, 1 range and `tracks` by key, 1 range, filtered, in the \
                order of keys";
    is(run(&query, len), (plan, 102, 102, 103));
    // One of them that needs a scan makes the others useless.
    let query = tracks.filter(Track::ARTIST.eq("artist 007") | Track::LABEL.is_none());
    assert_eq!(query.explain(), "scan of `tracks`, filtered");
}

#[test]
fn one_and_first_stop_early() {
    let tracks = &music().tracks;
    let query = tracks.filter(Track::ARTIST.eq("artist 007"));
    let (_, first, rows, _) = run(&query, |query| query.first().unwrap());
    assert_eq!((first.unwrap().id, rows), (7, 1));
    let (_, error, rows, _) = run(&query, |query| refused(query.one()));
    assert_eq!(rows, 2);
    assert_eq!(
        error.to_string(),
        "the query must return one row (store `music`, table `tracks`, expected one row, found \
         several); use `first` if none or several are fine"
    );
    let (_, first, rows, _) = run(&tracks.query(), |query| query.iter().unwrap().next());
    assert_eq!((*first.unwrap().unwrap().key(), rows), (0, 1));
}

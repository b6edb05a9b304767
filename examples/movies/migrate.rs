//! From the first epoch to the second: look, open, and see to what is left over.

use std::error::Error;
use std::path::Path;

use heirloom::Progress;
use heirloom::migration::{OnInvalid, Preview, Quarantined};

use crate::cell::Cell;
use crate::evolved;
use crate::typed::{Film, Genre, Movies};

/// How much of a row is shown.
const SHOWN: usize = 100;

/// Prints what opening the file would do, row by row for a few of them.
pub fn print(preview: &Preview) {
    println!();
    for line in preview.to_string().lines() {
        let shown: String = line.chars().take(SHOWN).collect();
        println!("  {shown}{}", if shown.len() < line.len() { " …" } else { "" });
    }
    println!();
}

/// Opens the file, which migrates it, and shows how far that is.
pub fn open(file: &Path) -> heirloom::Result<Movies> {
    Movies::builder()
        .on_invalid(OnInvalid::Quarantine)
        .on_progress(|progress| {
            if let Progress::Migrate { table, done, total, .. } = progress {
                let end = if done == total { "\n" } else { "" };
                eprint!("\r  {} {done} of {total} rows of {table}{end}", bar(done, total));
            }
        })
        .open(file)
}

/// A bar of text.
fn bar(done: u64, total: u64) -> String {
    const WIDTH: u64 = 30;
    let filled = done.min(total) * WIDTH / total.max(1);
    (0..WIDTH).map(|place| if place < filled { '█' } else { '░' }).collect()
}

/// Lists what could not be taken over.
pub fn list(quarantine: &[Quarantined]) {
    println!("  {} in quarantine", quarantine.len());
    for kept in quarantine {
        let json: String = kept.theirs().chars().take(SHOWN).collect();
        println!("  {kept}\n    {json} …");
    }
}

/// Gives films without a title one, which is what a person would do here, and settles them.
pub fn mend(store: &Movies, quarantine: &[Quarantined]) -> Result<(), Box<dyn Error>> {
    for kept in quarantine.iter().filter(|kept| kept.table() == Some("films")) {
        // The kept row is there to the letter, and the schema before still understands it.
        let mut film = evolved::Film::from_json(kept.theirs())?;
        film.title.get_or_insert_with(|| Cell::Text("(untitled)".to_owned()));
        let genre = match &film.genre {
            Some(name) => store.genres.filter(Genre::NAME.eq(name.as_str())).first()?,
            None => None,
        };
        let film = Film { genre: genre.map(|genre| genre.id), ..Film::try_from(film)? };
        store.films.put(&film)?;
        kept.dismiss()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SAMPLE, import, loose};

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        assert_eq!(bar(0, 10), "░".repeat(30));
        assert_eq!(bar(5, 10), "█".repeat(15) + &"░".repeat(15));
        assert_eq!(bar(10, 10), "█".repeat(30));
        assert_eq!(bar(0, 0), "░".repeat(30));
    }

    #[test]
    fn every_film_is_taken_over_or_kept_and_mended() -> Result<(), Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("movies.redb");
        assert_eq!(import::import(SAMPLE, &file)?, 26);
        let preview = Movies::preview_migration(&file)?;
        assert_eq!((preview.tables().len(), preview.invalid().len()), (2, 1), "{preview}");

        let store = open(&file)?;
        assert_eq!((store.films.len()?, store.genres.len()?), (25, 6));
        let number = store.films.filter(Film::TITLE.eq("300")).first()?;
        assert!(number.is_some_and(|film| film.released.is_some()));
        let year_alone = store.films.filter(Film::TITLE.eq("Casablanca")).first()?;
        let year_alone = year_alone.map(|film| (film.released, film.release_note, film.year));
        assert_eq!(year_alone, Some((None, Some("1942".to_owned()), Some(1942))));

        let kept = store.quarantine()?;
        assert_eq!(kept.len(), 1);
        assert!(kept[0].reason().contains("the film has no title"), "{}", kept[0]);
        mend(&store, &kept)?;
        assert!(store.quarantine()?.is_empty());
        let mended = store.films.filter(Film::TITLE.eq("(untitled)")).first()?;
        assert!(mended.is_some_and(|film| film.year == Some(1981) && film.genre.is_none()));
        assert_eq!(store.films.len()?, 26);
        Ok(())
    }

    #[test]
    fn what_older_code_writes_later_is_carried_over() -> Result<(), Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("movies.redb");
        import::import(SAMPLE, &file)?;
        drop(open(&file)?);
        {
            let old = loose::Movies::open(&file)?;
            old.films.update(&2, |film| film.genre = Some("Romance".to_owned()))?;
        }
        let store = open(&file)?;
        let film = store.films.get(&2)?;
        let genre = film.and_then(|film| film.genre).map(|id| store.genres.get(&id));
        assert_eq!(
            genre.transpose()?.flatten().map(|genre| genre.name),
            Some("Romance".to_owned())
        );
        Ok(())
    }
}

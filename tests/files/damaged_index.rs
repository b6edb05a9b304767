//! A damaged page of an index costs nothing that the rows do not say again.

use std::fs;

use crate::support::{assert_sound, place, refused};
use heirloom::{ErrorKind, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "words")]
struct Word {
    #[key]
    id: u32,
    #[index]
    text: String,
}

#[derive(Store)]
#[store(name = "dictionary")]
struct Dictionary {
    words: Table<Word>,
}

const WORDS: u32 = 600;

fn word(id: u32) -> Word {
    Word { id, text: format!("{:08x} {}", id.wrapping_mul(0x9e37_79b9), "long ".repeat(8)) }
}

fn closed_file() -> Vec<u8> {
    let (_folder, path) = place();
    let app = Dictionary::open(&path).unwrap();
    app.words.insert_many((0..WORDS).map(word)).unwrap();
    app.build_indexes().unwrap();
    app.compact().unwrap();
    drop(app);
    fs::read(&path).unwrap()
}

/// Looks each word up by its text; those that cannot be looked up say what to do.
fn look_up(app: &Dictionary) -> usize {
    let found =
        (0..WORDS).filter(|id| match app.words.filter(Word::TEXT.eq(word(*id).text)).all() {
            Ok(words) => {
                assert_eq!(words, [word(*id)]);
                true
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
                assert!(error.to_string().contains("`rebuild_indexes`"), "{error}");
                false
            }
        });
    found.count()
}

#[test]
fn a_damaged_page_of_an_index_is_named_and_the_index_is_built_again() {
    let bytes = closed_file();
    let (mut mended, mut missing) = (0, Vec::new());
    for page in 1..bytes.len() / 4096 {
        for is_wiped in [true, false] {
            let (_folder, path) = place();
            let mut damaged = bytes.clone();
            let page_bytes = &mut damaged[page * 4096..][..4096];
            match is_wiped {
                true => page_bytes.fill(0),
                // How long keys and values are, or the numbers of other pages.
                false => page_bytes[2..1_000].iter_mut().for_each(|byte| *byte ^= 0x15),
            }
            fs::write(&path, &damaged).unwrap();
            let Ok(report) = Dictionary::check(&path) else { continue };
            let is_index = |problem: &String| {
                problem.starts_with("table `words`: the index (text) is damaged")
                    && problem.contains("`rebuild_indexes`")
            };
            if !report.problems().iter().any(is_index) {
                continue;
            }
            assert_eq!((report.problems().len(), report.rows()), (1, WORDS.into()), "{report}");

            let app = Dictionary::open(&path).unwrap();
            missing.push(WORDS as usize - look_up(&app));
            (0..WORDS).for_each(|id| assert_eq!(app.words.get(&id).unwrap(), Some(word(id))));
            let snapshot = app.snapshot().unwrap();
            app.rebuild_indexes().unwrap();
            // It has seen the damaged index, and does not take the empty one for it.
            assert!(snapshot.get::<Word>(&3).is_err());
            drop(snapshot);
            assert_eq!(look_up(&app), WORDS as usize);
            app.words.put(&word(WORDS)).unwrap();
            drop(app);
            assert_sound::<Dictionary>(&path);
            mended += 1;
        }
    }
    assert!(mended >= 10, "{mended} pages");
    // Some pages are of the entries, of which others are found.
    assert!(missing.iter().any(|missing| (1..100).contains(missing)), "{missing:?}");
}

#[test]
fn a_write_that_meets_a_damaged_index_says_what_to_do() {
    let bytes = closed_file();
    let mut met = 0;
    for page in 1..bytes.len() / 4096 {
        let (_folder, path) = place();
        let mut damaged = bytes.clone();
        damaged[page * 4096..][..4096].fill(0);
        fs::write(&path, &damaged).unwrap();
        let is_index = |report: heirloom::inspect::CheckReport| {
            report.problems().iter().any(|problem| problem.contains("`rebuild_indexes`"))
        };
        if !Dictionary::check(&path).is_ok_and(is_index) {
            continue;
        }
        let app = Dictionary::open(&path).unwrap();
        let changed = |id| Word { text: "other".to_owned(), ..word(id) };
        let Some(id) = (0..WORDS).find(|id| app.words.put(&changed(*id)).is_err()) else {
            continue;
        };
        let error = refused(app.words.put(&changed(id)));
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains("`rebuild_indexes`"), "{error}");
        assert_eq!(app.words.get(&id).unwrap(), Some(word(id)));
        app.rebuild_indexes().unwrap();
        app.words.put(&changed(id)).unwrap();
        drop(app);
        assert_sound::<Dictionary>(&path);
        met += 1;
        if met == 3 {
            return;
        }
    }
    assert!(met > 0);
}

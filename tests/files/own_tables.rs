//! Damage in the tables of redb's own, which say which pages are in use and which are to be freed.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::{child, place, refused};
use heirloom::__private::IdSource;
use heirloom::{ErrorKind, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "pictures")]
struct Picture {
    #[key]
    id: u32,
    #[index]
    album: u32,
    bytes: String,
}

#[derive(Store)]
#[store(name = "album")]
struct Album {
    pictures: Table<Picture>,
}

const PICTURES: u32 = 25;

fn picture(id: u32) -> Picture {
    Picture { id, album: id % 3, bytes: "b".repeat((id as usize * 137) % 9_000) }
}

/// A closed file with pages that wait to be freed.
fn closed_file() -> Vec<u8> {
    let (_folder, path) = place();
    let next = AtomicU64::new(1);
    let ids: IdSource = Arc::new(move || {
        u128::from(next.fetch_add(1, Ordering::Relaxed)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    let app = Album::builder().id_source(ids).open(&path).unwrap();
    (0..3 * PICTURES).for_each(|n| app.pictures.put(&picture(n % PICTURES)).unwrap());
    drop(app);
    fs::read(&path).unwrap()
}

/// Opens, reads, writes, checks and closes a file, and looks at nothing.
fn use_it(path: &Path) {
    if let Ok(app) = Album::open(path) {
        let _ = app.pictures.iter().map(|pictures| pictures.filter(Result::is_ok).count());
        let _ = app.pictures.filter(Picture::ALBUM.eq(1)).all();
    }
    let _ = Album::check(path);
    if let Ok(app) = Album::open(path) {
        let _ = app.pictures.put(&picture(3));
        let _ = app.pictures.remove(&4);
        let _ = app.pictures.put(&picture(PICTURES));
        let _ = app.compact();
    }
    let _ = Album::check(path);
}

/// Damage that `case` stands for: a page is wiped, or a bit of it flipped. `None` if the page is empty.
fn damaged(bytes: &[u8], page: usize, case: u64) -> Option<Vec<u8>> {
    let used: Vec<usize> = (page * 4096..(page + 1) * 4096).filter(|at| bytes[*at] != 0).collect();
    let mut damaged = bytes.to_vec();
    if case == 0 {
        damaged[page * 4096..][..4096].fill(0);
    } else {
        let random = (page as u64 * 1_000 + case).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let at = used.get(random as usize % used.len().max(1))?;
        damaged[*at] ^= 1 << (random >> 40 & 7);
    }
    (!used.is_empty()).then_some(damaged)
}

#[test]
fn no_damage_ends_the_process() {
    let name = concat!(module_path!(), "::no_damage_ends_the_process");
    let cases = std::env::var("DAMAGE").ok().and_then(|cases| cases.parse().ok()).unwrap_or(6_u64);
    if child::role().is_some() {
        let bytes = closed_file();
        let (_folder, path) = place();
        for page in 0..bytes.len() / 4096 {
            for case in 0..cases {
                let Some(damaged) = damaged(&bytes, page, case) else { continue };
                fs::write(&path, damaged).unwrap();
                println!("said: page {page}, case {case}");
                use_it(&path);
            }
        }
        println!("said: done");
        return;
    }
    let output = child::run(name, "damage");
    let last = child::said(&output).pop();
    assert_eq!(last.as_deref(), Some("done"), "{}", output.status);
}

/// The pages of a file that hold redb's own tables.
fn own_pages(bytes: &[u8]) -> Vec<usize> {
    let (_folder, path) = place();
    let pages = 1..bytes.len() / 4096;
    let pages = pages.filter(|page| {
        fs::write(&path, damaged(bytes, *page, 0).unwrap_or_else(|| bytes.to_vec())).unwrap();
        Album::check(&path).is_ok_and(|report| report.to_string().contains("pages that are in use"))
    });
    pages.collect()
}

fn wipe(bytes: &mut [u8], page: usize) {
    bytes[page * 4096..][..4096].fill(0);
}

#[test]
fn a_damaged_list_of_pages_is_named_and_made_again() {
    let bytes = closed_file();
    let pages = own_pages(&bytes);
    assert!(pages.len() >= 3, "{pages:?}");
    for page in pages {
        let (_folder, path) = place();
        let mut damaged = bytes.clone();
        wipe(&mut damaged, page);
        fs::write(&path, &damaged).unwrap();
        // Reading only leaves the file as it is.
        let reader = Album::builder().read_only(true).open(&path).unwrap();
        assert_eq!(reader.pictures.len().unwrap(), PICTURES as usize);
        drop(reader);
        assert!(fs::read(&path).unwrap() == damaged);

        let app = Album::open(&path).unwrap();
        (0..PICTURES).for_each(|id| assert_eq!(app.pictures.get(&id).unwrap(), Some(picture(id))));
        (0..2 * PICTURES).for_each(|id| app.pictures.put(&picture(id)).unwrap());
        drop(app);
        let report = Album::check(&path).unwrap();
        assert!(report.is_ok(), "page {page}: {report}");
        assert_eq!(report.rows(), u64::from(2 * PICTURES));
        let app = Album::open(&path).unwrap();
        (0..2 * PICTURES)
            .for_each(|id| assert_eq!(app.pictures.get(&id).unwrap(), Some(picture(id))));
    }
}

#[test]
fn a_file_with_more_damage_than_that_can_be_read() {
    let bytes = closed_file();
    let (_folder, path) = place();
    let mut is_read = 0;
    for own in own_pages(&bytes) {
        let mut damaged = bytes.clone();
        wipe(&mut damaged, own);
        // Also those in pages that are free.
        let row = picture(PICTURES - 1).bytes;
        let copies = bytes.windows(row.len()).enumerate();
        let copies = copies.filter(|(_, part)| *part == row.as_bytes());
        copies.for_each(|(at, _)| damaged[at + 100] = b'c');
        fs::write(&path, &damaged).unwrap();
        let Ok(app) = Album::open(&path) else { continue };
        is_read += 1;
        let read = |id| app.pictures.get(&id);
        assert_eq!(read(1).unwrap(), Some(picture(1)));
        assert_eq!(refused(read(PICTURES - 1)).kind(), ErrorKind::Corrupt);
        let error = refused(app.pictures.put(&Picture { album: 9, ..picture(1) }));
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let text = error.to_string();
        assert!(text.contains("can only be read") && text.contains("backup"), "{text}");
        assert!(text.contains(&*path.to_string_lossy()), "{text}");
        assert!(refused(app.compact()).to_string().contains("can only be read"));
        drop(app);
        assert!(fs::read(&path).unwrap() == damaged, "the file has changed");
        let report = Album::check(&path).unwrap();
        assert!(report.to_string().contains("can only be read"), "{report}");
        // It is not locked any more.
        drop(Album::open(&path).unwrap());
    }
    assert!(is_read > 0);
}

//! A value that is written over leaves no more than its place, and nothing is lost by that.

use crate::support::{
    Note, Notebook, Pages, assert_sound, content, converge, give, note, place, rows,
};
use heirloom::Durability;

/// The bytes that a document may keep of a write that was written over: the place of its item, the
/// journal's record of its commit, and a bit that says that it is dead.
const BYTES_OF_A_WRITE: u64 = 32;

/// Text of its own for each seed.
fn noise(seed: u32, len: usize) -> String {
    let mut state = u64::from(seed) + 1;
    let letters = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        char::from(b'0' + (state >> 40) as u8 % 64)
    });
    letters.take(len).collect()
}

#[test]
fn thousands_of_overwrites_leave_a_few_bytes_each() {
    let (_folder, path) = place();
    let peer = Notebook::in_memory().unwrap();
    let expected = {
        let app = Notebook::builder().durability(Durability::Eventual).open(&path).unwrap();
        for round in 0..10_000u32 {
            app.notes.put(&note(round % 10, &noise(round, 2000))).unwrap();
        }
        let history = app.status().unwrap().history();
        assert_eq!((history.live_rows(), history.items_per_live_row()), (10, 1_000.0));
        let bytes = history.document_bytes();
        assert!(bytes < 10_000 * BYTES_OF_A_WRITE, "{bytes} bytes of 10,000 writes are kept");
        converge(&app, &peer);
        content(&app)
    };
    assert_sound::<Notebook>(&path);
    let app = Notebook::open(&path).unwrap();
    assert!(content(&app) == expected, "the rows differ after a restart");
    // The document, too, is whole: writes and exchanges go on from it.
    app.notes.put(&note(3, "on")).unwrap();
    peer.notes.put(&note(4, "on")).unwrap();
    converge(&app, &peer);
    let fresh = Notebook::in_memory().unwrap();
    converge(&app, &fresh);
}

#[test]
fn a_removed_row_leaves_60_bytes_at_most() {
    const ROWS: u64 = 5_000;
    for are_removed_together in [true, false] {
        // The journal's records of the newest commits do not grow with the rows.
        let app = Notebook::builder().durability(Durability::Eventual).journal_commits(64);
        let app = app.in_memory().unwrap();
        let ids: Vec<u32> = (0..ROWS as u32).map(|n| n.wrapping_mul(0x9e37_79b9)).collect();
        let bytes = || app.status().unwrap().history().document_bytes();
        let before = bytes();
        app.notes.insert_many(ids.iter().map(|id| note(*id, &noise(*id, 1_000)))).unwrap();
        if are_removed_together {
            app.transaction(|tx| ids.iter().try_for_each(|id| tx.remove::<Note>(id).map(|_| ())))
                .unwrap();
        } else {
            ids.iter().for_each(|id| assert!(app.notes.remove(id).unwrap()));
        }
        assert_eq!(app.notes.len().unwrap(), 0);
        let left = bytes().saturating_sub(before);
        assert!(left <= ROWS * 60, "{left} bytes of {ROWS} rows are kept: {are_removed_together}");
        // It knows all of them: a peer that has an earlier state does not bring them back.
        assert_eq!(app.status().unwrap().history().live_rows(), 0);
    }
}

#[test]
fn restarts_leave_nothing_of_their_own() {
    let (_folder, path) = place();
    for round in 0..100u32 {
        let app = Notebook::open(&path).unwrap();
        app.notes.put(&note(round % 5, &format!("small {round}"))).unwrap();
        assert_eq!(app.status().unwrap().history().items_per_live_row(), {
            f64::from(round + 1) / f64::from((round + 1).min(5))
        });
    }
    assert_sound::<Notebook>(&path);
}

fn texts(pages: &Pages) -> Vec<String> {
    rows(&pages.notes).into_iter().map(|page| page.text).collect()
}

#[test]
fn what_older_code_goes_on_writing_is_read_carried_and_passed_on() {
    let (_folder, path) = place();
    let old = Notebook::in_memory().unwrap();
    {
        let new = Pages::builder().durability(Durability::Eventual).open(&path).unwrap();
        for round in 0..400u32 {
            old.notes.put(&note(round % 10, &noise(round, 800))).unwrap();
            give(&old, &new);
        }
    }
    assert_sound::<Pages>(&path);
    let new = Pages::open(&path).unwrap();
    let titles = |old: &Notebook| -> Vec<String> {
        rows(&old.notes).into_iter().map(|note| note.title).collect()
    };
    assert_eq!(texts(&new), titles(&old));
    old.notes.put(&note(3, "on")).unwrap();
    give(&old, &new);
    assert_eq!(texts(&new)[3], "on");
    let other = Notebook::in_memory().unwrap();
    other.notes.put(&note(99, "its own")).unwrap();
    give(&new, &other);
    assert_eq!(titles(&other)[..10], titles(&old));
}

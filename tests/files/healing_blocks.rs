//! Damaged blocks of items: only what they are about is withheld, and it comes back from a device that has it.

use std::path::Path;

use crate::support::file;
use crate::support::{
    Note, Notebook, assert_sound, content, converge, exchange, give, note, place, refused,
};
use heirloom::ErrorKind;
use heirloom::sync::Summary;

/// The keys of the blocks of items, by client and clock.
fn blocks(path: &Path) -> Vec<Vec<u8>> {
    let items = file::items(path, "0").into_iter().map(|(key, _)| key);
    items.filter(|key| key.len() == 13 && key[0] == b'b').collect()
}

fn flip(path: &Path, key: &[u8], bit: usize) {
    file::damage_item(path, "0", key, |bytes| {
        let bit = bit % (8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
    });
}

/// A file with several blocks of two devices, notes with histories and removed ones among them, and a peer
/// that knows all of it.
fn with_blocks(path: &Path) -> Notebook {
    let peer = Notebook::in_memory().unwrap();
    let app = Notebook::open(path).unwrap();
    app.notes.insert_many((0..700).map(|id| note(id, "before"))).unwrap();
    converge(&app, &peer);
    peer.transaction(|tx| {
        for id in (0..700_u32).step_by(5) {
            tx.update::<Note>(&id, |note| note.stars = 5)?;
        }
        tx.insert_many::<Note, _>((1_000..1_400).map(|id| note(id, "of the peer")))?;
        (0..700_u32).step_by(7).try_for_each(|id| tx.remove::<Note>(&id).map(drop))
    })
    .unwrap();
    converge(&app, &peer);
    app.transaction(|tx| {
        for id in (0..700_u32).step_by(3) {
            tx.put(&note(id, "later"))?;
        }
        (1_000..1_400_u32).step_by(4).try_for_each(|id| tx.remove::<Note>(&id).map(drop))
    })
    .unwrap();
    app.settings.size.set(&7).unwrap();
    converge(&app, &peer);
    drop(app);
    assert!(blocks(path).len() > 5, "{} blocks", blocks(path).len());
    peer
}

#[track_caller]
fn assert_healed(app: Notebook, peer: &Notebook, path: &Path) {
    assert!(!app.status().unwrap().is_damaged());
    assert_eq!(content(&app), content(peer));
    assert_eq!(app.summary().unwrap(), peer.summary().unwrap());
    for from in [&app, peer] {
        let third = Notebook::in_memory().unwrap();
        assert!(!give(from, &third).is_pending());
        assert_eq!(content(&third), content(peer));
    }
    assert_eq!(app.lost_edits().unwrap().len(), 0);
    drop(app);
    assert_sound::<Notebook>(path);
}

#[test]
fn each_block_comes_back_whatever_bit_is_flipped() {
    let (_folder, path) = place();
    let all = with_blocks(&path).changes_since(&Summary::default()).unwrap();
    let original = std::fs::read(&path).unwrap();
    let mut most_given = 0;
    for (number, key) in blocks(&path).into_iter().enumerate() {
        let (_other, path) = place();
        std::fs::write(&path, &original).unwrap();
        flip(&path, &key, 1 + 37 * number);
        let peer = Notebook::in_memory().unwrap();
        peer.apply(&all).unwrap();
        let before = content(&peer);
        let app = Notebook::open(&path).unwrap();
        assert_eq!(content(&app), before, "every row is read");
        // It is found out as soon as all of it is to be given to another device.
        let third = Notebook::in_memory().unwrap();
        give(&app, &third);
        assert!(app.status().unwrap().is_damaged(), "block {number}");
        most_given = third.notes.len().unwrap().max(most_given);
        for row in third.notes.iter().unwrap() {
            let row = row.unwrap();
            // The rows that it got are those that were written, by this device or the other one, at
            // some time.
            assert!(["before", "later", "of the peer"].contains(&row.title.as_str()));
        }
        exchange(&app, &peer);
        assert_eq!(content(&app), before, "block {number}");
        // The third device gets what it lacks now, from either.
        converge(&app, &third);
        assert_eq!(content(&third), before, "block {number}");
        app.notes.put(&note(3, "later")).unwrap();
        app.settings.size.set(&(8 + u32::try_from(number).unwrap())).unwrap();
        converge(&app, &peer);
        assert_healed(app, &peer, &path);
    }
    assert!(most_given > 300, "at most {most_given} of about 900 notes were given");
}

#[test]
fn all_blocks_at_once_come_back() {
    let (_folder, path) = place();
    let peer = with_blocks(&path);
    for (number, key) in blocks(&path).into_iter().enumerate() {
        flip(&path, &key, 100 + number);
    }
    let before = content(&peer);
    let app = Notebook::open(&path).unwrap();
    assert_eq!(content(&app), before);
    give(&app, &Notebook::in_memory().unwrap());
    exchange(&app, &peer);
    assert_eq!(content(&app), before);
    converge(&app, &peer);
    assert_healed(app, &peer, &path);
}

#[test]
fn new_edits_of_either_side_come_with_what_heals() {
    let (_folder, path) = place();
    let peer = with_blocks(&path);
    for key in blocks(&path).into_iter().step_by(2) {
        flip(&path, &key, 300);
    }
    for id in (0..700_u32).step_by(11) {
        peer.notes.put(&note(id, "new of the peer")).unwrap();
    }
    peer.notes.remove(&1).unwrap();
    let app = Notebook::open(&path).unwrap();
    give(&app, &Notebook::in_memory().unwrap());
    // Writes go on under an id whose clocks are known.
    app.notes.insert(&note(5_000, "new here")).unwrap();
    app.settings.size.set(&8).unwrap_or_default();
    converge(&app, &peer);
    assert_eq!(app.notes.get(&5_000).unwrap(), Some(note(5_000, "new here")));
    assert_eq!(app.notes.get(&11).unwrap(), Some(note(11, "new of the peer")));
    assert!(!app.notes.contains(&1).unwrap());
    assert_healed(app, &peer, &path);
}

#[test]
fn it_is_known_after_a_restart() {
    let (_folder, path) = place();
    let peer = with_blocks(&path);
    let key = blocks(&path).swap_remove(0);
    flip(&path, &key, 900);
    {
        let app = Notebook::open(&path).unwrap();
        assert!(!app.status().unwrap().is_damaged());
        give(&app, &Notebook::in_memory().unwrap());
        assert!(app.status().unwrap().is_damaged());
        app.notes.insert(&note(5_000, "new here")).unwrap();
        assert!(app.status().unwrap().is_damaged());
        app.compact().unwrap();
        assert!(app.status().unwrap().is_damaged());
    }
    assert!(!Notebook::check(&path).unwrap().is_ok());
    let app = Notebook::open(&path).unwrap();
    assert!(app.status().unwrap().is_damaged(), "it was forgotten");
    refused(app.backup(path.with_extension("backup")));
    converge(&app, &peer);
    assert_healed(app, &peer, &path);
}

#[test]
fn the_last_block_of_this_device_is_not_written_on() {
    let (_folder, path) = place();
    let peer = Notebook::in_memory().unwrap();
    let app = Notebook::open(&path).unwrap();
    app.notes.insert_many((0..20).map(|id| note(id, "before"))).unwrap();
    converge(&app, &peer);
    let device = app.status().unwrap().device();
    drop(app);
    let keys = blocks(&path);
    assert_eq!(keys.len(), 1);
    flip(&path, &keys[0], 120);

    let app = Notebook::open(&path).unwrap();
    app.notes.insert(&note(100, "new")).unwrap();
    assert_ne!(app.status().unwrap().device(), device, "its clocks would be given out again");
    // The key of a damaged item can be read, and says what to do.
    let error = refused(app.notes.put(&note(3, "over it")));
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("exchange with a device"), "{error}");
    assert_eq!(app.notes.get(&3).unwrap(), Some(note(3, "before")));
    converge(&app, &peer);
    app.notes.put(&note(3, "over it")).unwrap();
    converge(&app, &peer);
    assert_eq!(app.notes.len().unwrap(), 21);
    assert_healed(app, &peer, &path);
}

#[test]
fn without_a_device_that_has_it_a_rebuild_ends_it() {
    let (_folder, path) = place();
    let peer = with_blocks(&path);
    let keys = blocks(&path);
    flip(&path, &keys[keys.len() / 2], 77);
    let app = Notebook::open(&path).unwrap();
    give(&app, &Notebook::in_memory().unwrap());
    assert!(app.status().unwrap().is_damaged());
    let before = content(&app);
    app.compact_history().unwrap();
    assert_eq!(content(&app), before);
    app.notes.put(&note(3, "after")).unwrap();
    let third = Notebook::in_memory().unwrap();
    give(&app, &third);
    assert_eq!(content(&third), content(&app));
    // A device that has the items brings nothing that is new.
    converge(&app, &peer);
    assert_eq!(app.notes.get(&3).unwrap(), Some(note(3, "after")));
    // The rows that the rebuild took over without knowing their items are compared once these come.
    let kept = app.quarantine().unwrap();
    assert!(kept.len() <= 1 && kept.iter().all(|kept| kept.key() == "3"), "{kept:?}");
}

//! Late edits and removals in corners that are rare on devices, and common in the simulation.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use crate::support::give;
use heirloom::__private::{StorageHook, StorageOp};
use heirloom::{ErrorKind, Store};
use tempfile::TempDir;

mod v0 {
    use heirloom::{Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes")]
    pub struct Note {
        #[key]
        pub id: String,
        pub text: String,
    }

    #[derive(Debug, Store)]
    #[store(name = "late")]
    pub struct App {
        pub notes: Table<Note>,
    }
}

/// A conversion of its own, which leaves keys as they are, and rows that are made.
mod v1 {
    use super::v0;
    use heirloom::migration::Migration;
    use heirloom::{Id, Store, Table};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "notes", previous = v0::Note, try_from)]
    pub struct Note {
        #[key]
        pub id: String,
        pub title: String,
    }

    impl TryFrom<v0::Note> for Note {
        type Error = String;

        fn try_from(note: v0::Note) -> Result<Self, String> {
            match note.text.as_str() {
                "unreadable" => Err("it cannot be read".to_owned()),
                _ => Ok(Self { id: note.id, title: note.text }),
            }
        }
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
    #[table(name = "words")]
    pub struct Word {
        pub id: Id<Word>,
        pub word: String,
    }

    #[derive(Debug, Store)]
    #[store(name = "late", epoch = 1, previous = v0::App, migrate = words)]
    pub struct App {
        pub notes: Table<Note>,
        pub words: Table<Word>,
    }

    fn words(m: &mut Migration<v0::App, App>) -> heirloom::Result<()> {
        let notes: Vec<v0::Note> = m.old().iter::<v0::Note>()?.collect::<heirloom::Result<_>>()?;
        for note in notes {
            let id = m.id_for::<Word>("word", &note.id);
            m.put(&Word { id, word: note.text })?;
        }
        Ok(())
    }
}

/// So many devices with the same file of epoch 0.
fn devices<const N: usize>(notes: &[&str]) -> [(TempDir, PathBuf); N] {
    let first = v0::App::in_memory().unwrap();
    for id in notes {
        first.notes.insert(&v0::Note { id: (*id).into(), text: format!("{id}, first") }).unwrap();
    }
    std::array::from_fn(|_| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("late.redb");
        give(&first, &v0::App::open(&path).unwrap());
        (folder, path)
    })
}

fn meet<A: Store, B: Store>(a: &A, b: &B) {
    for _ in 0..3 {
        give(a, b);
        give(b, a);
    }
}

fn titles(app: &v1::App) -> Vec<String> {
    app.notes.iter().unwrap().map(|note| note.unwrap().title).collect()
}

fn words(app: &v1::App) -> Vec<String> {
    let mut words: Vec<String> = app.words.iter().unwrap().map(|word| word.unwrap().word).collect();
    words.sort();
    words
}

#[test]
fn a_removal_is_known_by_its_key_where_a_conversion_has_kept_keys() {
    let [(_one, one), (_two, two), (_three, three)] = devices(&["a", "b", "c"]);
    let old = v0::App::open(&one).unwrap();
    let new = [v1::App::open(&two).unwrap(), v1::App::open(&three).unwrap()];
    old.notes.remove("b").unwrap();
    // Of each pair, one comes to the other's document, and compares it with all others as a whole.
    for app in &new {
        meet(&old, app);
    }
    meet(&new[0], &new[1]);
    for app in &new {
        assert_eq!(titles(app), ["a, first", "c, first"]);
        assert_eq!(app.quarantine().unwrap().len(), 0);
    }
}

#[test]
fn a_row_that_was_made_is_removed_by_whoever_saw_it_as_it_is() {
    let [(_one, one), (_two, two), (_three, three)] = devices(&["a", "b", "c", "d"]);
    let apps = [v1::App::open(&one).unwrap(), v1::App::open(&two).unwrap()];
    let word = |app: &v1::App, text: &str| {
        let found = app.words.iter().unwrap().map(Result::unwrap).find(|word| word.word == text);
        found.unwrap().id
    };
    // One of the two migrations loses, and knows of its users' removals only by what it has noted.
    for (app, removed, edited) in [(&apps[0], "a", "b"), (&apps[1], "c", "d")] {
        app.words.remove(&word(app, &format!("{removed}, first"))).unwrap();
        let id = word(app, &format!("{edited}, first"));
        app.words.update(&id, |word| word.word = "between".into()).unwrap();
        app.words.remove(&id).unwrap();
    }
    meet(&apps[0], &apps[1]);
    assert_eq!((words(&apps[0]), words(&apps[1])), (Vec::new(), Vec::new()));

    // The row made of a note that has changed is not the one that they have removed.
    let old = v0::App::open(&three).unwrap();
    old.notes.update("a", |note| note.text = "a, later".into()).unwrap();
    meet(&old, &apps[0]);
    meet(&apps[0], &apps[1]);
    assert_eq!(words(&apps[0]), ["a, later"]);
    assert_eq!(words(&apps[1]), ["a, later"]);
}

#[test]
fn what_came_late_stays_though_its_document_was_given_up() {
    let [(_one, one), (_two, two), (_three, three), (_four, four)] = devices(&["a", "b", "c"]);
    let olds = [v0::App::open(&one).unwrap(), v0::App::open(&two).unwrap()];
    let news = [v1::App::open(&three).unwrap(), v1::App::open(&four).unwrap()];
    for (old, new, id) in [(&olds[0], &news[0], "a"), (&olds[1], &news[1], "b")] {
        old.notes.update(id, |note| note.text = format!("{id}, late")).unwrap();
        give(old, new);
        let pruned = new.prune_epochs().unwrap();
        assert_eq!((pruned.gone().count(), pruned.kept().count()), (1, 0), "{pruned:?}");
    }
    meet(&news[0], &news[1]);
    for new in &news {
        assert_eq!(titles(new), ["a, late", "b, late", "c, first"]);
        assert_eq!(new.quarantine().unwrap().len(), 0);
        new.compact_history().unwrap();
        assert_eq!(titles(new), ["a, late", "b, late", "c, first"]);
    }
    // The documents come back with what nobody has seen yet.
    olds[0].notes.update("c", |note| note.text = "c, late".into()).unwrap();
    for (old, new) in olds.iter().zip(&news) {
        meet(old, new);
    }
    meet(&news[0], &news[1]);
    for new in &news {
        assert_eq!(titles(new), ["a, late", "b, late", "c, late"]);
    }
}

#[test]
fn an_older_state_of_what_was_made_goes_with_the_newer_one_that_was_removed() {
    for is_first in [true, false] {
        let [(_one, one), (_two, two)] = devices(&["a"]);
        let late = v0::App::open(&one).unwrap();
        late.notes.update("a", |note| note.text = "a, second".into()).unwrap();
        drop(late);
        // Either of the two migrations may win.
        let early = is_first.then(|| v1::App::open(&two).unwrap());
        let late = v1::App::open(&one).unwrap();
        assert_eq!(words(&late), ["a, second"]);
        let made = late.words.iter().unwrap().next().unwrap().unwrap().id;
        late.words.remove(&made).unwrap();
        let early = early.unwrap_or_else(|| v1::App::open(&two).unwrap());
        assert_eq!(words(&early), ["a, first"]);
        meet(&late, &early);
        for app in [&late, &early] {
            assert_eq!((titles(app), words(app)), (vec!["a, second".to_owned()], Vec::new()));
        }
    }
}

#[test]
fn what_could_not_be_converted_stays_beside_an_edit_whose_author_did_not_know_it() {
    let [(_one, one), (_two, two)] = devices(&["a"]);
    let rebuilt = v0::App::open(&two).unwrap();
    rebuilt.compact_history().unwrap();
    let old = v0::App::open(&one).unwrap();
    old.notes.insert(&v0::Note { id: "b".into(), text: "unreadable".into() }).unwrap();
    give(&rebuilt, &old);
    drop(old);
    let new = v1::App::open(&one).unwrap();
    assert_eq!(titles(&new), ["a, first"]);
    rebuilt.notes.insert(&v0::Note { id: "b".into(), text: "b, elsewhere".into() }).unwrap();
    meet(&rebuilt, &new);
    assert_eq!(titles(&new), ["a, first", "b, elsewhere"]);
    // The note, and the word that was made of it.
    let kept = new.quarantine().unwrap();
    let tables: Vec<_> = kept.iter().map(|kept| kept.table().unwrap_or_default()).collect();
    assert_eq!(tables, ["notes", "words"]);
    assert!(kept.iter().all(|kept| kept.theirs().to_string().contains("unreadable")), "{kept:?}");
}

#[test]
fn what_could_not_be_converted_is_kept_beside_what_an_edit_has_displaced() {
    for is_refused_first in [true, false] {
        let [(_one, one), (_two, two)] = devices(&["a"]);
        let old = v0::App::open(&one).unwrap();
        old.notes.update("a", |note| note.text = "unreadable".into()).unwrap();
        drop(old);
        let refused = v1::App::open(&one).unwrap();
        assert_eq!(refused.prune_epochs().unwrap().gone().count(), 1);
        let mine = v1::App::in_memory().unwrap();
        mine.notes.insert(&v1::Note { id: "a".into(), title: "mine".into() }).unwrap();

        // Both have something to say of the row that it has as it was at first.
        let new = v1::App::open(&two).unwrap();
        new.compact_history().unwrap();
        if is_refused_first {
            give(&refused, &new);
        }
        give(&mine, &new);
        give(&refused, &new);
        assert_eq!(titles(&new), ["mine"]);
        let notes = || -> Vec<_> {
            let kept = new.quarantine().unwrap();
            kept.into_iter().filter(|kept| kept.table() == Some("notes")).collect()
        };
        let texts: Vec<_> = notes().iter().map(|kept| kept.theirs().to_owned()).collect();
        assert_eq!(texts.len(), 2, "{texts:?}");
        for (text, part) in texts.iter().zip(["unreadable", "a, first"]) {
            assert!(text.contains(part), "{texts:?}");
        }
        for kept in notes() {
            let ours = kept.ours().unwrap_or_default();
            assert!(kept.key() == "a" && ours.contains("mine"), "{kept:?}");
        }
        notes()[1].accept().unwrap();
        assert_eq!(titles(&new), ["a, first"]);
        assert_eq!(notes().len(), 1);
        // An edit that was decided on does not come again.
        meet(&refused, &new);
        meet(&mine, &new);
        assert_eq!((titles(&new), notes().len()), (vec!["a, first".to_owned()], 1));
    }
}

#[test]
fn a_copied_row_goes_with_who_knew_it_though_its_own_document_has_something_else_since() {
    let [(_one, one), (_two, two), (_three, three)] = devices(&["a", "b"]);
    let old = v0::App::open(&one).unwrap();
    let [remover, rebuilt] = [two, three].map(|path| v1::App::open(path).unwrap());
    meet(&remover, &rebuilt);
    // The one that is rebuilt knows more of the old document than who removes the row.
    old.notes.update("b", |note| note.text = "b, late".into()).unwrap();
    give(&old, &rebuilt);
    rebuilt.compact_history().unwrap();
    remover.notes.remove("a").unwrap();
    old.notes.update("a", |note| note.text = "unreadable".into()).unwrap();
    give(&old, &rebuilt);
    assert_eq!(titles(&rebuilt), ["a, first", "b, late"]);
    meet(&remover, &rebuilt);
    for app in [&remover, &rebuilt] {
        assert_eq!(titles(app), ["b, late"]);
        let kept = app.quarantine().unwrap();
        assert!(kept.iter().any(|kept| kept.table() == Some("notes")), "{kept:?}");
    }
}

#[test]
fn older_code_does_not_write_under_numbers_that_were_given_up() {
    let [(_one, one), (_two, two)] = devices(&[]);
    let put = |app: &v0::App, id: &str| {
        app.notes.insert(&v0::Note { id: id.into(), text: id.into() }).unwrap();
    };
    let old = v0::App::open(&one).unwrap();
    put(&old, "a");
    drop(old);
    let new = v1::App::open(&one).unwrap();
    assert_eq!(new.prune_epochs().unwrap().gone().count(), 1);
    // The document comes again, without what was written in it here.
    let other = v0::App::open(&two).unwrap();
    put(&other, "b");
    give(&other, &new);
    drop(new);
    let old = v0::App::open(&one).unwrap();
    put(&old, "c");
    meet(&old, &other);
    drop(other);
    let other = v1::App::open(&two).unwrap();
    assert_eq!(titles(&other), ["a", "b", "c"]);
    drop(old);
    assert_eq!(titles(&v1::App::open(&one).unwrap()), ["a", "b", "c"]);
}

#[test]
fn what_a_function_made_comes_again_with_the_same_text() {
    let [(_one, one), (_two, two), (_three, three)] = devices(&["a"]);
    let (old, new) = (v0::App::open(&one).unwrap(), v1::App::open(&two).unwrap());
    let other = v1::App::open(&three).unwrap();
    for text in ["a, second", "a, first", "a, third", "a, first"] {
        old.notes.update("a", |note| note.text = text.into()).unwrap();
        meet(&old, &new);
        assert_eq!((words(&new), new.quarantine().unwrap().len()), (vec![text.to_owned()], 0));
        meet(&new, &other);
        meet(&old, &other);
        assert_eq!((words(&other), other.quarantine().unwrap().len()), (vec![text.to_owned()], 0));
    }
    new.compact_history().unwrap();
    assert_eq!(words(&new), ["a, first"]);
}

#[test]
fn nothing_is_made_of_an_edit_that_waits_before_it_is_accepted() {
    let [(_one, one), (_two, two)] = devices(&["a"]);
    let old = v0::App::open(&one).unwrap();
    {
        let rebuilt = v0::App::open(&two).unwrap();
        rebuilt.compact_history().unwrap();
        rebuilt.notes.update("a", |note| note.text = "rebuilt".into()).unwrap();
    }
    let new = v1::App::open(&two).unwrap();
    old.notes.update("a", |note| note.text = "beside".into()).unwrap();
    meet(&old, &new);
    let other = v1::App::in_memory().unwrap();
    meet(&old, &other);
    meet(&new, &other);
    for app in [&new, &other] {
        assert_eq!((titles(app), words(app)), (vec!["rebuilt".into()], vec!["rebuilt".into()]));
        let kept = app.quarantine().unwrap();
        let [kept] = kept.as_slice() else { panic!("{kept:?}") };
        assert_eq!(kept.table(), Some("notes"));
        assert!(kept.theirs().contains("beside"), "{kept:?}");
    }
    other.quarantine().unwrap().first().unwrap().accept().unwrap();
    meet(&new, &other);
    for app in [&new, &other] {
        assert_eq!((titles(app), words(app)), (vec!["beside".into()], vec!["beside".into()]));
        assert!(app.quarantine().unwrap().is_empty());
    }
}

/// A hook that counts how often the disk is waited for, beyond one time for each time that the file grows: it is
/// made durable by that, too.
fn counting_syncs() -> (StorageHook, impl Fn(&dyn Fn()) -> i64) {
    let syncs = Arc::new(AtomicI64::new(0));
    let hook: StorageHook = Arc::new({
        let syncs = syncs.clone();
        move |op| {
            let change = i64::from(op == StorageOp::Sync) - i64::from(op == StorageOp::SetLen);
            syncs.fetch_add(change, SeqCst);
            Ok(())
        }
    });
    let during = move |work: &dyn Fn()| {
        let before = syncs.load(SeqCst);
        work();
        syncs.load(SeqCst) - before
    };
    (hook, during)
}

#[test]
fn carrying_any_number_of_late_edits_takes_one_durable_commit() {
    let ids: Vec<String> = (0..400).map(|id| id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let [(_one, one), (_two, two)] = devices(&ids);
    let old = v0::App::open(&one).unwrap();
    let (hook, syncs_during) = counting_syncs();
    let new = v1::App::builder().storage_hook(hook).open(&two).unwrap();
    meet(&old, &new);
    let one = syncs_during(&|| {
        new.notes.put(&v1::Note { id: "mine".into(), title: "mine".into() }).unwrap();
    });
    assert!(one > 0);
    for id in &ids {
        old.notes.update(*id, |note| note.text = format!("{id}, later")).unwrap();
    }
    let applied = syncs_during(&|| drop(give(&old, &new)));
    assert_eq!(titles(&new).iter().filter(|title| title.ends_with("later")).count(), 400);
    assert_eq!(words(&new).iter().filter(|word| word.ends_with("later")).count(), 400);
    assert_eq!(applied, one);
}

#[test]
fn changes_of_several_documents_wait_for_the_disk_together() {
    let [(_one, one), (_two, two), (_three, three)] = devices(&["a", "b", "c"]);
    let old = v0::App::open(&one).unwrap();
    let beside = v1::App::open(&three).unwrap();
    let (hook, syncs_during) = counting_syncs();
    let new = v1::App::builder().storage_hook(hook).open(&two).unwrap();
    let one = syncs_during(&|| {
        new.notes.put(&v1::Note { id: "a".into(), title: "mine".into() }).unwrap();
    });
    old.notes.update("b", |note| note.text = "of before".into()).unwrap();
    beside.notes.put(&v1::Note { id: "c".into(), title: "beside".into() }).unwrap();
    meet(&old, &beside);
    // The head document, that of before, and another one of this epoch, which may become the current one.
    let applied = syncs_during(&|| drop(give(&beside, &new)));
    assert_eq!(titles(&new), ["mine", "of before", "beside"]);
    assert!(applied <= 2 * one, "{applied} where a commit has {one}");

    meet(&new, &beside);
    old.notes.update("b", |note| note.text = "later".into()).unwrap();
    beside.notes.put(&v1::Note { id: "c".into(), title: "further".into() }).unwrap();
    give(&old, &beside);
    let applied = syncs_during(&|| drop(give(&beside, &new)));
    assert_eq!(titles(&new), ["mine", "later", "further"]);
    assert_eq!(applied, one);
}

#[test]
fn changes_that_the_disk_refuses_are_undone_as_a_whole_and_can_be_taken_in_again() {
    let [(_one, one), (_two, two)] = devices(&["a", "b"]);
    let old = v0::App::open(&one).unwrap();
    let is_full = Arc::new(AtomicBool::new(false));
    let hook: StorageHook = Arc::new({
        let is_full = is_full.clone();
        move |op| match op {
            StorageOp::Sync if is_full.load(SeqCst) => Err(std::io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    });
    let new = v1::App::builder().storage_hook(hook).open(&two).unwrap();
    meet(&old, &new);
    let told = Arc::new(Mutex::new(Vec::new()));
    let _subscription = new.notes.observe({
        let told = told.clone();
        move |changes| {
            told.lock().unwrap().extend(changes.iter().map(|change| change.key().clone()))
        }
    });
    old.notes.update("a", |note| note.text = "later".into()).unwrap();
    let changes = old.changes_since(&new.summary().unwrap()).unwrap();
    is_full.store(true, SeqCst);
    assert_eq!(new.apply(&changes).unwrap_err().kind(), ErrorKind::Storage);
    assert_eq!(titles(&new), ["a, first", "b, first"]);
    assert_eq!(words(&new), ["a, first", "b, first"]);
    is_full.store(false, SeqCst);
    new.notes.put(&v1::Note { id: "c".into(), title: "beside".into() }).unwrap();
    assert_eq!(*told.lock().unwrap(), ["c"]);
    new.apply(&changes).unwrap();
    assert_eq!(titles(&new), ["later", "b, first", "beside"]);
    assert_eq!(*told.lock().unwrap(), ["c", "a"]);
    drop(new);
    assert_eq!(titles(&v1::App::open(&two).unwrap()), ["later", "b, first", "beside"]);
}

#[test]
fn what_a_migration_made_of_less_does_not_come_back_for_what_another_made_of_more() {
    // Which of the two migrations becomes current is drawn.
    for _ in 0..6 {
        let [(_one, one), (_two, two), (_three, three)] = devices(&["a"]);
        let middle = v0::App::open(&one).unwrap();
        middle.compact_history().unwrap();
        {
            let (left, right) = (v0::App::open(&two).unwrap(), v0::App::open(&three).unwrap());
            meet(&middle, &left);
            meet(&middle, &right);
            right.notes.update("a", |note| note.text = "second".into()).unwrap();
            left.notes.put(&v0::Note { id: "b".into(), text: "b".into() }).unwrap();
        }
        middle.notes.remove("a").unwrap();
        let (left, right) = (v1::App::open(&two).unwrap(), v1::App::open(&three).unwrap());
        let word = right.words.iter().unwrap().next().unwrap().unwrap();
        assert_eq!(word.word, "second");
        right.words.remove(&word.id).unwrap();
        meet(&left, &middle);
        meet(&right, &middle);
        meet(&left, &middle);
        meet(&right, &left);
        for app in [&left, &right] {
            assert_eq!(
                (titles(app), words(app)),
                (vec!["second".into(), "b".into()], vec!["b".into()])
            );
        }
    }
}

/// The texts that an app lists as lost.
fn lost(app: &impl Store) -> Vec<String> {
    let lost = app.lost_edits().unwrap().into_iter().map(|lost| lost.loser().to_owned());
    let text = |json: String| {
        let row: serde_json::Value = serde_json::from_str(&json).unwrap();
        row.get("text").or_else(|| row.get("title")).unwrap().as_str().unwrap().to_owned()
    };
    lost.map(text).collect()
}

#[test]
fn an_edit_that_lost_before_both_devices_had_migrated_is_listed() {
    for _ in 0..6 {
        let [(_one, one), (_two, two)] = devices(&["a", "b"]);
        for (path, text) in [(&one, "of one"), (&two, "of two")] {
            let app = v0::App::open(path).unwrap();
            app.notes.update("a", |note| note.text = text.into()).unwrap();
        }
        let [one, two] = [&one, &two].map(|path| v1::App::open(path).unwrap());
        let told = Arc::new(Mutex::new(Vec::new()));
        let _subscription = two.on_conflict({
            let told = told.clone();
            move |lost| told.lock().unwrap().push(lost.loser().to_owned())
        });
        meet(&one, &two);
        assert_eq!(titles(&one), titles(&two));
        let loser = if titles(&one)[0] == "of one" { "of two" } else { "of one" };
        // The second device merged both first, and the first one hears of its own alone.
        let of_one: &[&str] = if loser == "of one" { &["of one"] } else { &[] };
        assert_eq!(lost(&one), of_one);
        assert_eq!(lost(&two), [loser]);
        assert_eq!(told.lock().unwrap().len(), 1);

        // It has the shape of the epoch in which it was written.
        let listed = two.lost_edits().unwrap().remove(0);
        assert_eq!(listed.take().unwrap_err().kind(), ErrorKind::InvalidRow);
        listed.dismiss().unwrap();
        meet(&one, &two);
        assert_eq!(lost(&two), [""; 0]);
    }
}

#[test]
fn an_edit_that_lost_before_both_devices_had_rebuilt_can_be_taken() {
    for _ in 0..4 {
        let [(_one, one), (_two, two)] = devices(&["a", "b"]);
        let [one, two] = [&one, &two].map(|path| v0::App::open(path).unwrap());
        for (app, text) in [(&one, "of one"), (&two, "of two")] {
            app.notes.update("a", |note| note.text = text.into()).unwrap();
            app.compact_history().unwrap();
        }
        meet(&one, &two);
        let stands = |app: &v0::App| app.notes.get("a").unwrap().unwrap().text;
        assert_eq!(stands(&one), stands(&two));
        let loser = if stands(&one) == "of one" { "of two" } else { "of one" };
        assert_eq!(lost(&two), [loser]);
        two.lost_edits().unwrap()[0].take().unwrap();
        meet(&one, &two);
        assert_eq!([stands(&one), stands(&two)], [loser, loser]);
        assert_eq!((lost(&one), lost(&two)), (Vec::new(), Vec::new()));
    }
}

#[test]
fn an_edit_that_was_written_over_since_is_not_lost_where_it_loses() {
    for _ in 0..6 {
        let [(_one, one), (_two, two)] = devices(&["a", "b"]);
        let old = v0::App::open(&one).unwrap();
        v0::App::open(&two).unwrap().notes.update("a", |note| note.text = "mine".into()).unwrap();
        let new = v1::App::open(&two).unwrap();
        new.notes.update("a", |note| note.title = "mine, and more".into()).unwrap();
        old.notes.update("a", |note| note.text = "of old code".into()).unwrap();
        meet(&old, &new);
        assert_eq!(titles(&new)[0], "mine, and more");
        // Its author wrote over it. The other edit waits, or has lost.
        assert!(!lost(&new).contains(&"mine".to_owned()));
        let waits = new.quarantine().unwrap().len() == 1;
        assert_ne!(waits, lost(&new).contains(&"of old code".to_owned()));
    }
}

#[test]
fn an_edit_that_a_removal_displaced_in_an_older_document_is_listed() {
    for _ in 0..8 {
        let [(_one, one), (_two, two)] = devices(&["a", "b"]);
        let old = v0::App::open(&one).unwrap();
        v0::App::open(&two).unwrap().notes.update("a", |note| note.text = "mine".into()).unwrap();
        let new = v1::App::open(&two).unwrap();
        old.notes.update("a", |note| note.text = "of old code".into()).unwrap();
        old.notes.remove("a").unwrap();
        give(&old, &new);
        let shows = titles(&new).contains(&"mine".to_owned());
        assert_ne!(shows, lost(&new).contains(&"mine".to_owned()));
    }
}

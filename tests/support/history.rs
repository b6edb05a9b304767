//! A history of transactions that a file may hold a beginning of.

use std::path::Path;

use super::{Note, Notebook, Settings, content, note};

/// One transaction of each kind that the file can see; `number` says how many came before.
pub fn transaction(app: &Notebook, number: u32) -> heirloom::Result<()> {
    app.transaction(|tx| {
        tx.set(&app.settings.size, &(number + 1))?;
        tx.insert(&note(100 + number, &"x".repeat(3000)))?;
        match number % 3 {
            0 => tx.insert(&note(number, "short-lived")),
            1 => tx.remove::<Note>(&(number - 1)).map(drop),
            _ => tx.update::<Note>(&(100 + number - 1), |note| note.stars = 1).map(drop),
        }
    })
}

/// Returns the content of a store after the first `commits` transactions.
pub fn after(commits: u32) -> (Vec<Note>, Settings) {
    let app = Notebook::in_memory().unwrap();
    (0..commits).for_each(|number| transaction(&app, number).unwrap());
    content(&app)
}

/// Which of the states the file holds: the number of transactions.
#[track_caller]
pub fn commits_in(path: &Path) -> u32 {
    let app = Notebook::open(path).unwrap();
    let size = app.settings.size.get().unwrap();
    let commits = if app.notes.is_empty().unwrap() { 0 } else { size };
    assert!(content(&app) == after(commits), "the file is between two commits: {size}");
    commits
}

//! `todo sync`: two files, merged without a server.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;

use heirloom::watch::Delta;

use crate::schema::{Todo, TodoList};

/// Brings both files to the same state.
///
/// Todos that only one side added, changed or removed come through as they are. If both changed the same todo,
/// its fields merge one by one: of two changes of one field, one wins, the same in both files, and the other is
/// shown. An edit wins over a removal that did not know it.
pub fn sync(
    app: &TodoList,
    file: &Path,
    other: &Path,
    create: bool,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    if !create && !other.exists() {
        return Err(format!("there is no file {}; `--create` makes it", other.display()).into());
    }
    if other.exists() && other.canonicalize()? == file.canonicalize()? {
        return Err("that is the same file; name another one to sync with".into());
    }
    let other = TodoList::open(other)?;
    // A live list: its first delta is all that is open now, each later one what a commit changed.
    let open = app.todos.filter(Todo::DONE_ON.is_none()).watch()?;
    open.recv()?;
    let came = app.apply(&other.changes_since(&app.summary()?)?)?;
    let went = other.apply(&app.changes_since(&other.summary()?)?)?;
    // The edit of a todo that the other file had removed without knowing it is written again.
    app.apply(&other.changes_since(&app.summary()?)?)?;
    match (came.rows() + came.entries(), went.rows() + went.entries()) {
        (0, 0) => writeln!(out, "Both files were the same already.")?,
        (came, went) => writeln!(out, "Changes that came: {came}. Changes that went: {went}.")?,
    }
    if let Some(delta) = open.try_recv()? {
        show(&delta, out)?;
    }
    for lost in app.lost_edits()? {
        let todo = lost.loser_as::<Todo>()?;
        writeln!(out, "  ! changed in both files; this was lost: {}", todo.text)?;
        lost.dismiss()?;
    }
    Ok(())
}

/// Prints the changes of the list of open todos.
fn show(delta: &Delta<Todo>, out: &mut impl Write) -> io::Result<()> {
    for new in delta.inserted() {
        writeln!(out, "  + {}", new.row().text)?;
    }
    for changed in delta.updated() {
        writeln!(out, "  ~ {} (was {})", changed.new().text, changed.old().text)?;
    }
    for gone in delta.removed() {
        writeln!(out, "  - {}", gone.row().text)?;
    }
    Ok(())
}

//! The commands that change todos. Each is one transaction, so that it happens or does not.

use std::error::Error;
use std::io::Write;

use heirloom::Id;
use jiff::civil::Date;

use crate::cli::Edit;
use crate::date;
use crate::list::describe;
use crate::pick::{pick, pick_one, todos};
use crate::schema::{Todo, TodoList};

type Outcome = Result<(), Box<dyn Error>>;

pub fn add(app: &TodoList, words: &[String], due: Option<Date>, out: &mut impl Write) -> Outcome {
    let todo = Todo { id: Id::new(), text: text(words)?, due, done_on: None };
    app.todos.insert(&todo)?;
    writeln!(out, "Added {}: {}", app.todos.len()?, describe(&todo, date::today()))?;
    Ok(())
}

pub fn done(app: &TodoList, which: &[String], undo: bool, out: &mut impl Write) -> Outcome {
    let picked = pick(&todos(app)?, which)?;
    let done_on = (!undo).then(date::today);
    app.transaction(|tx| {
        for todo in picked.iter().filter(|todo| todo.done_on.is_some() == undo) {
            tx.update::<Todo>(&todo.id, |todo| todo.done_on = done_on)?;
        }
        Ok(())
    })?;
    for todo in &picked {
        let said = match (undo, todo.done_on) {
            (false, None) => "Done".to_owned(),
            (false, Some(day)) => format!("Done already, on {day}"),
            (true, Some(_)) => "Open again".to_owned(),
            (true, None) => "Open anyway".to_owned(),
        };
        writeln!(out, "{said}: {}", todo.text)?;
    }
    Ok(())
}

pub fn edit(app: &TodoList, edit: &Edit, out: &mut impl Write) -> Outcome {
    let todos = todos(app)?;
    let todo = pick_one(&todos, &edit.which)?;
    let text = if edit.text.is_empty() { None } else { Some(text(&edit.text)?) };
    let changed = app.todos.update(&todo.id, |todo| {
        if let Some(text) = text {
            todo.text = text;
        }
        if edit.due.is_some() || edit.no_due {
            todo.due = edit.due;
        }
    })?;
    if let Some(todo) = changed {
        writeln!(out, "Changed: {}", describe(&todo, date::today()))?;
    }
    Ok(())
}

pub fn remove(app: &TodoList, which: &[String], out: &mut impl Write) -> Outcome {
    let picked = pick(&todos(app)?, which)?;
    app.todos.filter(Todo::ID.is_in(picked.iter().map(|todo| todo.id))).remove_all()?;
    for todo in &picked {
        writeln!(out, "Removed: {}", todo.text)?;
    }
    Ok(())
}

pub fn clear_done(app: &TodoList, out: &mut impl Write) -> Outcome {
    match app.todos.filter(Todo::DONE_ON.is_some()).remove_all()? {
        0 => writeln!(out, "Nothing was done, so nothing was removed.")?,
        1 => writeln!(out, "Removed 1 todo.")?,
        count => writeln!(out, "Removed {count} todos.")?,
    }
    Ok(())
}

/// One line, whatever white space came in.
fn text(words: &[String]) -> Result<String, &'static str> {
    let text = words.iter().flat_map(|word| word.split_whitespace()).collect::<Vec<_>>().join(" ");
    if text.is_empty() { Err("a todo needs some text") } else { Ok(text) }
}

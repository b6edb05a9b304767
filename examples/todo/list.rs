//! `todo list`.

use std::io::{self, IsTerminal, Write};

use jiff::civil::Date;

use crate::cli::List;
use crate::date;
use crate::schema::{Colour, Order, Todo};

/// How many characters of an id tell todos apart.
const ID_CHARS: usize = 6;

pub fn list(
    todos: &[Todo],
    order: Order,
    colour: Colour,
    options: &List,
    out: &mut impl Write,
) -> io::Result<()> {
    let today = date::today();
    let mut shown: Vec<(usize, &Todo)> = (1..).zip(todos).collect();
    shown.retain(|(_, todo)| options.all || todo.done_on.is_none());
    if order == Order::Due {
        // Those without a date come last; the sort keeps the order of adding where dates are equal.
        shown.sort_by_key(|(_, todo)| (todo.due.is_none(), todo.due));
    }
    if shown.is_empty() {
        return match todos.len() {
            0 => writeln!(out, "Nothing to do. `todo add water the plants` adds something."),
            done => writeln!(out, "All {done} done. `todo list --all` shows them."),
        };
    }
    let pen = Pen::new(colour);
    for (number, todo) in shown {
        let id = if options.ids { id_end(todo) } else { String::new() };
        writeln!(out, "{number:>3}  {id}{}", pen.write(todo, today))?;
    }
    Ok(())
}

fn id_end(todo: &Todo) -> String {
    let id = todo.id.to_string();
    format!("…{}  ", &id[id.len() - ID_CHARS..])
}

/// A todo in one line.
pub fn describe(todo: &Todo, today: Date) -> String {
    match (todo.done_on, todo.due) {
        (Some(day), _) => format!("{} (done {day})", todo.text),
        (None, Some(due)) => format!("{} ({})", todo.text, date::in_words(due, today)),
        (None, None) => todo.text.clone(),
    }
}

/// Colours, or none.
struct Pen {
    on: bool,
}

impl Pen {
    fn new(colour: Colour) -> Self {
        let on = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                io::stdout().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        };
        Self { on }
    }

    /// Done is dim, late is red.
    fn write(&self, todo: &Todo, today: Date) -> String {
        let code = match (todo.done_on, todo.due) {
            (Some(_), _) => Some(2),
            (None, Some(due)) if due < today => Some(31),
            _ => None,
        };
        let text = describe(todo, today);
        match code.filter(|_| self.on) {
            Some(code) => format!("\x1b[{code}m{text}\x1b[0m"),
            None => text,
        }
    }
}

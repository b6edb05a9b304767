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
        writeln!(out, "{number:>3}  {id}{}", line(todo, today, &pen))?;
    }
    Ok(())
}

fn id_end(todo: &Todo) -> String {
    let id = todo.id.to_string();
    format!("…{}  ", &id[id.len() - ID_CHARS..])
}

fn line(todo: &Todo, today: Date, pen: &Pen) -> String {
    match (todo.done_on, todo.due) {
        (Some(day), _) => pen.dim(&format!("{} (done {day})", todo.text)),
        (None, Some(due)) if due < today => {
            pen.red(&format!("{} ({})", todo.text, date::in_words(due, today)))
        }
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

    fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    fn red(&self, text: &str) -> String {
        self.paint("31", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

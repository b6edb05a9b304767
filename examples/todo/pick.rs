//! Which todos a person means.

use std::error::Error;

use heirloom::ErrorKind;

use crate::schema::{Todo, TodoList};

/// A shorter text is a number or nothing: `todo remove 7` must never hit an id that ends in 7.
const MIN_ID_CHARS: usize = 4;

/// All todos in the order they were added. A todo's number is its place in this list.
pub fn todos(app: &TodoList) -> heirloom::Result<Vec<Todo>> {
    let mut todos = Vec::new();
    for todo in app.todos.iter()? {
        match todo {
            Ok(todo) => todos.push(todo),
            // One todo that newer code wrote and this code cannot read must not hide the others.
            Err(error) if error.kind() == ErrorKind::InvalidRow => eprintln!("warning: {error}"),
            Err(error) => return Err(error),
        }
    }
    Ok(todos)
}

/// The todos meant by numbers or parts of ids, each once.
pub fn pick(todos: &[Todo], which: &[String]) -> Result<Vec<Todo>, Box<dyn Error>> {
    let mut picked: Vec<Todo> = Vec::new();
    for which in which {
        let todo = pick_one(todos, which)?;
        if picked.iter().all(|other| other.id != todo.id) {
            picked.push(todo.clone());
        }
    }
    Ok(picked)
}

/// The one todo meant by a number, or by the beginning or the end of an id.
///
/// Ids begin with the time they were made, so that those of one day begin alike; it is their ends
/// that tell them apart.
pub fn pick_one<'t>(todos: &'t [Todo], which: &str) -> Result<&'t Todo, String> {
    let place = which.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    if let Some(todo) = place.and_then(|place| todos.get(place)) {
        return Ok(todo);
    }
    let found: Vec<&Todo> = todos.iter().filter(|todo| is_part_of_id(which, todo)).collect();
    match found.as_slice() {
        [todo] => Ok(todo),
        [] => Err(format!("there is no todo `{which}`; `todo list --all --ids` shows them all")),
        several => Err(format!(
            "`{which}` could be any of {} todos; write more of the id, or the number",
            several.len()
        )),
    }
}

fn is_part_of_id(part: &str, todo: &Todo) -> bool {
    let id = todo.id.to_string();
    let digits = id.rsplit('_').next().unwrap_or(&id);
    part.len() >= MIN_ID_CHARS
        && (id.starts_with(part) || digits.starts_with(part) || id.ends_with(part))
}

#[cfg(test)]
mod tests {
    use super::{Todo, pick_one};

    fn todo(id: &str) -> Todo {
        let id = id.parse().unwrap();
        Todo { id, text: String::new(), due: None, done_on: None }
    }

    #[test]
    fn numbers_and_both_ends_of_ids_pick() {
        let todos = [
            todo("todos_01h455vb4pex5vsknk084sn02q"),
            todo("todos_01h455vb4pex5vsknk084sn777"),
            todo("todos_01j455vb4pex5vsknk084s777q"),
        ];
        let pick = |which| pick_one(&todos, which).map(|todo| todo.id.to_string());
        assert_eq!(pick("3"), Ok(todos[2].id.to_string()));
        assert_eq!(pick("n02q"), Ok(todos[0].id.to_string()));
        assert_eq!(pick("n777"), Ok(todos[1].id.to_string()));
        assert_eq!(pick("01j4"), Ok(todos[2].id.to_string()));
        assert_eq!(pick("todos_01j"), Ok(todos[2].id.to_string()));
        for ambiguous in ["01h4", "todos_01"] {
            assert!(pick(ambiguous).unwrap_err().contains("could be"), "{ambiguous}");
        }
        for nothing in ["", "0", "4", "77q", "milk"] {
            assert!(pick(nothing).unwrap_err().contains("no todo"), "{nothing}");
        }
    }
}

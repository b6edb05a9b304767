//! The file that the todos are in.

use std::error::Error;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use crate::schema::TodoList;

/// The file asked for, or the one in the platform's data directory.
pub fn locate(asked_for: Option<PathBuf>) -> Result<PathBuf, &'static str> {
    match asked_for {
        Some(file) if file.as_os_str().is_empty() => {
            Err("the name of the file is empty; check --file and TODO_FILE")
        }
        Some(file) => Ok(file),
        None => ProjectDirs::from("", "", "heirloom-todo")
            .map(|folders| folders.data_dir().join("todo.redb"))
            .ok_or("you have no home directory; say where the file goes with --file or TODO_FILE"),
    }
}

/// Opens the file, and makes it and its folder the first time.
pub fn open(file: &Path) -> Result<TodoList, Box<dyn Error>> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("cannot make the folder {}: {error}", folder.display()))?;
    }
    Ok(TodoList::open(file)?)
}

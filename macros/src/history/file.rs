//! Finding the file, and what may be wrong with it.

use std::ffi::OsStr;
use std::path::Path;
use std::{env, fs, io};

use serde_json::Value;

use super::branches::{chain, in_conflict};
use super::lines::Lines;
use super::recorded::{Recorded, recorded};
use crate::diag::Diag;
use crate::model::Store;

/// What a history file says it is.
const KIND: &str = "schema history";
/// The newest layout that is known here.
const FORMAT: u64 = 1;

/// What to do about a file that is not as it was written.
pub(super) const RESTORE: &str = "restore it from version control";

/// The history of a store whose file is there.
#[derive(Debug)]
pub(crate) struct History {
    /// The path as written, from the folder of the crate.
    pub(crate) path: String,
    /// The newest version, if one is recorded and its epoch is that of the struct: an epoch may
    /// change everything.
    pub(crate) newest: Option<Recorded>,
}

/// Reads the history of a store; nothing where there is none yet.
pub(crate) fn read(store: &Store, diag: &mut Diag) -> Option<History> {
    let literal = store.history.as_ref()?;
    let path = literal.value();
    let result = text(&path).and_then(|text| match text {
        None => Ok(None),
        Some(text) => newest(&text, store, &path).map(Some),
    });
    match result {
        Ok(None) => None,
        Ok(Some(newest)) => Some(History { path, newest }),
        Err(error) => {
            diag.error(literal, error);
            None
        }
    }
}

/// The text of the file, if there is one.
fn text(path: &str) -> Result<Option<String>, String> {
    let Some(folder) = env::var_os("CARGO_MANIFEST_DIR") else {
        return Err(format!(
            "`{path}` stands in the folder of the crate, and only cargo tells where that is \
             (`CARGO_MANIFEST_DIR`); build with cargo, or remove `history`"
        ));
    };
    read_at(&folder, path)
}

fn read_at(folder: &OsStr, path: &str) -> Result<Option<String>, String> {
    let file = Path::new(folder).join(path);
    let bytes = match fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) if file.is_dir() => {
            return Err(format!(
                "`{path}` is a folder; name a file in it, as in `history = \"{}/app.json\"`",
                path.trim_end_matches('/')
            ));
        }
        Err(error) => {
            return Err(format!("the history file `{path}` cannot be read: {error}"));
        }
    };
    String::from_utf8(bytes).map(Some).map_err(|_| not_ours(path))
}

fn newest(text: &str, store: &Store, path: &str) -> Result<Option<Recorded>, String> {
    if text.trim_ascii().is_empty() {
        return Err(format!(
            "the history file `{path}` is empty; {RESTORE}, or remove the file where there never \
             was more in it"
        ));
    }
    let lines = Lines::new(text);
    if lines.has_markers {
        return Err(in_conflict(text, path));
    }
    header(&lines, store, path)?;
    if !lines.is_whole {
        return Err(not_whole(path));
    }
    chain(&lines.versions, path)?;
    let Some(entry) = &lines.newest else { return Ok(None) };
    let version = lines.versions.last().map_or("", |version| version.number);
    if !entry.is_intact() {
        return Err(format!(
            "version {version} in `{path}` was edited by hand, and what is recorded never changes; \
             {RESTORE}, and record what is new as another version: `HEIRLOOM=record cargo test`"
        ));
    }
    let recorded = recorded(entry).ok_or_else(|| {
        format!("version {version} in `{path}` does not read as a schema; update heirloom")
    })?;
    match u64::from(store.epoch()).cmp(&recorded.epoch) {
        std::cmp::Ordering::Less => Err(format!(
            "version {version} in `{path}` is of epoch {}, and this store is of epoch {}; epochs \
             are never taken back: write `epoch = {}`",
            recorded.epoch,
            store.epoch(),
            recorded.epoch
        )),
        std::cmp::Ordering::Equal => Ok(Some(recorded)),
        std::cmp::Ordering::Greater => Ok(None),
    }
}

/// Whether the first lines are those of this store's history, in a format known here.
fn header(lines: &Lines<'_>, store: &Store, path: &str) -> Result<(), String> {
    let head = lines.head.trim_ascii_end();
    let json = format!("{}}}", head.strip_suffix(',').unwrap_or(head));
    // In another layout, the whole file is the head.
    let header = serde_json::from_str(&json).or_else(|_| serde_json::from_str(lines.head));
    let Ok(header): Result<Value, _> = header else {
        let is_ours = lines.head.contains(KIND);
        return Err(if is_ours { not_whole(path) } else { not_ours(path) });
    };
    if header["heirloom"] != KIND {
        return Err(not_ours(path));
    }
    match header["format"].as_u64() {
        Some(1..=FORMAT) => {}
        Some(format) if format > FORMAT => {
            return Err(format!(
                "the history file `{path}` has format {format}, and this heirloom knows \
                 {FORMAT}: a newer heirloom wrote it; update heirloom"
            ));
        }
        _ => return Err(not_whole(path)),
    }
    let (own, found) = (&store.name.text, &header["store"]);
    match found.as_str() {
        Some(found) if found == own => Ok(()),
        Some(found) => Err(format!(
            "`{path}` is the history of the store `{found}`, and this store is `{own}`; name a \
             file of its own, or write `name = \"{found}\"`"
        )),
        None => Err(not_whole(path)),
    }
}

fn not_ours(path: &str) -> String {
    format!(
        "`{path}` is no schema history; name another file: `HEIRLOOM=record cargo test` makes it"
    )
}

fn not_whole(path: &str) -> String {
    format!(
        "the history file `{path}` is cut short, or is not laid out as it was recorded; {RESTORE}, \
         and let no formatter change it"
    )
}

//! The test that `#[derive(Store)]` writes beside a store with a history: it compares the code with
//! the newest recorded version, and records a new one when asked to.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tempfile::NamedTempFile;

use crate::error::{Error, ErrorKind, Result};
use crate::schema::describe::describe;
use crate::schema::descriptor::StoreDef;
use crate::schema::{Class, Diff, History, Schema, Version};
use crate::store::Store;

/// The command that records.
const RECORD: &str = "HEIRLOOM=record cargo test";

/// Compares the schema of `S` with its history file, which is relative to the crate's folder.
///
/// # Panics
///
/// If they differ, unless the environment variable `HEIRLOOM` is `record` and the changes need
/// no epoch: then they are recorded as a new version.
#[track_caller]
pub fn check_history<S: Store>(manifest_dir: &str, history: &str) {
    let path = Path::new(manifest_dir).join(history);
    let is_recording = std::env::var_os("HEIRLOOM").as_deref() == Some(OsStr::new("record"));
    let recorder = Recorder { def: &S::DEF, path, name: history };
    match recorder.run(&S::schema(), is_recording) {
        Ok(Outcome::Same) => {}
        Ok(Outcome::Recorded(what)) => eprintln!("{what}"),
        Ok(Outcome::Refused(what)) => panic!("{what}"),
        Err(error) => panic!("{error}"),
    }
}

struct Recorder<'a> {
    def: &'a StoreDef,
    path: PathBuf,
    /// The path as the attribute has it.
    name: &'a str,
}

enum Outcome {
    Same,
    Recorded(String),
    /// Something is to be recorded, and was not asked for yet; or it must not be recorded.
    Refused(String),
}

impl Recorder<'_> {
    fn run(&self, schema: &Schema, is_recording: bool) -> Result<Outcome> {
        let (store, name) = (self.def.name, self.name);
        let mut history = self.read().map_err(|error| error.at_store(store))?;
        let is_new = |newest: &Version| newest.fingerprint() != schema.fingerprint();
        if history.newest().is_some_and(is_new)
            && let Some((version, diff)) = history.breaks_with(schema)
        {
            return Ok(Outcome::Refused(format!(
                "the schema of the store `{store}` breaks with {version}, and is not recorded:\n\n\
                 {diff}\nundo the breaking changes, or start a new epoch with \
                 `#[store(epoch = {}, previous = …)]`\n",
                u64::from(schema.epoch) + 1
            )));
        }
        let before = match history.newest() {
            None => format!("the schema of the store `{store}` is not recorded yet"),
            Some(newest) if newest.epoch() < schema.epoch => {
                let begins = format!(
                    "the schema of the store `{store}` starts epoch {}, after {newest}",
                    schema.epoch
                );
                // The derives see to the differences between the structs of the two epochs.
                let unread = self.unread(newest);
                if unread.class() >= Class::Breaking {
                    return Ok(Outcome::Refused(format!(
                        "{begins}, and is not recorded: the structs of epoch {} do not read what that \
                         version wrote:\n\n{unread}\nmake them again what they were\n",
                        newest.epoch()
                    )));
                }
                match unread.is_empty() {
                    true => begins,
                    false => format!(
                        "{begins}\n\nthe structs of epoch {} are not what they were:\n\n{unread}",
                        newest.epoch()
                    ),
                }
            }
            Some(newest) => format!(
                "the schema of the store `{store}` has changed since {newest}:\n\n{}",
                newest.schema().diff(schema)
            ),
        };
        let warnings = schema.lint_since(history.newest().map(Version::schema));
        let before = match warnings.is_empty() {
            true => before,
            false => format!(
                "{before}\n\nwarnings, best heeded before this version is released:\n\n{warnings}"
            ),
        };
        if !history.record(schema, &Timestamp::now().strftime("%F").to_string())? {
            return Ok(Outcome::Same);
        }
        let number = history.versions().len();
        if !is_recording {
            return Ok(Outcome::Refused(format!(
                "{before}\nto record it as version {number} in `{name}`, run\n\n    {RECORD}\n\n\
                 and commit the file\n"
            )));
        }
        self.write(history.text()).map_err(|error| {
            Error::new(ErrorKind::Storage, "the history file cannot be written")
                .at_file(&self.path)
                .because(error)
        })?;
        Ok(Outcome::Recorded(format!(
            "{before}\nrecorded as version {number} in `{name}`; commit that file\n"
        )))
    }

    /// Returns the parts of an earlier epoch's newest version that the code's structs of it do not
    /// read.
    fn unread(&self, newest: &Version) -> Diff {
        let previous = self.def.at_epoch(newest.epoch());
        let diff = previous.map(|previous| newest.schema().diff(&describe(&previous)));
        diff.map(Diff::into_unread).unwrap_or_default()
    }

    fn read(&self) -> Result<History> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(History::new(self.def.name));
            }
            Err(error) => {
                return Err(Error::new(
                    ErrorKind::InvalidHistory,
                    "the history file cannot be read",
                )
                .at_file(&self.path)
                .because(error));
            }
        };
        let text = String::from_utf8(text).map_err(|error| {
            Error::new(
                ErrorKind::InvalidHistory,
                "the file is not a schema history: it is not text",
            )
            .at_file(&self.path)
            .because(error)
        })?;
        let history = History::parse(&text).map_err(|error| error.at_file(&self.path))?;
        if history.store() != self.def.name {
            return Err(Error::new(ErrorKind::WrongStore, "the history is that of another store")
                .at_file(&self.path)
                .expecting(format!("the history of `{}`", self.def.name))
                .finding(format!("the history of `{}`", history.store()))
                .help("name a file of its own in `#[store(history = \"…\")]`"));
        }
        Ok(history)
    }

    /// Replaces the file as a whole: two test programs may record at the same time.
    fn write(&self, text: &str) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // A file made to be committed, not a secret.
            file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        }
        file.persist(&self.path).map(drop).map_err(|error| error.error)
    }
}

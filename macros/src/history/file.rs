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

/// The kind that a history file states.
const KIND: &str = "schema history";
/// The newest layout that is known here.
const FORMAT: u64 = 1;

/// The advice about a file that is not as it was written.
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

/// Reads the history of a store; nothing if there is none yet.
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
            "`{path}` starts from the folder of the crate, which cargo names in \
             `CARGO_MANIFEST_DIR`; build with cargo, or remove `history`"
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
            "the history file `{path}` is empty; {RESTORE}, or remove the file if there never \
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
            "version {version} in `{path}` was edited by hand, and recorded versions never change; \
             {RESTORE}, and record the change as another version: `HEIRLOOM=record cargo test`"
        ));
    }
    let recorded = recorded(entry).ok_or_else(|| {
        format!("version {version} in `{path}` does not read as a schema; update heirloom")
    })?;
    match u64::from(store.epoch()).cmp(&recorded.epoch) {
        std::cmp::Ordering::Less => Err(format!(
            "version {version} in `{path}` is of epoch {}, and this store is of epoch {}; an \
             epoch is never lowered: write `epoch = {}`, or, if the struct is kept as the \
             `previous` of another, remove its `history`",
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
        "`{path}` is not a schema history; name another file: `HEIRLOOM=record cargo test` makes it"
    )
}

fn not_whole(path: &str) -> String {
    format!(
        "the history file `{path}` is cut short, or is not laid out as it was recorded; {RESTORE}, \
         and let no formatter change it"
    )
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fmt::Write as _;

    use twox_hash::XxHash3_128;

    use super::{newest, read_at};
    use crate::diag::Diag;
    use crate::history::Recorded;
    use crate::model::Store;

    /// A store `app` of this epoch.
    fn store(epoch: u32) -> Store {
        let input: syn::DeriveInput = syn::parse_quote! {
            #[store(name = "app", epoch = #epoch, history = "app.json")]
            struct App { notes: Table<Note> }
        };
        let mut diag = Diag::new();
        let syn::Data::Struct(syn::DataStruct { fields: syn::Fields::Named(fields), .. }) =
            &input.data
        else {
            unreachable!("it is a struct")
        };
        let store = Store::new(&input, fields, &mut diag);
        assert!(diag.finish().is_none());
        store
    }

    /// A file with these numbers of versions and their epochs.
    fn file(versions: &[(u32, u32)]) -> String {
        let mut text = String::from(
            "{\n  \"heirloom\": \"schema history\",\n  \"format\": 1,\n  \"store\": \"app\",\n  \
             \"versions\": [\n",
        );
        for (index, (number, epoch)) in versions.iter().enumerate() {
            let parent = match index.checked_sub(1) {
                Some(before) => format!("\"f{before}\""),
                None => "null".to_owned(),
            };
            let first = format!(
                "      \"epoch\": {epoch},\n      \"version\": {number},\n      \
                 \"fingerprint\": \"f{index}\",\n      \"parent\": {parent},\n"
            );
            let rest = "      \"schema\": {\n        \"tables\": {\n          \"notés\": {\"fields\":{}}\
                        \n        }\n      }\n";
            let checksum = XxHash3_128::oneshot(format!("{first}{rest}").as_bytes());
            let comma = if index + 1 < versions.len() { "," } else { "" };
            writeln!(
                text,
                "    {{\n{first}      \"checksum\": \"{checksum:032x}\",\n{rest}    }}{comma}"
            )
            .unwrap();
        }
        text + "  ]\n}\n"
    }

    fn numbers(result: &Result<Option<Recorded>, String>) -> Option<(u32, usize)> {
        let recorded = result.as_ref().expect("it reads").as_ref()?;
        Some((recorded.version, recorded.tables.len()))
    }

    #[test]
    fn the_newest_version_counts_if_its_epoch_is_that_of_the_struct() {
        let text = file(&[(1, 0), (2, 0), (3, 1)]);
        assert_eq!(numbers(&newest(&text, &store(1), "app.json")), Some((3, 1)));
        assert_eq!(numbers(&newest(&text, &store(2), "app.json")), None);
        let error = newest(&text, &store(0), "app.json").unwrap_err();
        assert!(error.contains("write `epoch = 1`"), "{error}");
    }

    #[test]
    fn numbers_follow_each_other() {
        for versions in [&[(2, 0)][..], &[(1, 0), (3, 0)], &[(1, 0), (1, 0)], &[(0, 0)]] {
            assert!(newest(&file(versions), &store(0), "app.json").is_err(), "{versions:?}");
        }
    }

    #[test]
    fn a_file_cut_anywhere_or_with_any_byte_changed_is_no_panic() {
        let text = file(&[(1, 0), (2, 0)]);
        assert_eq!(numbers(&newest(&text, &store(0), "app.json")), Some((2, 1)));
        let boundaries = (0..text.trim_end().len()).filter(|&cut| text.is_char_boundary(cut));
        for cut in boundaries {
            assert!(newest(&text[..cut], &store(0), "app.json").is_err(), "cut at {cut}");
        }
        let newest_version = text.rfind("\"version\"").unwrap();
        for place in 0..text.len() {
            for byte in *b" \n{},x" {
                let mut bytes = text.clone().into_bytes();
                let is_same = std::mem::replace(&mut bytes[place], byte) == byte;
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                let result = newest(&changed, &store(0), "app.json");
                let is_inside = (newest_version..text.len() - 10).contains(&place);
                assert!(result.is_err() || is_same || !is_inside, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn lines_may_end_in_two_characters() {
        let text = file(&[(1, 0), (2, 0)]).replace('\n', "\r\n");
        assert_eq!(numbers(&newest(&text, &store(0), "app.json")), Some((2, 1)));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_another_thing_than_none() {
        let folder = OsStr::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(read_at(folder, "not_there.json"), Ok(None));
        assert_eq!(read_at(folder, "not/there.json"), Ok(None));
        assert!(read_at(folder, "Cargo.toml").unwrap().is_some());
        let error = read_at(folder, "src").unwrap_err();
        assert!(error.contains("is a folder"), "{error}");
        #[cfg(unix)]
        {
            let error = read_at(folder, "Cargo.toml/app.json").unwrap_err();
            assert!(error.contains("cannot be read"), "{error}");
        }
    }
}

//! Plain wording of all that users read: pages, docs of items, errors of the runtime and of the
//! compiler.

use std::fs;
use std::path::{Path, PathBuf};

use super::pages::{read, root};

/// Words for people where a device, an author or an edit is meant.
const WORDS: [&str; 10] = [
    "he",
    "him",
    "his",
    "himself",
    "somebody",
    "nobody",
    "anybody",
    "everybody",
    "whoever",
    "whom",
];

/// Words that say in two steps what a noun or a "not a" says in one.
const PAIRS: [[&str; 2]; 11] = [
    ["that", "which"],
    ["is", "no"],
    ["is", "none"],
    ["are", "no"],
    ["are", "none"],
    ["was", "no"],
    ["were", "no"],
    ["who", "wants"],
    ["who", "knows"],
    ["who", "asks"],
    ["who", "has"],
];

/// Beginnings of sentences that lack their subject, or name a place for a condition.
const BEGINNINGS: [&str; 3] = ["What ", "Where ", "Whoever "];

/// Turns of phrase that have to be read twice.
const PHRASES: [&str; 8] = [
    "how manyth",
    "in its one spelling",
    "stands nowhere",
    "which may be more than there are",
    "implemented by itself",
    "in whatever order",
    "how often they came",
    "however often these came",
];

/// Modules and files of items that users see.
const PUBLIC: [&str; 17] = [
    "error.rs",
    "inspect/mod.rs",
    "lib.rs",
    "migration.rs",
    "query",
    "row/id.rs",
    "row/key.rs",
    "row/open/mod.rs",
    "row/order/sort_key.rs",
    "schema/described.rs",
    "schema/diff",
    "schema/history",
    "schema/mod.rs",
    "store",
    "sync",
    "testing.rs",
    "watch.rs",
];

#[test]
fn pages_are_worded_plainly() {
    let mut pages = files(&root().join("docs"), "md");
    pages.extend(files(&root().join("macros/docs"), "md"));
    let others = [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LEXICON.md",
        "examples/README.md",
        "macros/README.md",
    ];
    pages.extend(others.map(|page| root().join(page)));
    let mut mistakes = Vec::new();
    for page in pages {
        let text = read(&page);
        let mut is_code = false;
        let lines = text.lines().map(|line| {
            is_code ^= line.starts_with("```");
            match line.split_once("// ") {
                Some((_, comment)) if is_code => comment,
                _ if is_code || line.starts_with("```") => "",
                _ => line,
            }
        });
        check(&page, 0, lines, &mut mistakes);
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

/// Each begins with a verb if it is that of a function, or with "Whether" for a `bool`; with the noun if
/// it is that of a type.
#[test]
fn docs_of_public_items_are_worded_plainly() {
    let mut mistakes = Vec::new();
    for file in PUBLIC.iter().flat_map(|place| files(&root().join("runtime/src").join(place), "rs"))
    {
        let (mut doc, mut begin, mut is_hidden, mut is_inside) = (Vec::new(), 0, false, false);
        for (number, line) in read(&file).lines().enumerate() {
            // Methods of a trait and variants are as public as what they are of.
            is_inside = line.starts_with("pub trait ")
                || line.starts_with("pub enum ")
                || (is_inside && line != "}");
            let line = line.trim_start();
            if let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) {
                if doc.is_empty() {
                    begin = number;
                }
                doc.push(text.trim().to_owned());
                if line.starts_with("//!") {
                    continue;
                }
            } else if line.starts_with("#[") {
                is_hidden |= line.contains("doc(hidden)");
            } else if !line.starts_with(')') && !doc.is_empty() {
                let doc = std::mem::take(&mut doc);
                let of_module = line.is_empty() && is_module(&file);
                let is_public = line.starts_with("pub ") || is_inside || of_module;
                if std::mem::take(&mut is_hidden) || !is_public {
                    continue;
                }
                let mut is_code = false;
                let prose = doc.iter().map(|line| {
                    is_code ^= line.starts_with("```");
                    if is_code || line.starts_with("```") { "" } else { line }
                });
                check(&file, begin, prose, &mut mistakes);
                if !begins_well(&doc[0], line) {
                    mistakes.push(format!("{}:{}: {}", file.display(), begin + 1, doc[0]));
                }
            }
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

#[test]
fn errors_are_worded_plainly() {
    let mut mistakes = Vec::new();
    for file in ["runtime/src", "macros/src"].iter().flat_map(|at| files(&root().join(at), "rs")) {
        let code = read(&file);
        let code = code.split("#[cfg(test)]\nmod tests").next().unwrap();
        for (line, text) in strings(code) {
            check(&file, line, text.lines(), &mut mistakes);
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

/// Returns the texts of some code, each with the number of its line, counted from 0.
fn strings(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '\'', '/']) {
        let (before, from) = rest.split_at(at);
        let line = code[..code.len() - from.len()].matches('\n').count();
        rest = &from[1..];
        if from.starts_with("//") {
            rest = from.find('\n').map_or("", |end| &from[end..]);
        } else if from.starts_with('\'') {
            // Of a quote as a character, which begins no text.
            let quotes = ["'\"'", "'\\\"'", "'\\''", "'\\\\'"];
            let quote = quotes.iter().find(|quote| from.starts_with(**quote));
            rest = &from[quote.map_or(1, |quote| quote.len())..];
        } else if from.starts_with('"') {
            let hashes = before.len() - before.trim_end_matches('#').len();
            let is_raw = before.trim_end_matches('#').ends_with('r');
            let end = if is_raw {
                rest.find(&format!("\"{}", "#".repeat(hashes)))
            } else {
                let mut is_escaped = false;
                rest.find(|c| {
                    let ends = c == '"' && !is_escaped;
                    is_escaped = c == '\\' && !is_escaped;
                    ends
                })
            };
            let end = end.unwrap_or_else(|| panic!("a text without an end at line {line}"));
            let lines = rest[..end].split("\\\n").enumerate();
            let text = lines.map(|(at, line)| if at > 0 { line.trim_start() } else { line });
            let text: String = text.collect();
            // A path or a name has no spaces.
            if text.contains(' ') {
                found.push((line, text));
            }
            rest = &rest[end + 1..];
        }
    }
    found
}

/// Returns whether the docs of a file's module are among those that users see.
fn is_module(file: &Path) -> bool {
    let folder = file.parent().and_then(Path::file_name);
    let is_root = folder.is_some_and(|folder| folder == "src");
    let is_topic =
        folder.is_some_and(|folder| folder == "query" || folder == "schema" || folder == "sync");
    is_root || (is_topic && file.ends_with("mod.rs"))
}

fn begins_well(doc: &str, item: &str) -> bool {
    let word = doc.split(' ').next().unwrap_or_default();
    let is = |kinds: &[&str]| kinds.iter().any(|kind| item.starts_with(kind));
    if is(&["pub fn ", "pub const fn ", "fn "]) {
        return word.ends_with('s') || word == "Whether";
    }
    let is_type = is(&["pub struct ", "pub enum ", "pub trait ", "pub type "]);
    !is_type || !["How", "What", "Whether", "Where", "Which", "Who", "Why"].contains(&word)
}

/// The files in a folder, at any depth; or the file itself.
fn files(place: &Path, extension: &str) -> Vec<PathBuf> {
    if !place.is_dir() {
        return vec![place.to_owned()];
    }
    let inside = fs::read_dir(place).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = inside
        .flat_map(|path| if path.is_dir() { files(&path, extension) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|is| is == extension))
        .collect();
    files.sort();
    files
}

/// Collects the sentences of some lines that are not worded plainly.
fn check<'l>(
    file: &Path,
    first: usize,
    lines: impl Iterator<Item = &'l str>,
    mistakes: &mut Vec<String>,
) {
    let mut paragraph = String::new();
    let mut begin = first;
    for (number, line) in (first..).zip(lines.chain([""])) {
        let line = line.trim();
        let is_item = line.starts_with(['-', '*', '|', '#']);
        if line.is_empty() || is_item {
            let mut found = mistakes_of(&paragraph);
            found
                .iter_mut()
                .for_each(|found| *found = format!("{}:{begin}: {found}", file.display()));
            mistakes.append(&mut found);
            paragraph.clear();
        }
        if paragraph.is_empty() {
            begin = number + 1;
        }
        paragraph.push_str(line);
        paragraph.push(' ');
    }
}

fn mistakes_of(paragraph: &str) -> Vec<String> {
    let text = without_code(paragraph);
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let mut mistakes: Vec<String> =
        words.iter().filter(|word| WORDS.contains(&word.as_str())).cloned().collect();
    for (at, pair) in words.windows(2).enumerate() {
        let is_there = at > 0 && words[at - 1] == "there";
        let goes_on = words.get(at + 2).is_some_and(|next| next == "longer" || next == "more");
        if !is_there && !goes_on && PAIRS.iter().any(|words| pair == words) {
            mistakes.push(pair.join(" "));
        }
    }
    let is_there = |phrase: &&&str| paragraph.contains(**phrase);
    mistakes.extend(PHRASES.iter().filter(is_there).map(|phrase| (*phrase).to_owned()));
    // Headings and cells are not sentences.
    if !text.starts_with(['#', '|']) {
        let sentences = text.split_inclusive(['.', '?', ':']).map(str::trim_start);
        let sentences = sentences.map(|text| text.trim_start_matches(['-', '*', ' ']));
        let lacks_subject = |text: &&str| {
            !text.ends_with('?') && BEGINNINGS.iter().any(|begin| text.starts_with(begin))
        };
        mistakes.extend(sentences.filter(lacks_subject).map(str::to_owned));
    }
    mistakes.iter().map(|mistake| format!("`{mistake}` in: {}", paragraph.trim())).collect()
}

/// A text with nothing between its backquotes.
fn without_code(text: &str) -> String {
    text.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

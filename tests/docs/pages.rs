//! The code on a page is that of the file which the page names.
//!
//! A comment before a block of code says where it comes from, and is not shown:
//!
//! - `<!-- docs/code/readme.rs [recording] -->`: what stands between the lines `// [recording]` and
//!   `// [end]` of that file, less what all of its lines are indented by;
//! - `<!-- examples/first/main.rs -->`: the whole file;
//! - `<!-- tests/ui/guide/retyped.stderr, lines 1-8 -->`: those lines of it.
//!
//! `UPDATE_DOCS=1 cargo test -p heirloom-tests --test docs` writes the code into the pages.

use std::fs;
use std::path::{Path, PathBuf};

/// A block of a page.
struct Block {
    /// The file that it comes from, and the part of it.
    source: Option<String>,
    language: String,
    code: String,
    /// The line of the page at which the code begins, counted from 0.
    line: usize,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub fn read(path: &Path) -> String {
    let text = fs::read_to_string(path);
    text.unwrap_or_else(|error| panic!("{}: {error}", path.display())).replace("\r\n", "\n")
}

/// All pages with code.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|file| file.unwrap().path());
    let mut pages: Vec<PathBuf> =
        docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect();
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    let mut source = None;
    while let Some((number, line)) = lines.next() {
        let comment = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->"));
        if comment.is_some() {
            source = comment.map(str::to_owned);
        } else if let Some(language) = line.strip_prefix("```") {
            let code: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            let code = code.iter().map(|line| format!("{line}\n")).collect();
            let language = language.to_owned();
            blocks.push(Block { source: source.take(), language, code, line: number + 1 });
        } else if !line.is_empty() {
            source = None;
        }
    }
    blocks
}

/// Returns the code that a source names.
fn shown(source: &str) -> String {
    if let Some((path, lines)) = source.split_once(", lines ") {
        let number = |text: &str| text.parse::<usize>().unwrap_or_else(|_| panic!("`{source}`"));
        let (first, last) = lines.split_once('-').unwrap_or_else(|| panic!("`{source}`"));
        let (first, last) = (number(first), number(last));
        let file = read(&root().join(path));
        let lines = file.lines().skip(first - 1).take(last - first + 1);
        return lines.map(|line| format!("{line}\n")).collect();
    }
    let Some((path, part)) = source.split_once(" [") else {
        return read(&root().join(source));
    };
    let part = part.strip_suffix(']').unwrap_or_else(|| panic!("`{source}`"));
    let file = read(&root().join(path));
    let is = |line: &&str, name: &str| line.trim() == format!("// [{name}]");
    let mut lines = file.lines().skip_while(|line| !is(line, part)).skip(1).peekable();
    assert!(lines.peek().is_some(), "`{path}` has no part [{part}]");
    let lines: Vec<&str> = lines.take_while(|line| !is(line, "end")).collect();
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let indented = lines.iter().filter(|line| !line.is_empty()).map(indent).min().unwrap_or(0);
    lines.iter().map(|line| format!("{}\n", line.get(indented..).unwrap_or_default())).collect()
}

#[test]
fn pages_show_code_that_is_compiled_and_run() {
    let is_update = std::env::var_os("UPDATE_DOCS").is_some();
    for path in pages() {
        let page = read(&path);
        let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
        // From the end, so that the numbers of the lines before stay right.
        for block in blocks(&page).iter().rev() {
            let at = format!("{}:{}", path.display(), block.line);
            let Some(source) = &block.source else {
                let is_rust = block.language.starts_with("rust");
                assert!(!is_rust, "{at}: a comment before the code names the file it comes from");
                continue;
            };
            let code = shown(source);
            if is_update {
                let end = block.line + block.code.lines().count();
                lines.splice(block.line..end, code.lines().map(str::to_owned));
            } else {
                assert!(code == block.code, "{at}: it is not what `{source}` has:\n{code}");
            }
        }
        if is_update {
            fs::write(&path, lines.join("\n") + "\n").unwrap();
        }
    }
}

#[test]
fn the_readme_is_short_and_hides_nothing() {
    let readme = read(&root().join("README.md"));
    assert!(readme.lines().count() <= 170);
    for block in blocks(&readme) {
        let hidden = block.code.lines().find(|line| line.starts_with("# ") || *line == "#");
        assert!(hidden.is_none() || block.language == "toml", "{hidden:?}");
    }
}

#[test]
fn every_link_of_a_page_leads_to_a_file() {
    for path in pages() {
        let page = read(&path);
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") {
                let target = path.parent().unwrap().join(file);
                assert!(target.exists(), "{}: {link}", path.display());
            }
        }
    }
}

#[test]
fn every_table_is_one() {
    for path in pages() {
        let page = read(&path);
        let (mut is_code, mut table) = (false, Vec::new());
        for (number, line) in page.lines().chain([""]).enumerate() {
            is_code ^= line.starts_with("```");
            if !is_code && line.starts_with('|') {
                // A sign that is escaped, or stands in code, is not the end of a cell.
                table.push(line.replace("\\|", "").matches('|').count());
                let is_head = table.len() != 2 || line.starts_with("|-");
                assert!(is_head && table[0] == table[table.len() - 1], "{path:?}:{}", number + 1);
            } else {
                assert!(table.len() != 1, "{path:?}:{number}: a table without a head");
                table.clear();
            }
        }
    }
}

/// The code of the last column of a table whose head ends with it.
fn last_column(page: &str) -> Vec<String> {
    let rows = page.lines().skip_while(|line| !line.ends_with("| here |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let spans = rows.flat_map(|row| {
        let row = row.replace("\\|", "\0");
        let cell = row.trim_end_matches([' ', '|']).rsplit(" | ").next().map(str::to_owned);
        let cell = cell.unwrap_or_default().replace('\0', "|");
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
    });
    spans.collect()
}

#[test]
fn what_a_table_names_beside_sql_is_compiled() {
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    let code = dense(&read(&root().join("docs/code/known.rs")));
    for page in ["queries", "relations"] {
        let spans = last_column(&read(&root().join(format!("docs/{page}.md"))));
        assert!(spans.len() > 5, "{page}: {spans:?}");
        for span in spans {
            // Each part between dots stands behind the one before.
            let mut rest = code.as_str();
            for part in dense(&span).split('…') {
                let found = rest.find(part).map(|at| at + part.len());
                let end = found.unwrap_or_else(|| panic!("{page}: `{span}` is not compiled"));
                rest = &rest[end..];
            }
        }
    }
}

//! The code of the guide "Import and export".

use std::fs::File;
use std::io::{BufReader, BufWriter, Read};

// [store]
use heirloom::transfer::OnExisting;
use heirloom::{Kv, Store, Table, inspect};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "books")]
pub struct Book {
    #[key]
    pub isbn: String,
    pub title: String,
    pub pages: Option<u32>,
    #[evolve(default)]
    pub tags: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "settings")]
pub struct Settings {
    pub theme: Option<String>,
}

#[derive(Store)]
#[store(name = "shelf")]
pub struct Shelf {
    pub books: Table<Book>,
    pub settings: Kv<Settings>,
}
// [end]

// [progress]
/// A reader that says how many bytes were read.
struct Counted<R, F> {
    from: R,
    bytes: u64,
    tell: F,
}

impl<R: Read, F: FnMut(u64)> Read for Counted<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.bytes += read as u64;
        (self.tell)(self.bytes);
        Ok(read)
    }
}
// [end]

fn shelf(path: &std::path::Path) -> heirloom::Result<Shelf> {
    let app = Shelf::open(path)?;
    let book = |isbn: &str, title: &str, pages| Book {
        isbn: isbn.into(),
        title: title.into(),
        pages,
        tags: vec!["new".into()],
    };
    app.books.insert_many([book("1", "Dune, part one", Some(412)), book("2", "Emma", None)])?;
    app.settings.theme.set(&Some("dark".into()))?;
    Ok(app)
}

#[test]
fn lines() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let app = shelf(&folder.path().join("shelf.redb"))?;
    let (books, everything) = (folder.path().join("books.jsonl"), folder.path().join("all.jsonl"));
    // [lines]
    app.books.export(BufWriter::new(File::create(&books)?))?;
    app.export(BufWriter::new(File::create(&everything)?))?;

    let copy = Shelf::in_memory()?;
    let imported = copy.import(BufReader::new(File::open(&everything)?), OnExisting::Fail)?;
    assert_eq!(imported.inserted(), 3); // two books and an entry
    let again = copy.books.import(BufReader::new(File::open(&books)?), OnExisting::Skip)?;
    assert_eq!((again.inserted(), again.skipped()), (0, 2));
    // [end]
    Ok(())
}

#[test]
fn cells() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let app = shelf(&folder.path().join("shelf.redb"))?;
    // [csv]
    let mut text = Vec::new();
    app.books.export_csv(&mut text)?;
    assert_eq!(
        String::from_utf8(text)?,
        "isbn,title,pages,tags\n\
         1,\"Dune, part one\",412,\"[\"\"new\"\"]\"\n\
         2,Emma,,\"[\"\"new\"\"]\"\n"
    );

    let list = "title,isbn,pages\nEmma,2,474\nUlysses,3,many\n";
    let error = app.books.import_csv(list.as_bytes(), OnExisting::Replace).unwrap_err();
    assert!(error.to_string().contains("line 3, column 3"));
    assert_eq!(error.field(), Some("pages"));
    assert_eq!(app.books.get("2")?.unwrap().pages, None); // nothing was imported
    // [end]
    let path = folder.path().join("list.csv");
    std::fs::write(&path, "isbn,title\n9,Ulysses\n")?;
    let mut shown = 0;
    // [told]
    let file = File::open(&path)?;
    let len = file.metadata()?.len();
    let told = Counted {
        from: file,
        bytes: 0,
        tell: |bytes| shown = 100 * bytes / len, // or draw a bar
    };
    app.books.import_csv(told, OnExisting::Fail)?;
    // [end]
    assert_eq!(shown, 100);
    Ok(())
}

#[test]
fn untyped() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shelf.redb");
    drop(shelf(&path)?);
    // [inspect]
    let file = inspect::open(&path)?;
    assert_eq!(file.tables()?, ["books"]);
    file.for_each_row("books", |row| {
        println!("{}: {}", row.key(), row.json());
        Ok(())
    })?;
    let mut lines = Vec::new();
    file.export(&mut lines)?;
    // [end]
    let copy = Shelf::in_memory()?;
    assert_eq!(copy.import(lines.as_slice(), OnExisting::Fail)?.inserted(), 3);
    Ok(())
}

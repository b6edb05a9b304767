//! One row of the catalogue: two versions of a row type, rows of both, and the class they prove.

use heirloom::__private::{
    Attach, Described, Handle, StoreDef, StorePart, TableDef, TableIdx, decode_row, table_def,
};
use heirloom::schema::Class;
use heirloom::{Row, Store, Table};
use serde_json::Value;

use crate::catalogue::proof::{Version, round_trips};

/// A row of the catalogue, tried.
pub struct Case {
    pub name: &'static str,
    pub rows: &'static [u8],
    pub expected: Class,
    /// The class that the round trips prove, if the lint cannot see enough to say so.
    pub proved: Class,
    pub rule: &'static str,
}

impl Case {
    /// The lint and the round trips agree, on the class that is expected.
    #[track_caller]
    pub fn check<O: Row, N: Row>(
        &self,
        (old_rows, new_rows): (&Value, &Value),
        edits: &'static [fn(&mut O)],
        expects: &[fn(&O) -> bool],
    ) {
        let Self { name, rows, expected, proved, rule } = self;
        let diff = Catalogue::<O>::schema().diff(&Catalogue::<N>::schema());
        let old = Version::of::<O>(texts(old_rows), edits);
        let new = Version::of::<N>(texts(new_rows), &[]);
        let mut outcome = round_trips(&old, &new);
        for stored in &new.rows {
            let row = decode_row::<O>(stored);
            if row.is_ok_and(|row| expects.iter().any(|expects| !expects(&row))) {
                outcome.doubts.push(format!("old code does not expect {stored}"));
            }
        }
        let shown = format!("{name}, rows {rows:?}\n{diff}\n{outcome:#?}");
        assert_eq!(diff.class(), *expected, "the lint differs from what is expected: {shown}");
        // An error is never allowed, whatever a trip with a few rows shows.
        match expected {
            Class::Error => {}
            _ => assert_eq!(outcome.class(), *proved, "the round trips differ: {shown}"),
        }
        assert!(diff.iter().any(|change| change.rule() == *rule), "no `{rule}`: {shown}");
    }
}

/// The store of a version. Derived for each, it would double the time that the catalogue takes to
/// compile.
pub struct Catalogue<R: Row>(Table<R>);

impl<R: Row> Catalogue<R> {
    const TABLES: &'static [TableDef] = &[table_def::<R>()];
}

impl<R: Row> Store for Catalogue<R> {
    const DEF: StoreDef = StoreDef::new("catalogue", 0, Self::TABLES, &[]);

    fn described() -> &'static Described {
        Box::leak(Box::new(Described::new()))
    }

    fn attach(handle: &Handle) -> Self {
        Self(Attach::attach(handle, TableIdx(0)))
    }

    fn handle(&self) -> &Handle {
        self.0.handle()
    }

    fn parts<'s>(&'s self, see: &mut dyn FnMut(&'s dyn StorePart)) {
        see(&self.0);
    }
}

/// Sample rows as stored text, each with the key and the title that all rows have.
pub fn texts(rows: &Value) -> Vec<String> {
    let rows = rows.as_array().expect("a list of rows").iter();
    rows.map(|row| {
        let mut stored = serde_json::json!({ "id": 1, "title": "t" });
        let fields = row.as_object().expect("the fields of a row").clone();
        stored.as_object_mut().expect("an object").extend(fields);
        stored.to_string()
    })
    .collect()
}

/// A test of one row of the catalogue.
///
/// `old` and `new` are the fields of the two versions, after `with` the types in them; `rows` are
/// samples of what each version finds in its store; `edit` is done by old code to new rows, beside
/// changing the title; `expects` is what old code takes for granted without enforcing it.
#[macro_export]
macro_rules! case {
    (
        $(#[$doc:meta])*
        $name:ident: $rows:expr, $class:ident $(not $proved:ident)? by $rule:literal,
        old { $($old:tt)* } $(with { $($old_types:tt)* })? rows $old_rows:tt
        new { $($new:tt)* } $(with { $($new_types:tt)* })? rows $new_rows:tt
        $(edit $edit:expr;)?
        $(expects $expects:expr;)?
    ) => {
        $(#[$doc])*
        mod $name {
            mod old {
                #[allow(unused_imports, reason = "not every version needs all")]
                use $crate::catalogue::prelude::*;
                $($($old_types)*)?
                #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
                #[table(name = "rows")]
                pub struct Row {
                    #[key]
                    pub id: u32,
                    pub title: String,
                    $($old)*
                }
            }
            mod new {
                #[allow(unused_imports, reason = "not every version needs all")]
                use $crate::catalogue::prelude::*;
                $($($new_types)*)?
                #[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Table)]
                #[table(name = "rows")]
                pub struct Row {
                    #[key]
                    pub id: u32,
                    pub title: String,
                    $($new)*
                }
            }
            #[test]
            fn round_trips_prove_the_class() {
                let case = $crate::catalogue::case::Case {
                    name: stringify!($name),
                    rows: &$rows,
                    expected: heirloom::schema::Class::$class,
                    proved: [
                        $(heirloom::schema::Class::$proved,)?
                        heirloom::schema::Class::$class,
                    ][0],
                    rule: $rule,
                };
                let edits: &'static [fn(&mut old::Row)] =
                    &[|row| row.title.push('!'), $($edit)?];
                let expects: &[fn(&old::Row) -> bool] = &[$($expects)?];
                case.check::<old::Row, new::Row>(
                    (&serde_json::json!($old_rows), &serde_json::json!($new_rows)),
                    edits,
                    expects,
                );
            }
        }
    };
}

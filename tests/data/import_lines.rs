//! An import that breaks a rule names the line of the row that broke it.

use heirloom::transfer::OnExisting;
use heirloom::{ErrorKind, Kv, Ref, Store, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::support::refused;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "accounts")]
struct Account {
    #[key]
    number: u32,
    #[index(unique)]
    name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Table)]
#[table(name = "txns", computed(share: i64 = cents / i64::from(parts)))]
#[check(cents != 13 || parts == 2)]
struct Txn {
    #[key]
    number: u32,
    account: Ref<Account>,
    #[check(cents >= 0)]
    cents: i64,
    parts: u8,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Kv)]
#[kv(name = "limits")]
#[check(least <= most)]
struct Limits {
    #[evolve(default)]
    least: i64,
    #[evolve(default = 9)]
    most: i64,
}

#[derive(Store)]
#[store(name = "books")]
struct App {
    accounts: Table<Account>,
    txns: Table<Txn>,
    limits: Kv<Limits>,
}

fn app() -> App {
    let app = App::in_memory().unwrap();
    app.accounts.insert(&Account { number: 1, name: "Giro".into() }).unwrap();
    app
}

/// The beginning of an error's text.
fn begins(error: &heirloom::Error, kind: ErrorKind, with: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().starts_with(with), "{error}");
}

#[test]
fn a_line_of_json_is_named_by_whatever_rule_it_breaks() {
    let app = app();
    let import = |lines: &str| refused(app.txns.import(lines.as_bytes(), OnExisting::Fail));
    let good = r#"{"number":1,"account":1,"cents":5,"parts":1}"#;
    let with = |bad: &str| format!("{good}\n\n{bad}\n{}", good.replace("1,\"a", "9,\"a"));
    let bad = |account: u32, cents: i64, parts: u8| {
        with(&format!("{{\"number\":7,\"account\":{account},\"cents\":{cents},\"parts\":{parts}}}"))
    };
    begins(&import(&bad(1, -5, 1)), ErrorKind::CheckFailed, "line 3: the row breaks the rule");
    begins(&import(&bad(1, 5, 0)), ErrorKind::CheckFailed, "line 3: the computed column `share`");
    let missing = import(&bad(2, 5, 1));
    begins(&missing, ErrorKind::DanglingReference, "line 3: the row refers to one that does not");
    assert_eq!((missing.key(), missing.field()), (Some("7"), Some("account")));
    assert_eq!(app.txns.len().unwrap(), 0);

    let accounts = "{\"number\":2,\"name\":\"Bar\"}\n{\"number\":3,\"name\":\"Giro\"}";
    let twice = refused(app.accounts.import(accounts.as_bytes(), OnExisting::Fail));
    begins(&twice, ErrorKind::NotUnique, "line 2: another row has the same value");
}

#[test]
fn a_line_of_csv_is_named_with_the_column_if_the_rule_is_about_one() {
    let app = app();
    let import = |lines: &str| {
        let text = format!("number,account,cents,parts\n1,1,5,1\n{lines}\n");
        refused(app.txns.import_csv(text.as_bytes(), OnExisting::Fail))
    };
    begins(
        &import("7,1,-5,1"),
        ErrorKind::CheckFailed,
        "line 3, column 3: the row breaks the rule",
    );
    begins(&import("7,1,13,1"), ErrorKind::CheckFailed, "line 3: the row breaks the rule");
    begins(&import("7,8,5,1"), ErrorKind::DanglingReference, "line 3: the row refers to one");
    let text = "number,name\n2,Bar\n3,Bar\n";
    let twice = refused(app.accounts.import_csv(text.as_bytes(), OnExisting::Fail));
    begins(&twice, ErrorKind::NotUnique, "line 2: another row has the same value");
}

#[test]
fn a_line_of_a_whole_store_is_named_likewise() {
    let app = app();
    let import = |lines: &str| refused(app.import(lines.as_bytes(), OnExisting::Replace));
    let row = r#"{"table":"txns","row":{"number":7,"account":8,"cents":5,"parts":1}}"#;
    let entry = r#"{"group":"limits","entry":"most","value":3}"#;
    let missing = import(&format!("{entry}\n{row}"));
    begins(&missing, ErrorKind::DanglingReference, "line 2: the row refers to one");
    let entries = format!("{entry}\n{}", entry.replace("most", "least").replace('3', "5"));
    begins(&import(&entries), ErrorKind::CheckFailed, "line 2: the group breaks the rule");
    let wrong = import(&format!("\n{}", entry.replace('3', "\"three\"")));
    begins(&wrong, ErrorKind::InvalidRow, "line 2 is not the value of an entry (store");
    assert_eq!((wrong.field(), wrong.found()), (Some("most"), Some("\"three\"")));
    assert_eq!(app.limits.most.get().unwrap(), 9);
}

#[test]
fn the_line_is_that_of_the_row_that_stands_last() {
    let app = app();
    let lines = "{\"number\":2,\"name\":\"A\"}\n{\"number\":2,\"name\":\"Giro\"}\n";
    let error = refused(app.accounts.import(lines.as_bytes(), OnExisting::Replace));
    begins(&error, ErrorKind::NotUnique, "line 2: ");
}

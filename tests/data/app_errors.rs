//! Errors of the app: given back as they are, and each text of a chain once.

use std::error::Error as StdError;
use std::fmt;

use crate::support::{Notebook, note, place};
use heirloom::{Error, ErrorKind};

/// An error of the app, as thiserror would write it.
#[derive(Debug)]
enum AppError {
    OverBudget { by: u32 },
    Heirloom(Error),
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OverBudget { by } => write!(f, "over budget by {by}"),
            Self::Heirloom(_) => f.write_str("the notebook failed"),
        }
    }
}

impl StdError for AppError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::OverBudget { .. } => None,
            Self::Heirloom(error) => Some(error),
        }
    }
}

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        Self::Heirloom(error)
    }
}

/// An error with a cause.
#[derive(Debug)]
struct Context(&'static str, Box<dyn StdError + Send + Sync>);

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Context {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.1)
    }
}

/// Returns the text that `{:#}` of anyhow and eyre prints, and every other report of a chain.
fn report(error: &(dyn StdError + 'static)) -> String {
    let mut shown = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        shown.push_str(&format!(": {error}"));
        source = error.source();
    }
    shown
}

fn refused(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    let app = Notebook::in_memory().unwrap();
    let refused = app.transaction(|tx| {
        tx.insert(&note(1, "a"))?;
        Err::<(), _>(Error::custom(error))
    });
    assert!(app.notes.is_empty().unwrap());
    refused.unwrap_err()
}

#[test]
fn a_custom_error_shows_each_text_of_its_chain_once() {
    let error = refused(AppError::OverBudget { by: 5 });
    assert_eq!(error.kind(), ErrorKind::Custom);
    let shown = report(&error);
    assert!(shown.starts_with("over budget by 5"), "{shown}");
    assert_eq!(shown.matches("over budget").count(), 1, "{shown}");
    assert_eq!(shown, error.to_string());
    assert!(matches!(error.downcast_ref(), Some(AppError::OverBudget { by: 5 })));
    assert!(error.downcast_ref::<Context>().is_none());

    let inner = Context("middle", "inner".into());
    let error = refused(Context("outer", Box::new(inner)));
    let shown = report(&error);
    for text in ["outer", "middle", "inner"] {
        assert_eq!(shown.matches(text).count(), 1, "{text}: {shown}");
    }
    assert!(shown.ends_with(": middle: inner"), "{shown}");
    assert!(error.downcast_ref::<Context>().is_some());

    // Other errors stand before their source, which they do not repeat.
    let error = Notebook::open("/proc/nowhere/notebook.redb").err().unwrap();
    assert!(error.source().is_some(), "{error:?}");
    assert!(!error.to_string().contains(&error.source().unwrap().to_string()), "{error}");
    assert!(error.downcast_ref::<std::io::Error>().is_none());
}

#[test]
fn try_transaction_gives_the_error_of_the_app_and_changes_nothing() {
    let app = Notebook::in_memory().unwrap();
    let over = app.try_transaction(|tx| {
        tx.insert(&note(1, "a"))?;
        Err::<(), _>(AppError::OverBudget { by: 5 })
    });
    assert!(matches!(over, Err(AppError::OverBudget { by: 5 })));
    assert!(app.notes.is_empty().unwrap());

    // An error of heirloom becomes one of the app, with its place.
    app.notes.insert(&note(1, "a")).unwrap();
    let twice = app.try_transaction(|tx| -> Result<(), AppError> {
        tx.put(&note(2, "b"))?;
        tx.insert(&note(1, "again"))?;
        Ok(())
    });
    let Err(AppError::Heirloom(error)) = twice else { panic!("{twice:?}") };
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!((error.store(), error.table()), (Some("notebook"), Some("notes")));
    assert_eq!(app.notes.len().unwrap(), 1);

    // Any error that is `From` ours will do; so will our own.
    let boxed = app.try_transaction(|_| Err::<(), Box<dyn StdError>>("no".into()));
    assert_eq!(boxed.unwrap_err().to_string(), "no");
    let ours: heirloom::Result<usize> = app.try_transaction(|tx| tx.len::<crate::support::Note>());
    assert_eq!(ours.unwrap(), 1);

    // A transaction inside another one is refused as ever.
    let nested: Result<(), AppError> = app.try_transaction(|_| app.try_transaction(|_| Ok(())));
    let Err(AppError::Heirloom(error)) = nested else { panic!("{nested:?}") };
    assert_eq!(error.kind(), ErrorKind::NestedTransaction);
}

#[test]
fn a_closure_that_ends_in_ok_needs_no_annotation() -> Result<(), Box<dyn StdError>> {
    let app = Notebook::in_memory()?;
    app.transaction(|tx| {
        tx.insert(&note(1, "a"))?;
        Ok(())
    })?;
    assert_eq!(app.notes.len()?, 1);
    Ok(())
}

#[test]
fn try_update_writes_nothing_where_the_closure_refuses() {
    let app = Notebook::in_memory().unwrap();
    app.notes.insert(&note(1, "a")).unwrap();
    let refuse = |note: &mut crate::support::Note| {
        note.title = "changed".into();
        Err(AppError::OverBudget { by: 1 })
    };
    let refused = app.notes.try_update(&1, refuse);
    assert!(matches!(refused, Err(AppError::OverBudget { by: 1 })));
    assert_eq!(app.notes.get(&1).unwrap().unwrap().title, "a");
    assert!(matches!(app.notes.try_update(&2, refuse), Ok(None)));

    // A transaction that goes on has the row as it was.
    let seen = app.try_transaction(|tx| {
        assert!(tx.try_update(&1, refuse).is_err());
        tx.put(&note(2, "b"))?;
        tx.get::<crate::support::Note>(&1)
    });
    assert_eq!(seen.unwrap().unwrap().title, "a");
    assert_eq!(app.notes.len().unwrap(), 2);

    let done: Result<_, AppError> = app.notes.try_update(&1, |note| {
        note.stars = 5;
        Ok(())
    });
    assert_eq!(done.unwrap().unwrap().stars, 5);
    let rekeyed: Result<_, AppError> = app.notes.try_update(&1, |note| {
        note.id = 9;
        Ok(())
    });
    let Err(AppError::Heirloom(error)) = rekeyed else { panic!("{rekeyed:?}") };
    assert_eq!(error.kind(), ErrorKind::KeyChanged);
}

#[test]
fn the_status_of_a_store_is_shown_in_a_few_lines() {
    let (_folder, path) = place();
    let app = Notebook::open(&path).unwrap();
    app.notes.insert(&note(1, "a")).unwrap();
    let shown = format!("{:?}", app.status().unwrap());
    assert!(shown.starts_with("Status {") && shown.len() < 600, "{shown}");
    assert!(shown.contains("epoch: 0") && !shown.contains("TableSchema"), "{shown}");
}

//! [`Delta`]: how a result changed.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::list::Item;

/// The difference between two results of a watched query: rows by their positions before and after.
///
/// The first one of a [`Watch`](crate::watch::Watch) inserts the whole result.
/// [`apply`](Self::apply) turns a list that is the result before into one that is the result after.
pub struct Delta<R>(Arc<Parts<R>>);

struct Parts<R> {
    changes: Changes<R>,
    removed: Vec<Removed<R>>,
    inserted: Vec<Inserted<R>>,
    updated: Vec<Updated<R>>,
    moved: Vec<Moved<R>>,
}

/// A row that is not part of the result any more.
pub struct Removed<R> {
    position: usize,
    row: Arc<R>,
}

/// A row that is a new part of the result.
pub struct Inserted<R> {
    position: usize,
    row: Arc<R>,
}

/// A row of the result that has other values.
pub struct Updated<R> {
    position: usize,
    old: Arc<R>,
    new: Arc<R>,
}

/// A row of the result that has another position among the others.
pub struct Moved<R> {
    from: usize,
    to: usize,
    row: Arc<R>,
}

impl<R> Removed<R> {
    /// Returns its position in the result before.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Returns the row as it was.
    pub fn row(&self) -> &R {
        &self.row
    }
}

impl<R> Inserted<R> {
    /// Returns its position in the result after.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Returns the row.
    pub fn row(&self) -> &R {
        &self.row
    }
}

impl<R> Updated<R> {
    /// Returns its position in the result after. A row that has moved, too, is also in
    /// [`moved`](Delta::moved).
    pub fn position(&self) -> usize {
        self.position
    }

    /// Returns the row as it was.
    pub fn old(&self) -> &R {
        &self.old
    }

    /// Returns the row as it is.
    #[expect(clippy::new_ret_no_self, reason = "it makes nothing; it is what is not `old`")]
    pub fn new(&self) -> &R {
        &self.new
    }
}

impl<R> Moved<R> {
    /// Returns its position in the result before.
    pub fn from(&self) -> usize {
        self.from
    }

    /// Returns its position in the result after.
    pub fn to(&self) -> usize {
        self.to
    }

    /// Returns the row as it is.
    pub fn row(&self) -> &R {
        &self.row
    }
}

macro_rules! debug_by_position {
    ($($name:ident { $($field:ident),* })*) => {
        $(impl<R> fmt::Debug for $name<R> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), &self.$field))*
                    .finish_non_exhaustive()
            }
        })*
    };
}

debug_by_position! { Removed { position } Inserted { position } Updated { position } Moved { from, to } }

impl<R> fmt::Debug for Delta<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delta")
            .field("removed", &self.0.removed)
            .field("inserted", &self.0.inserted)
            .field("updated", &self.0.updated)
            .field("moved", &self.0.moved)
            .finish()
    }
}

impl<R> Clone for Delta<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R> Delta<R> {
    pub(super) fn new(changes: Changes<R>) -> Self {
        let (mut removed, mut inserted) = (Vec::new(), Vec::new());
        let (mut updated, mut moved) = (Vec::new(), Vec::new());
        for change in &changes.0 {
            match (&change.old, &change.new) {
                (Some((position, old)), None) => {
                    removed.push(Removed { position: *position, row: old.row.clone() });
                }
                (None, Some((position, new))) => {
                    inserted.push(Inserted { position: *position, row: new.row.clone() });
                }
                (Some((from, old)), Some((to, new))) => {
                    if !Arc::ptr_eq(&old.row, &new.row) {
                        let (old, new) = (old.row.clone(), new.row.clone());
                        updated.push(Updated { position: *to, old, new });
                    }
                    if change.is_moved {
                        moved.push(Moved { from: *from, to: *to, row: new.row.clone() });
                    }
                }
                (None, None) => {}
            }
        }
        removed.sort_by_key(|removed| removed.position);
        inserted.sort_by_key(|inserted| inserted.position);
        updated.sort_by_key(|updated| updated.position);
        moved.sort_by_key(|moved| moved.to);
        Self(Arc::new(Parts { changes, removed, inserted, updated, moved }))
    }

    pub(super) fn changes(&self) -> &Changes<R> {
        &self.0.changes
    }

    /// Returns the rows that are not part of the result any more, by position before.
    pub fn removed(&self) -> &[Removed<R>] {
        &self.0.removed
    }

    /// Returns the rows that are new in the result, by position after.
    pub fn inserted(&self) -> &[Inserted<R>] {
        &self.0.inserted
    }

    /// Returns the rows that have other values, by position after.
    pub fn updated(&self) -> &[Updated<R>] {
        &self.0.updated
    }

    /// Returns the rows that have another position among the others, by position after.
    pub fn moved(&self) -> &[Moved<R>] {
        &self.0.moved
    }

    /// Turns the result before into the result after.
    ///
    /// Removed and moved rows are taken out, by their position before; inserted and moved rows are
    /// put in, by their position after, the least first; updated rows are replaced.
    ///
    /// ```
    /// # use heirloom::{Store, Table};
    /// # #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, Table)]
    /// # struct Task { #[key] name: String, urgency: u8 }
    /// # #[derive(Store)]
    /// # struct App { tasks: Table<Task> }
    /// # let app = App::in_memory()?;
    /// # app.tasks.insert(&Task { name: "sow".into(), urgency: 3 })?;
    /// # app.tasks.insert(&Task { name: "water".into(), urgency: 2 })?;
    /// let watch = app.tasks.order_by(Task::URGENCY.desc()).watch()?;
    /// let mut list: Vec<Task> = Vec::new();
    /// watch.recv()?.apply(&mut list);
    ///
    /// app.tasks.update("water", |task| task.urgency = 9)?;
    /// watch.recv()?.apply(&mut list);
    /// assert_eq!(list[0].name, "water");
    /// # Ok::<(), heirloom::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the list is not the result before, and is too short.
    pub fn apply(&self, list: &mut Vec<R>)
    where
        R: Clone,
    {
        self.0.changes.apply_by(list, |item| R::clone(&item.row));
    }
}

/// A row before and after, with its positions.
pub(crate) struct Change<R> {
    pub(super) old: Option<(usize, Arc<Item<R>>)>,
    pub(super) new: Option<(usize, Arc<Item<R>>)>,
    /// Whether it has another place among the rest.
    pub(super) is_moved: bool,
}

/// How a list became another.
pub(crate) struct Changes<R>(pub(super) Vec<Change<R>>);

impl<R> Changes<R> {
    pub(super) fn new(mut changes: Vec<Change<R>>) -> Self {
        let is_alone = changes.len() == 1;
        for change in &mut changes {
            if let (Some((from, old)), Some((to, new))) = (&change.old, &change.new) {
                change.is_moved = old.rank != new.rank && !(is_alone && from == to);
            }
        }
        Self(changes)
    }

    /// Everything is new.
    pub(super) fn whole(items: Vec<Arc<Item<R>>>) -> Self {
        let new = items.into_iter().enumerate();
        Self(new.map(|new| Change { old: None, new: Some(new), is_moved: false }).collect())
    }

    /// Returns the difference that makes one list the other.
    pub(super) fn between(
        old: &[Arc<Item<R>>],
        new: &[Arc<Item<R>>],
        same: fn(&Item<R>, &Item<R>) -> bool,
    ) -> Self {
        let mut before: HashMap<&[u8], (usize, &Arc<Item<R>>)> =
            old.iter().enumerate().map(|(at, item)| (&*item.key, (at, item))).collect();
        let mut changes = Vec::new();
        for (position, item) in new.iter().enumerate() {
            let was = before.remove(&*item.key);
            if was.is_some_and(|(_, was)| Arc::ptr_eq(was, item) || same(was, item)) {
                continue;
            }
            let old = was.map(|(at, was)| (at, was.clone()));
            changes.push(Change { old, new: Some((position, item.clone())), is_moved: false });
        }
        let gone = before.into_values().map(|(at, item)| Change {
            old: Some((at, item.clone())),
            new: None,
            is_moved: false,
        });
        changes.extend(gone);
        Self::new(changes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn apply_by<T>(&self, list: &mut Vec<T>, make: impl Fn(&Arc<Item<R>>) -> T) {
        let pairs = self.0.iter().map(|change| (&change.old, &change.new, change.is_moved));
        rearrange(list, pairs, make);
    }

    /// Makes the list after into the list before.
    pub(super) fn undo(&self, list: &mut Vec<Arc<Item<R>>>) {
        let pairs = self.0.iter().map(|change| (&change.new, &change.old, change.is_moved));
        rearrange(list, pairs, Arc::clone);
    }
}

type Position<R> = Option<(usize, Arc<Item<R>>)>;

fn rearrange<'c, T, R: 'c>(
    list: &mut Vec<T>,
    changes: impl Iterator<Item = (&'c Position<R>, &'c Position<R>, bool)> + Clone,
    make: impl Fn(&Arc<Item<R>>) -> T,
) {
    let goes = changes.clone().filter_map(|(old, new, is_moved)| {
        old.as_ref().filter(|_| is_moved || new.is_none()).map(|(position, _)| *position)
    });
    let mut goes: Vec<usize> = goes.collect();
    goes.sort_unstable();
    let comes = changes
        .clone()
        .filter_map(|(old, new, is_moved)| new.as_ref().filter(|_| is_moved || old.is_none()));
    let mut comes: Vec<&(usize, Arc<Item<R>>)> = comes.collect();
    comes.sort_unstable_by_key(|(position, _)| *position);
    if goes.len() + comes.len() > 8 {
        // In one pass, however many they are.
        let mut goes = goes.into_iter().peekable();
        let kept = std::mem::take(list).into_iter().enumerate();
        let mut kept =
            kept.filter_map(|(position, row)| goes.next_if_eq(&position).is_none().then_some(row));
        for (position, item) in comes {
            while list.len() < *position
                && let Some(row) = kept.next()
            {
                list.push(row);
            }
            list.push(make(item));
        }
        list.extend(kept);
    } else {
        goes.into_iter().rev().for_each(|position| drop(list.remove(position)));
        comes.into_iter().for_each(|(position, item)| list.insert(*position, make(item)));
    }
    for (old, new, is_moved) in changes {
        if let (Some(_), Some((position, item)), false) = (old, new, is_moved)
            && let Some(row) = list.get_mut(*position)
        {
            *row = make(item);
        }
    }
}

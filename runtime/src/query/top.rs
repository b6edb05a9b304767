//! Sorting, with no more kept than is asked for.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The first of what is added, by rank.
pub(crate) struct Top<T> {
    limit: Option<usize>,
    kept: BinaryHeap<Ranked<T>>,
}

struct Ranked<T> {
    rank: Vec<u8>,
    item: T,
}

impl<T> PartialEq for Ranked<T> {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl<T> Eq for Ranked<T> {}

impl<T> PartialOrd for Ranked<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Ranked<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}

impl<T> Top<T> {
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self { limit, kept: BinaryHeap::new() }
    }

    /// Whether what has this rank would be kept.
    pub(crate) fn takes(&self, rank: &[u8]) -> bool {
        let is_full = self.limit.is_some_and(|limit| self.kept.len() >= limit);
        !is_full || self.kept.peek().is_some_and(|last| *rank < *last.rank)
    }

    /// Adds an item, and gives the one that is not kept any more because of it.
    pub(crate) fn add(&mut self, rank: Vec<u8>, item: T) -> Option<T> {
        let added = Ranked { rank, item };
        if self.limit.is_none_or(|limit| self.kept.len() < limit) {
            self.kept.push(added);
            return None;
        }
        let dropped = match self.kept.peek_mut() {
            Some(mut last) if added.rank < last.rank => std::mem::replace(&mut *last, added),
            _ => added,
        };
        Some(dropped.item)
    }

    pub(crate) fn into_sorted(self) -> Vec<T> {
        self.kept.into_sorted_vec().into_iter().map(|ranked| ranked.item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Top;

    #[test]
    fn no_more_is_kept_than_asked_for() {
        let mut top = Top::new(Some(2));
        for rank in [5_u8, 1, 4, 2, 3] {
            let takes = top.takes(&[rank]);
            let dropped = top.add(vec![rank], rank);
            assert_eq!(takes, dropped != Some(rank));
            assert!(top.kept.len() <= 2);
        }
        assert_eq!(top.into_sorted(), [1, 2]);
        let mut none = Top::new(Some(0));
        assert!(!none.takes(&[1]));
        assert_eq!(none.add(vec![1], 1), Some(1));
        assert!(none.into_sorted().is_empty());
    }
}

//! The rows of a result in their order, with their positions.

use std::sync::Arc;

/// A row in its place.
#[derive(Debug)]
pub(crate) struct Item<R> {
    /// Bytes that sort as the result does; no two rows have the same.
    pub(crate) rank: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) row: Arc<R>,
}

/// How many rows a chunk has before it is split in two.
const CHUNK_LEN: usize = 512;

/// Items by rank, in chunks: adding one, taking one out and counting those before it cost no more
/// than a chunk and a look at each of the others.
#[derive(Debug)]
pub(crate) struct List<R> {
    chunks: Vec<Vec<Arc<Item<R>>>>,
    len: usize,
}

impl<R> List<R> {
    /// From items that are in order.
    pub(crate) fn of_sorted(items: Vec<Arc<Item<R>>>) -> Self {
        let len = items.len();
        let chunks = items.chunks(CHUNK_LEN).map(<[_]>::to_vec).collect();
        Self { chunks, len }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn last(&self) -> Option<&Arc<Item<R>>> {
        self.chunks.last()?.last()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Item<R>>> {
        self.chunks.iter().flatten()
    }

    /// The chunk and the place in it where a rank is or belongs.
    fn place(&self, rank: &[u8]) -> (usize, usize) {
        let ends_before =
            |chunk: &Vec<Arc<Item<R>>>| chunk.last().is_some_and(|last| *last.rank < *rank);
        let chunk = self.chunks.partition_point(ends_before);
        match self.chunks.get(chunk) {
            Some(items) => (chunk, items.partition_point(|item| *item.rank < *rank)),
            None => (chunk, 0),
        }
    }

    /// How many items come before a rank.
    pub(crate) fn position(&self, rank: &[u8]) -> usize {
        let (chunk, place) = self.place(rank);
        self.chunks.iter().take(chunk).map(Vec::len).sum::<usize>() + place
    }

    pub(crate) fn insert(&mut self, item: Arc<Item<R>>) {
        let (mut chunk, mut place) = self.place(&item.rank);
        if chunk == self.chunks.len() {
            // After all others.
            match self.chunks.last() {
                Some(last) => (chunk, place) = (chunk - 1, last.len()),
                None => self.chunks.push(Vec::new()),
            }
        }
        let Some(items) = self.chunks.get_mut(chunk) else { return };
        items.insert(place, item);
        self.len += 1;
        if items.len() > CHUNK_LEN {
            let second = items.split_off(CHUNK_LEN / 2);
            self.chunks.insert(chunk + 1, second);
        }
    }

    pub(crate) fn remove(&mut self, rank: &[u8]) -> Option<Arc<Item<R>>> {
        let (chunk, place) = self.place(rank);
        let items = self.chunks.get_mut(chunk)?;
        if items.get(place)?.rank != rank {
            return None;
        }
        let item = items.remove(place);
        if items.is_empty() {
            self.chunks.remove(chunk);
        }
        self.len -= 1;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::{Item, List};

    fn item(rank: u16) -> Arc<Item<u16>> {
        Arc::new(Item { rank: rank.to_be_bytes().to_vec(), key: Vec::new(), row: Arc::new(rank) })
    }

    proptest! {
        #[test]
        fn it_is_a_sorted_map_with_positions(
            start in prop::collection::btree_set(0..5_000u16, 0..1_500),
            steps in prop::collection::vec((0..5_000u16, any::<bool>()), 0..2_000),
        ) {
            let mut list = List::of_sorted(start.iter().copied().map(item).collect());
            let mut model: BTreeMap<u16, ()> = start.into_iter().map(|rank| (rank, ())).collect();
            for (rank, adds) in steps {
                if adds && model.insert(rank, ()).is_none() {
                    list.insert(item(rank));
                } else if !adds {
                    let removed = list.remove(&rank.to_be_bytes()).is_some();
                    prop_assert_eq!(removed, model.remove(&rank).is_some());
                }
                prop_assert_eq!(list.len(), model.len());
            }
            let rows: Vec<u16> = list.iter().map(|item| *item.row).collect();
            prop_assert!(rows.iter().eq(model.keys()));
            for (position, rank) in rows.iter().enumerate() {
                prop_assert_eq!(list.position(&rank.to_be_bytes()), position);
            }
        }
    }
}

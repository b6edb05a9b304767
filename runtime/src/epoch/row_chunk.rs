//! Rows of one table, packed: they are made in one thread, used in others, and given back as a whole.

use super::convert::NewRow;
use crate::engine::Base;

/// How many rows are handed over together, and how many bytes if they are large: somewhat less than
/// a power of two, which is what the file takes for the record of a chunk.
const CHUNK_ROWS: usize = 2_048;
const CHUNK_BYTES: usize = 900 << 10;

/// Rows as they are to stand in the new document.
#[derive(Debug, Default)]
pub(super) struct RowChunk {
    keys: Vec<u8>,
    /// The text of each key, and after it the JSON of its row.
    texts: String,
    bases: Vec<Base>,
    rows: Vec<PackedRow>,
}

/// The ranges of the parts of a row.
#[derive(Debug, Clone, Copy)]
struct PackedRow {
    /// `None` if its text does not parse as the table's key type.
    key: Option<(usize, usize)>,
    text: usize,
    json: usize,
    end: usize,
    base: usize,
}

/// A row of a chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkRow<'b> {
    /// `None` if its text does not parse as the table's key type.
    pub(super) key: Option<&'b [u8]>,
    pub(super) key_text: &'b str,
    pub(super) base: &'b Base,
    pub(super) json: &'b str,
}

impl RowChunk {
    pub(super) fn push(&mut self, row: ChunkRow<'_>) {
        let key = row.key.map(|key| {
            let start = self.keys.len();
            self.keys.extend(key);
            (start, self.keys.len())
        });
        let text = self.texts.len();
        self.texts.push_str(row.key_text);
        let json = self.texts.len();
        self.texts.push_str(row.json);
        if self.bases.last() != Some(row.base) {
            self.bases.push(row.base.clone());
        }
        let base = self.bases.len().saturating_sub(1);
        self.rows.push(PackedRow { key, text, json, end: self.texts.len(), base });
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= CHUNK_ROWS || self.texts.len() >= CHUNK_BYTES
    }

    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = ChunkRow<'_>> + ExactSizeIterator {
        self.rows.iter().map(|row| self.row(row))
    }

    /// The rows that are of the table's type, once the chunk is sorted.
    pub(super) fn keyed_rows(&self) -> impl ExactSizeIterator<Item = (&[u8], &str)> {
        let end = self.rows.partition_point(|row| row.key.is_some());
        self.rows[..end].iter().map(|row| {
            let row = self.row(row);
            (row.key.unwrap_or_default(), row.json)
        })
    }

    fn row(&self, row: &PackedRow) -> ChunkRow<'_> {
        ChunkRow {
            key: self.key(row),
            key_text: &self.texts[row.text..row.json],
            base: &self.bases[row.base],
            json: &self.texts[row.json..row.end],
        }
    }

    fn key(&self, row: &PackedRow) -> Option<&[u8]> {
        row.key.map(|(start, end)| &self.keys[start..end])
    }

    /// Puts the rows into the order of their keys, those without one at the end, and takes out each
    /// that has the key of one before it, or one that `is_taken`.
    pub(super) fn sort<E>(
        &mut self,
        mut is_taken: impl FnMut(&[u8]) -> Result<bool, E>,
    ) -> Result<Vec<NewRow>, E> {
        let order = |row: &PackedRow| (row.key.is_none(), self.key(row));
        if !self.rows.is_sorted_by_key(order) {
            let mut rows = self.rows.clone();
            rows.sort_by(|a, b| order(a).cmp(&order(b)));
            self.rows = rows;
        }
        let mut out = Vec::new();
        let mut kept = Vec::with_capacity(self.rows.len());
        let mut last = None;
        for row in &self.rows {
            let key = self.key(row);
            if let Some(key) = key
                && (last == Some(key) || is_taken(key)?)
            {
                out.push(self.row(row).to_new());
            } else {
                kept.push(*row);
            }
            last = key;
        }
        self.rows = kept;
        Ok(out)
    }
}

impl ChunkRow<'_> {
    /// The row for itself.
    pub(super) fn to_new(self) -> NewRow {
        NewRow {
            key: self.key.map(<[u8]>::to_vec),
            key_text: self.key_text.to_owned(),
            base: self.base.clone(),
            json: self.json.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(rows: &[(Option<&[u8]>, &str)]) -> RowChunk {
        let mut chunk = RowChunk::default();
        for (key, json) in rows {
            chunk.push(ChunkRow { key: *key, key_text: "k", base: &Base::Made, json });
        }
        chunk
    }

    fn jsons(chunk: &RowChunk) -> Vec<&str> {
        chunk.rows().map(|row| row.json).collect()
    }

    #[test]
    fn of_rows_under_one_key_the_first_stays() {
        let mut chunk = chunk(&[
            (Some(b"b"), "1"),
            (None, "2"),
            (Some(b""), "3"),
            (Some(b"b"), "4"),
            (Some(b"a"), "5"),
            (None, "6"),
            (Some(b"b"), "7"),
        ]);
        let out = chunk.sort(|key| Ok::<_, ()>(key == b"a")).unwrap();
        assert_eq!(jsons(&chunk), ["3", "1", "2", "6"]);
        assert_eq!(chunk.keyed_rows().map(|(_, json)| json).collect::<Vec<_>>(), ["3", "1"]);
        assert_eq!(out.iter().map(|row| &*row.json).collect::<Vec<_>>(), ["5", "4", "7"]);
    }
}

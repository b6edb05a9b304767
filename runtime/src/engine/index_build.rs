//! Building indexes in the background: a piece a commit, so that writers hardly wait.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::indexes::entries_of;
use super::open::Engine;
use super::progress::Progress;
use super::writer::Writer;
use crate::disk::{IndexChange, IndexEntry, View, index_tables};
use crate::error::Result;
use crate::schema::descriptor::TableIdx;

/// How many rows a piece has, for which writers wait.
const PIECE_ROWS: usize = 10_000;

/// The next rows of a table, as entries of its indexes.
#[derive(Default)]
struct Piece {
    entries: Vec<Vec<IndexEntry>>,
    rows: usize,
    /// The key it ends with; `None` at the end of the table.
    end: Option<Vec<u8>>,
}

impl Engine {
    /// Builds the indexes that do not stand, until all do or the store closes.
    pub(crate) fn build_indexes(&self) -> Result<()> {
        while self.unbuilt.load(Ordering::Acquire) && !self.closing.load(Ordering::Acquire) {
            self.build_piece()?;
        }
        Ok(())
    }

    /// [`build_indexes`](Self::build_indexes), even if this process has written nothing yet.
    pub(crate) fn build_all_indexes(&self) -> Result<()> {
        self.refuse_if_read_only()?;
        {
            let mut writer = self.lock_writer()?;
            self.upgrade(&mut writer)?;
            let view = self.view();
            self.cover_indexes(&mut writer, &view)?;
            if writer.indexes.is_unrecorded {
                self.store(&mut writer, |_, _| Ok(()))?;
            }
            self.unbuilt.store(writer.indexes.facts.are_building(), Ordering::Release);
        }
        self.build_indexes()
    }

    /// Builds all indexes again from the rows.
    pub(crate) fn rebuild_indexes(&self) -> Result<()> {
        self.refuse_if_read_only()?;
        {
            let mut writer = self.lock_writer()?;
            self.upgrade(&mut writer)?;
            self.reset_all_indexes(&mut writer)?;
            self.empty_damaged_indexes(&mut writer)?;
            if writer.indexes.is_unrecorded {
                self.store(&mut writer, |_, _| Ok(()))?;
            }
        }
        self.build_indexes()
    }

    fn reset_all_indexes(&self, writer: &mut Writer) -> Result<()> {
        self.cover_indexes(writer, &self.view())?;
        let table_idxs: Vec<TableIdx> = self.def.table_idxs().collect();
        self.reset_indexes(writer, &table_idxs);
        Ok(())
    }

    /// Empties the damaged pages of the indexes that are to be cleared: redb could not delete those.
    fn empty_damaged_indexes(&self, writer: &mut Writer) -> Result<()> {
        let tables: Vec<String> =
            writer.indexes.to_clear.iter().flat_map(|name| index_tables(name)).collect();
        if tables.is_empty() || !self.disk.has_damaged_pages(&tables)? {
            return Ok(());
        }
        // First the file says that they do not stand, since an empty page looks like a whole one.
        writer.indexes.to_clear.clear();
        self.store(writer, |_, _| Ok(()))?;
        let emptied = self.disk.empty_damaged_pages(&tables);
        self.reread(writer);
        emptied?;
        self.reset_all_indexes(writer)
    }

    /// Builds the unique indexes of these tables before anything is written to them: what does not
    /// stand cannot tell that a value is taken.
    pub(super) fn build_unique(&self, writer: &mut Writer, table_idxs: &[TableIdx]) -> Result<()> {
        while table_idxs.iter().any(|table_idx| self.lacks_unique(writer, *table_idx)) {
            for progress in self.build_piece_locked(writer)? {
                self.settings.report(progress);
            }
        }
        Ok(())
    }

    fn lacks_unique(&self, writer: &Writer, table_idx: TableIdx) -> bool {
        let view = self.view();
        let indexes =
            self.def.tables[table_idx].indexes.iter().zip(view.names().indexes_of(table_idx));
        let mut unique = indexes.filter(|(index, _)| index.unique);
        unique.any(|(_, name)| {
            writer.indexes.facts.0.get(name).is_some_and(|fact| fact.built_to.is_some())
        })
    }

    fn build_piece(&self) -> Result<()> {
        let mut writer = self.lock_for_upkeep()?;
        self.upgrade(&mut writer)?;
        let built = self.build_piece_locked(&mut writer)?;
        drop(writer);
        for progress in built {
            self.settings.report(progress);
        }
        Ok(())
    }

    /// Builds a piece, and tells of each index how far it is.
    fn build_piece_locked(&self, writer: &mut Writer) -> Result<Vec<Progress>> {
        self.cover_indexes(writer, &self.view())?;
        let Some((table_idx, from)) = self.next_to_build(writer) else {
            self.unbuilt.store(false, Ordering::Release);
            return Ok(Vec::new());
        };
        let view = self.view();
        let mut piece = self.piece(&view, table_idx, &from)?;
        let table = &self.def.tables[table_idx];
        // Those that have come to the same place go on together.
        let names = view.names().indexes_of(table_idx).iter().enumerate();
        let building: Vec<(usize, &String)> = names
            .filter(|(_, name)| {
                let fact = writer.indexes.facts.0.get(*name);
                fact.is_some_and(|fact| fact.built_to.as_ref() == Some(&from))
            })
            .collect();
        for (_, name) in &building {
            if let Some(fact) = writer.indexes.facts.0.get_mut(*name) {
                fact.built_to.clone_from(&piece.end);
            }
        }
        writer.indexes.is_unrecorded = true;
        self.store(writer, |_, commit| {
            building.iter().try_for_each(|(index, name)| {
                let added = std::mem::take(&mut piece.entries[*index]);
                commit.index(name)?.change(&IndexChange { added, ..IndexChange::default() })
            })
        })?;
        let built = building.iter().map(|(index, _)| Progress::Index {
            table: table.name.to_owned(),
            fields: table.indexes[*index].words(),
            rows: piece.rows as u64,
            complete: piece.end.is_none(),
        });
        Ok(built.collect())
    }

    /// A table with an index to build, and the key to go on from.
    fn next_to_build(&self, writer: &Writer) -> Option<(TableIdx, Vec<u8>)> {
        self.view().names().indexes().iter().enumerate().find_map(|(index, names)| {
            let facts = names.iter().filter_map(|name| writer.indexes.facts.0.get(name));
            let from = facts.filter_map(|fact| fact.built_to.clone()).min()?;
            Some((TableIdx(index), from))
        })
    }

    fn piece(&self, view: &Arc<View>, table_idx: TableIdx, from: &[u8]) -> Result<Piece> {
        let table = &self.def.tables[table_idx];
        let mut piece = Piece {
            entries: table.indexes.iter().map(|_| Vec::new()).collect(),
            ..Piece::default()
        };
        // Before the first key there is nothing; an empty text is a key, too.
        let is_start = from.is_empty();
        let start = if is_start { Bound::Unbounded } else { Bound::Excluded(from) };
        let mut rows = view.rows_in(table_idx, start, Bound::Unbounded)?;
        let mut last;
        while let Some(row) = rows.next_with(|key, row| {
            let json = (!row.is_foreign()).then(|| row.json());
            entries_of(table, json, key, |index, entry| piece.entries[index].push(entry));
            key.to_vec()
        }) {
            last = row?;
            piece.rows += 1;
            if piece.rows == PIECE_ROWS {
                piece.end = Some(last);
                break;
            }
        }
        for entries in &mut piece.entries {
            entries.sort_unstable();
        }
        Ok(piece)
    }
}

//! The methods of a store as methods of its own type, so that users need not import the trait.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Generics, Ident, Visibility};

use crate::paths::Paths;

/// `impl Whispering { … }`, each method a call of the trait's.
pub(crate) fn methods(
    ident: &Ident,
    vis: &Visibility,
    paths: &Paths,
    generics: &Generics,
) -> TokenStream {
    let private = &paths.private;
    let (impl_generics, type_generics, clause) = generics.split_for_impl();
    let lifecycle = lifecycle(vis, private);
    let exchange = exchange(vis, private);
    let epochs = epochs(vis, private);
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        #[allow(dead_code, unreachable_pub)]
        impl #impl_generics #ident #type_generics #clause {
            #lifecycle
            #exchange
            #epochs
        }
    }
}

fn lifecycle(vis: &Visibility, private: &TokenStream) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        /// Opens the store in this file, which is made where there is none.
        ///
        /// # Errors
        ///
        /// Where the file is open already, is no store of this kind, was written by code that this
        /// code cannot follow, or cannot be read or written.
        #vis fn open(
            path: impl ::core::convert::AsRef<::std::path::Path>,
        ) -> #private::Result<Self> {
            <Self as #private::Store>::open(path)
        }

        /// Opens the store with options.
        #vis fn builder() -> #private::Builder<Self> {
            <Self as #private::Store>::builder()
        }

        /// A store in memory, which behaves like one in a file and is gone with its last handle.
        ///
        /// # Errors
        ///
        /// Where memory cannot be had.
        #vis fn in_memory() -> #private::Result<Self> {
            <Self as #private::Store>::in_memory()
        }

        /// What the store looks like: tables, kv groups, keys, indexes, defaults, and the JSON
        /// Schema of every field.
        #[must_use]
        #vis fn schema() -> #private::Schema {
            <Self as #private::Store>::schema()
        }

        /// Checks the store in this file against itself, and says what was found.
        ///
        /// # Errors
        ///
        /// Where the file is open already, or cannot be read.
        #vis fn check(
            path: impl ::core::convert::AsRef<::std::path::Path>,
        ) -> #private::Result<#private::CheckReport> {
            <Self as #private::Store>::check(path)
        }

        /// Runs a transaction: all of what the closure writes, or, where it fails, nothing.
        ///
        /// # Errors
        ///
        /// The closure's own, or where the commit fails.
        #vis fn transaction<Out>(
            &self,
            run: impl ::core::ops::FnOnce(&mut #private::Transaction<'_, Self>) -> #private::Result<Out>,
        ) -> #private::Result<Out> {
            <Self as #private::Store>::transaction(self, run)
        }

        /// A view of the whole store as it is now, which later writes leave alone.
        ///
        /// # Errors
        ///
        /// Where the file cannot be read.
        #vis fn snapshot(&self) -> #private::Result<#private::Snapshot<Self>> {
            <Self as #private::Store>::snapshot(self)
        }

        /// Which versions of its schema the store has had, and how this code stands to them.
        ///
        /// # Errors
        ///
        /// Where the file cannot be read.
        #vis fn status(&self) -> #private::Result<#private::Status> {
            <Self as #private::Store>::status(self)
        }

        /// Calls the closure with each newer version of the schema that a merge brings.
        ///
        /// # Errors
        ///
        /// None today.
        #vis fn on_newer_schema(
            &self,
            run: impl ::core::ops::FnMut(&#private::Version) + ::core::marker::Send + 'static,
        ) -> #private::Result<#private::Subscription> {
            <Self as #private::Store>::on_newer_schema(self, run)
        }

        /// Follows what the closure makes of the store: its value now, and a new one after each
        /// change of a table or group that it read.
        ///
        /// # Errors
        ///
        /// None today.
        #vis fn watch<Out, Compute>(
            &self,
            compute: Compute,
        ) -> #private::Result<#private::WatchValue<Self, Out>>
        where
            Compute: ::core::ops::FnMut(&#private::Snapshot<Self>) -> #private::Result<Out>
                + ::core::marker::Send
                + 'static,
        {
            <Self as #private::Store>::watch(self, compute)
        }

        /// Copies the store into a new file, which is complete and consistent.
        ///
        /// # Errors
        ///
        /// Where a file is there already, or cannot be written.
        #vis fn backup(
            &self,
            path: impl ::core::convert::AsRef<::std::path::Path>,
        ) -> #private::Result<()> {
            <Self as #private::Store>::backup(self, path)
        }

        /// Builds the indexes that do not stand yet, and returns when all do.
        ///
        /// # Errors
        ///
        /// Where the file cannot be written; what has been built is kept.
        #vis fn build_indexes(&self) -> #private::Result<()> {
            <Self as #private::Store>::build_indexes(self)
        }

        /// Builds all indexes again: where code decodes stored values in another way than before,
        /// and its types do not tell.
        ///
        /// # Errors
        ///
        /// Where the file cannot be written.
        #vis fn rebuild_indexes(&self) -> #private::Result<()> {
            <Self as #private::Store>::rebuild_indexes(self)
        }

        /// Writes defaults into the rows that lack them, and says how many rows changed.
        ///
        /// # Errors
        ///
        /// Where the commit fails, in which case no row has changed.
        #vis fn backfill_defaults(&self) -> #private::Result<::core::primitive::usize> {
            <Self as #private::Store>::backfill_defaults(self)
        }
    }
}

fn exchange(vis: &Visibility, private: &TokenStream) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        /// What this copy has, for others to compute what it lacks.
        ///
        /// # Errors
        ///
        /// Where the file cannot be read.
        #vis fn summary(&self) -> #private::Result<#private::Summary> {
            <Self as #private::Store>::summary(self)
        }

        /// What this copy has and the other lacks.
        ///
        /// # Errors
        ///
        /// Where the summary is that of another store, or the file cannot be read.
        #vis fn changes_since(
            &self,
            theirs: &#private::Summary,
        ) -> #private::Result<#private::Changes> {
            <Self as #private::Store>::changes_since(self, theirs)
        }

        /// Merges the changes of another copy, and says what they changed here.
        ///
        /// # Errors
        ///
        /// Where the changes are those of another store or are damaged, in which case nothing has
        /// changed, or where the commit fails.
        #vis fn apply(
            &self,
            changes: &#private::Changes,
        ) -> #private::Result<#private::Applied> {
            <Self as #private::Store>::apply(self, changes)
        }
    }
}

fn epochs(vis: &Visibility, private: &TokenStream) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        /// What opening a file of an earlier epoch would do. Writes nothing.
        ///
        /// # Errors
        ///
        /// Where there is no file, or it cannot be read.
        #vis fn preview_migration(
            path: impl ::core::convert::AsRef<::std::path::Path>,
        ) -> #private::Result<#private::Preview> {
            <Self as #private::Store>::preview_migration(path)
        }

        /// What could not be taken over by a migration, and what was changed on two sides of one.
        ///
        /// # Errors
        ///
        /// Where the file cannot be read.
        #vis fn quarantine(
            &self,
        ) -> #private::Result<::std::vec::Vec<#private::Quarantined>> {
            <Self as #private::Store>::quarantine(self)
        }

        /// Builds the store's document anew, without the history of overwritten and removed rows.
        ///
        /// # Errors
        ///
        /// Where the file cannot be written; nothing was changed then.
        #vis fn compact_history(&self) -> #private::Result<()> {
            <Self as #private::Store>::compact_history(self)
        }

        /// The store as it stands in an earlier epoch, to read; `Old` is its struct.
        ///
        /// # Errors
        ///
        /// Where no document of that epoch is here.
        #vis fn open_epoch<Old: #private::Store>(&self) -> #private::Result<Old> {
            <Self as #private::Store>::open_epoch::<Old>(self)
        }

        /// Removes what is kept of earlier epochs and generations, and says what.
        ///
        /// # Errors
        ///
        /// Where the file cannot be written; nothing was removed then.
        #vis fn prune_epochs(&self) -> #private::Result<#private::Pruned> {
            <Self as #private::Store>::prune_epochs(self)
        }
    }
}

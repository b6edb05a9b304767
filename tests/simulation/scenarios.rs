//! Histories that failed once. Each is the seed of a history, and one sentence on what was wrong then.

/// One test a history, under the name of what went wrong in it.
macro_rules! scenarios {
    ($($(#[$story:meta])+ $name:ident: $seed:literal,)+) => {
        $(
            $(#[$story])+
            #[test]
            fn $name() {
                crate::holds($seed);
            }
        )+
    };
}

// The first long runs found these, before it was asked what the author of a late edit knew: an edit
// was lost, or came up again.
scenarios! {
    /// Found by seed 52350.
    a_late_edit_is_judged_1: 52350,
    /// Found by seed 55271.
    a_late_edit_is_judged_2: 55271,
    /// Found by seed 57977.
    a_late_edit_is_judged_3: 57977,
    /// Found by seed 81849.
    a_late_edit_is_judged_4: 81849,
    /// Found by seed 102813.
    a_late_edit_is_judged_5: 102813,
    /// Found by seed 112101.
    a_late_edit_is_judged_6: 112101,
    /// Found by seed 116423.
    a_late_edit_is_judged_7: 116423,
    /// Found by seed 117840.
    a_late_edit_is_judged_8: 117840,
    /// Found by seed 122742.
    a_late_edit_is_judged_9: 122742,
    /// Found by seed 131512.
    a_late_edit_is_judged_10: 131512,
    /// Found by seed 132865.
    a_late_edit_is_judged_11: 132865,
    /// Found by seed 133824.
    a_late_edit_is_judged_12: 133824,
    /// Found by seed 140334.
    a_late_edit_is_judged_13: 140334,
    /// Found by seed 140351.
    a_late_edit_is_judged_14: 140351,
}

scenarios! {
    /// A migration's own resolutions counted as a device's, an edit did not take the place of an
    /// earlier one of its writer, or an older entry about an edit replaced a newer one.
    knowledge_of_a_migration_1: 200506,
    /// One of these three, found by seed 202353.
    knowledge_of_a_migration_2: 202353,
    /// One of these three, found by seed 203888.
    knowledge_of_a_migration_3: 203888,
    /// One of these three, found by seed 204718.
    knowledge_of_a_migration_4: 204718,
    /// One of these three, found by seed 214329.
    knowledge_of_a_migration_5: 214329,
    /// One of these three, found by seed 306039.
    knowledge_of_a_migration_6: 306039,
    /// One of these three, found by seed 407757.
    knowledge_of_a_migration_7: 407757,

    /// A waiting late edit was dropped because what was made of its row was replaced elsewhere.
    a_late_edit_waits_while_its_row_is_replaced: 507251,
    /// A row that had shown as a late edit was not known where its successor was written.
    the_successor_of_a_late_edit_is_written: 501050,
    /// What a migration said and was not edited since did not count as known after a rebuild.
    a_migrated_row_is_rebuilt_unedited: 605154,
    /// What a late edit had displaced was taken for what could not be converted.
    a_displaced_row_beside_an_unconverted_one: 602634,
    /// Two entries of the quarantine about one row were written over each other.
    two_entries_of_the_quarantine_about_one_row: 700114,
    /// An edit kept beside another stayed hidden after an unaware removal had dropped that one.
    an_unaware_removal_drops_the_edit_above: 702216,
    /// An edit waited although no migration had taken over the entry about it.
    an_edit_waits_for_an_entry_that_nobody_took_over: 602635,
    /// A newer edit was dropped because the one recorded in its place was resolved elsewhere.
    an_edit_in_place_of_a_resolved_one: 710961,
    /// What a migration had made of the rows of a document that no device has any more was lost.
    the_source_of_a_migration_is_gone: 713995,
    /// Whether a migration had taken over a displaced edit was told by its row, not by its item.
    a_displaced_edit_is_taken_over_by_a_migration: 722517,
    /// What a late edit displaces was lost if it was itself kept beside that edit, undecided.
    a_late_edit_displaces_an_undecided_one: 721882,
    /// An entry was not carried again after the record of an earlier state of it took its place.
    an_earlier_state_takes_the_place_of_an_entry: 724290,
    /// A copied row was not known any more once it was written over.
    a_copied_row_is_written_over: 712640,

    /// An entry of the quarantine that a second document had taken over counted as written over, or
    /// what stood there before a resolved edit stayed.
    a_second_document_holds_the_entry_1: 745036,
    /// One of these two, found by seed 748646.
    a_second_document_holds_the_entry_2: 748646,
    /// One of these two, found by seed 805494.
    a_second_document_holds_the_entry_3: 805494,
    /// One of these two, found by seed 810864.
    a_second_document_holds_the_entry_4: 810864,

    /// A document with own writes was given up and came again without them: their numbers were
    /// given out twice.
    a_document_with_own_writes_comes_again_1: 824280,
    /// This, or what was resolved in a document did not count as known there: found by seed 826027.
    a_document_with_own_writes_comes_again_2: 826027,

    /// An edit was lost, since the knowledge of two migrations was put together from their documents.
    the_knowledge_of_two_migrations: 4204893,
    /// Two devices showed what a `migrate` function made of different edits.
    a_function_is_given_two_edits: 11005000,
    /// An edit that was decided on elsewhere left the copy of another in its place.
    a_copy_below_an_edit_that_is_over: 11003735,

    /// What a `migrate` function made of one of two edits went for the other, whose author knew but the state
    /// before.
    a_function_is_given_one_of_two_edits: 12002035,
    /// One device showed what a function had made, and listed what another showed.
    what_two_migrations_made_is_listed: 12003839,
    /// What a document that did not become current had made of an edit came back for that of a newer one.
    what_a_losing_migration_made: 12004632,
    /// An edit that waited as a function ran counted as given to it.
    an_edit_waits_while_a_function_runs: 13013470,
    /// An entry of a group that showed in place of another was converted as the document's own, and was not
    /// known any more once it was removed.
    an_entry_of_a_group_shows_in_place_of_another_1: 13016534,
    /// The same, with a migration between.
    an_entry_of_a_group_shows_in_place_of_another_2: 13013460,
    /// What was removed that a function had made stayed where another migration had made the same.
    what_two_functions_made_is_removed_once: 13002181,

    /// What showed of other documents, and was written over, did not count as known.
    an_edit_is_written_over_a_late_one: 15013443,
    /// The copy of an edit stayed after another that could not be converted was removed in its place.
    an_unreadable_edit_is_removed: 15012126,
    /// Something was made of an edit that waited, under a key whose row was removed beside it.
    nothing_is_made_of_what_waits_1: 15018831,
    /// The same, with the two in the other order.
    nothing_is_made_of_what_waits_2: 16002992,
    /// The row that an edit waited behind was removed elsewhere, and nothing was made of the edit then.
    something_is_made_once_an_edit_shows: 17001611,
    /// A note was removed with the one that had waited behind it: the model missed what was made of that.
    a_note_is_removed_with_what_waited: 17009932,
    /// A claim whose document was given up before older code had it ended what that code had of an entry.
    a_claim_without_its_document_1: 13003861,
    /// The same of a row.
    a_claim_without_its_document_2: 13011116,
    /// Of two removals one raced the rewrite of the edit: the model allowed for it only with knowledge.
    two_removals_race_a_rewrite: 13019336,

    /// A row with cells was carried of which the claim knew the base and that it was over: it stayed after it was
    /// removed.
    a_claim_knew_a_base_under_cells: 1099512134734,
    /// A removal killed the copy below a count, and the row that stood for both stayed in a newer document.
    a_count_over_a_copy_is_removed: 1099512135209,

    /// A removed row stayed because another version of it waited in the quarantine, it seems: found by
    /// seed 868201, pinned after that was mended.
    a_removed_row_waits_in_the_quarantine: 868201,
}

//! The decisions that make copies agree. Tests turn one round at a time, to see that it is noticed.

/// A decision that tests may turn round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Among the first items of a key, the highest client is the rightmost.
    HighestFirst,
    /// Among the items after one origin, the highest client is the rightmost.
    HighestAfter,
    /// The same, if the item after the origin is in one run with it.
    HighestInRun,
    /// An item whose origin is not the tip can become the tip.
    OffTip,
    /// The tip dies when another item takes its place.
    OldTipDies,
    /// A write comes after what was removed.
    AfterRemoved,
    /// An update waits as a whole.
    WaitsWhole,
    /// A dead item is given out without its content.
    DeadWithoutContent,
    /// An edit that a removal displaced without having seen it is written again.
    EditWins,
    /// A local write marks the edits that its author has seen.
    WritesMark,
    /// So does one that does not remove.
    EditsMark,
    /// A mark of an edit that was written again holds for the one that stands for it.
    MarksChain,
}

/// Returns the outcome of a rule.
#[cfg(not(test))]
#[inline]
pub(super) const fn says(_: Rule, outcome: bool) -> bool {
    outcome
}

#[cfg(test)]
pub(super) use broken::{says, with_broken};

#[cfg(test)]
mod broken {
    use std::cell::Cell;

    use super::Rule;

    thread_local! {
        static BROKEN: Cell<Option<Rule>> = const { Cell::new(None) };
    }

    pub(in crate::doc) fn says(rule: Rule, outcome: bool) -> bool {
        outcome != (BROKEN.get() == Some(rule))
    }

    /// Runs something while a rule is broken.
    pub(in crate::doc) fn with_broken<T>(rule: Option<Rule>, run: impl FnOnce() -> T) -> T {
        struct Mended;
        impl Drop for Mended {
            fn drop(&mut self) {
                BROKEN.set(None);
            }
        }
        let _mended = Mended;
        BROKEN.set(rule);
        run()
    }
}

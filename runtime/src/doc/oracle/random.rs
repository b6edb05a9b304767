//! Numbers that look random and are the same for each seed.

/// SplitMix64.
#[derive(Debug, Clone)]
pub(in crate::doc) struct Random(u64);

impl Random {
    pub(in crate::doc) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in a range.
    pub(in crate::doc) fn in_range(&mut self, range: std::ops::Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    /// A number below `end`.
    pub(in crate::doc) fn below(&mut self, end: usize) -> usize {
        self.in_range(0..end as u64) as usize
    }

    /// `true` in as many of 100 cases.
    pub(in crate::doc) fn percent(&mut self, percent: u64) -> bool {
        self.in_range(0..100) < percent
    }

    pub(in crate::doc) fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }

    pub(in crate::doc) fn shuffle<T>(&mut self, list: &mut [T]) {
        for index in (1..list.len()).rev() {
            list.swap(index, self.below(index + 1));
        }
    }
}

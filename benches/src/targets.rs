//! The figures that heirloom is to reach.

use crate::results::Results;

/// One promise in figures.
#[derive(Debug)]
pub struct Target {
    /// The figures that are compared, in words.
    pub what: &'static str,
    /// The figure, if everything for it was measured.
    pub measured: fn(&Results) -> Option<f64>,
    /// The bound that it is to keep.
    pub bound: Bound,
}

/// A bound of a figure.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// At most so many times the peer's.
    AtMost(f64),
    /// At least so many times as fast as the peer.
    Faster(f64),
    /// Fewer bytes than this.
    BytesBelow(f64),
}

impl Bound {
    /// Whether a figure is within it.
    pub fn reached(self, figure: f64) -> bool {
        match self {
            Self::AtMost(most) => figure <= most,
            Self::Faster(least) => figure >= least,
            Self::BytesBelow(end) => figure < end,
        }
    }
}

/// All of them.
#[rustfmt::skip]
pub const TARGETS: &[Target] = {
    use Bound::{AtMost, BytesBelow, Faster};
    const fn target(
        what: &'static str, bound: Bound, measured: fn(&Results) -> Option<f64>,
    ) -> Target {
        Target { what, measured, bound }
    }
    &[
        target("get by key, to native_db", AtMost(0.9), |r| cost(r, "get", "native_db")),
        target("get by key, to SQLite", AtMost(0.8), |r| cost(r, "get", "SQLite")),
        target("scan, to SQLite", AtMost(1.1), |r| cost(r, "scan", "SQLite")),
        target("insert 100k, to SQLite", AtMost(2.2), |r| cost(r, "insert-100k", "SQLite")),
        target("insert 100k, to native_db", AtMost(0.5), |r| cost(r, "insert-100k", "native_db")),
        target("insert one, to native_db", AtMost(1.0), |r| cost(r, "insert-one", "native_db")),
        target("insert one, to a raw redb commit", AtMost(1.7), |r| cost(r, "insert-one", "redb")),
        target("open and read one at 100k, to SQLite", AtMost(2.0), |r| cost(r, "open-100k", "SQLite")),
        target("open and read one at 1M, to 1k", AtMost(2.0), |r| {
            Some(r.heirloom("open-1m")?.ratio_to(r.heirloom("open-1k")?))
        }),
        target("memory of open and read one at 1M", BytesBelow(20e6), |r| {
            Some(r.heirloom("memory-open-1m")?.median())
        }),
        target("insert 100k, to autosurgeon, by the row", Faster(20.0), |r| speed(r, "insert-100k")),
        target("insert a tenth more, to autosurgeon, by the row", Faster(20.0), |r| speed(r, "insert-more")),
        target("insert one, to autosurgeon", Faster(20.0), |r| speed(r, "insert-one")),
        target("get by key, to autosurgeon", Faster(5.0), |r| speed(r, "get")),
        target("scan, to autosurgeon, by the row", Faster(5.0), |r| speed(r, "scan")),
    ]
};

/// heirloom's cost in multiples of a peer's.
fn cost(results: &Results, measurement: &'static str, peer: &'static str) -> Option<f64> {
    Some(results.heirloom(measurement)?.ratio_to(results.get(measurement, peer)?))
}

/// heirloom's speed in multiples of autosurgeon's.
fn speed(results: &Results, measurement: &'static str) -> Option<f64> {
    cost(results, measurement, "autosurgeon").map(f64::recip)
}

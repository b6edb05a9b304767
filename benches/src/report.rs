//! The tables.

use crate::contender::Contender;
use crate::plan::{MEASUREMENTS, Unit};
use crate::results::{Figure, Results};
use crate::targets::{Bound, TARGETS};

/// Says how the figures came about.
pub fn heading(quick: bool, load_before: String) {
    println!("# heirloom beside its peers{}\n", if quick { " (quick run)" } else { "" });
    println!(
        "Medians of alternating rounds, in one directory, built by `--release`; a row is about 190 \
         bytes of JSON. In brackets: heirloom's median divided by the peer's, so below 1 heirloom \
         is the faster or smaller one. `@` marks a peer measured with fewer rows; where a figure \
         grows with the rows, its bracket then compares by the row. {} cores, load average {} \
         before and {} after; where others are at work, durable figures mean little, since a thread \
         that wakes from an fsync waits for its turn.\n",
        std::thread::available_parallelism().map_or(1, usize::from),
        load_before,
        load_average(),
    );
}

/// A row for each measurement, a column for each peer.
pub fn main_table(quick: bool, contenders: &[&Contender], results: &Results) {
    let names: Vec<_> = contenders.iter().map(|contender| contender.name).collect();
    println!("| measurement | {} |", names.join(" | "));
    println!("|---|{}", "--:|".repeat(names.len()));
    for measurement in MEASUREMENTS {
        let rows = measurement.size.rows(quick);
        let cells: Vec<_> = contenders
            .iter()
            .map(|contender| {
                let figure = results.get(measurement.id, contender.name)?;
                let mut cell = amount(figure.median(), measurement.unit);
                if figure.rows != rows {
                    cell += &format!(" @{}", count(figure.rows));
                }
                if let Some(heirloom) = results.heirloom(measurement.id)
                    && contender.name != "heirloom"
                {
                    cell += &format!(" ({})", times(heirloom.ratio_to(figure)));
                }
                Some(cell)
            })
            .collect();
        if cells.iter().any(Option::is_some) {
            let label = measurement.label.replace("{}", &count(rows));
            let cells: Vec<_> = cells.into_iter().map(|cell| cell.unwrap_or("–".into())).collect();
            println!("| {label} | {} |", cells.join(" | "));
        }
    }
    println!();
}

/// heirloom alone: what defaults cost. The first figure is what the others are compared with.
#[cfg(feature = "heirloom")]
pub fn evolve_table(figures: &[(&'static str, Figure)]) {
    let Some((_, first)) = figures.first() else { return };
    println!("| heirloom: scan and decode {} rows | time | times |", count(first.rows));
    println!("|---|--:|--:|");
    for (label, figure) in figures {
        let time = amount(figure.median(), Unit::Time);
        println!("| {label} | {time} | {} |", times(figure.ratio_to(first)));
    }
    println!();
}

/// Queries, indexes and live results: each beside what it is held against.
#[cfg(feature = "heirloom")]
pub fn lines_table(heading: &str, lines: &[crate::query::Line]) {
    if lines.is_empty() {
        return;
    }
    println!("| {heading} | heirloom | compared with | times | at most |");
    println!("|---|--:|--:|--:|--:|");
    for line in lines {
        let (ours, other) = (line.ours.median(), line.other.median());
        let (ours, other) = (amount(ours, line.unit), amount(other, line.unit));
        let (label, name) = (line.label, line.name);
        let ratio = line.ours.median() / line.other.median();
        println!(
            "| {label} | {ours} | {name}: {other} | {} | {} |",
            times(ratio),
            times(line.at_most)
        );
    }
    println!();
}

/// A row for each target.
pub fn targets_table(results: &Results) {
    if TARGETS.iter().all(|target| (target.measured)(results).is_none()) {
        return;
    }
    println!("| target | is to be | measured | reached |");
    println!("|---|--:|--:|---|");
    for target in TARGETS {
        let bound = match target.bound {
            Bound::AtMost(most) => format!("≤ {}", times(most)),
            Bound::Faster(least) => format!("≥ {} as fast", times(least)),
            Bound::BytesBelow(end) => format!("< {}", amount(end, Unit::Bytes)),
        };
        let (measured, reached) = match (target.measured)(results) {
            Some(figure) => (
                match target.bound {
                    Bound::BytesBelow(_) => amount(figure, Unit::Bytes),
                    _ => times(figure),
                },
                if target.bound.reached(figure) { "yes" } else { "**no**" },
            ),
            None => ("–".to_owned(), "not measured"),
        };
        println!("| {} | {bound} | {measured} | {reached} |", target.what);
    }
}

/// A figure with the range in which eight of ten samples lie.
pub fn spread(figure: &Figure, unit: Unit) -> String {
    format!(
        "{:>9}  ({} to {}, {} samples at {})",
        amount(figure.median(), unit),
        amount(figure.quantile(0.1), unit),
        amount(figure.quantile(0.9), unit),
        figure.count(),
        count(figure.rows),
    )
}

/// The machine's load over the last minute.
pub fn load_average() -> String {
    std::fs::read_to_string("/proc/loadavg")
        .ok()
        .and_then(|text| Some(text.split_whitespace().next()?.to_owned()))
        .unwrap_or_else(|| "unknown".to_owned())
}

fn amount(value: f64, unit: Unit) -> String {
    let (value, unit) = match (unit, value) {
        (Unit::Time, ..1e3) => (value, "ns"),
        (Unit::Time, ..1e6) => (value / 1e3, "µs"),
        (Unit::Time, ..1e9) => (value / 1e6, "ms"),
        (Unit::Time, _) => (value / 1e9, "s"),
        (Unit::Bytes, ..1e6) => (value / 1e3, "kB"),
        (Unit::Bytes, _) => (value / 1e6, "MB"),
    };
    format!("{} {unit}", digits(value))
}

fn times(ratio: f64) -> String {
    format!("{}×", digits(ratio))
}

/// About three significant digits.
fn digits(value: f64) -> String {
    match value {
        ..0.01 => format!("{value:.4}"),
        ..0.1 => format!("{value:.3}"),
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn count(rows: u64) -> String {
    match rows {
        1_000_000.. => format!("{}M", rows / 1_000_000),
        1_000.. => format!("{}k", rows / 1_000),
        _ => rows.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_three_digits_and_a_unit() {
        assert_eq!(amount(1_514.0, Unit::Time), "1.51 µs");
        assert_eq!(amount(209_400.0, Unit::Time), "209 µs");
        assert_eq!(amount(1.3214e9, Unit::Time), "1.32 s");
        assert_eq!(amount(19.04e6, Unit::Bytes), "19.0 MB");
        assert_eq!(times(0.0512), "0.051×");
        assert_eq!(count(100_000), "100k");
    }
}

//! The results of the measurements.

use std::collections::HashMap;

/// The samples of one peer at one measurement.
#[derive(Debug, Clone)]
pub struct Figure {
    /// In order of size.
    samples: Vec<f64>,
    /// The rows they were taken with.
    pub rows: u64,
    /// The number that a sample is divided by before it is compared.
    divisor: f64,
}

impl Figure {
    /// Of at least one sample; `per_row` where they grow with the rows.
    pub fn of(mut samples: Vec<f64>, rows: u64, per_row: bool) -> Self {
        samples.sort_by(f64::total_cmp);
        Self { samples, rows, divisor: if per_row { rows as f64 } else { 1.0 } }
    }

    /// The middle sample.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The sample that a share of them does not exceed.
    pub fn quantile(&self, share: f64) -> f64 {
        self.samples[((self.samples.len() - 1) as f64 * share).round() as usize]
    }

    /// How many samples.
    pub fn count(&self) -> usize {
        self.samples.len()
    }

    /// How many times the other's median this one is, by the row where they grow with the rows.
    pub fn ratio_to(&self, other: &Self) -> f64 {
        (self.median() / self.divisor) / (other.median() / other.divisor)
    }
}

/// All figures of a run.
#[derive(Debug, Default)]
pub struct Results(HashMap<(&'static str, &'static str), Figure>);

impl Results {
    /// Notes a figure.
    pub fn add(&mut self, measurement: &'static str, peer: &'static str, figure: Figure) {
        self.0.insert((measurement, peer), figure);
    }

    /// The figure of a peer at a measurement, if it was taken.
    pub fn get(&self, measurement: &'static str, peer: &'static str) -> Option<&Figure> {
        self.0.get(&(measurement, peer))
    }

    /// heirloom's figure.
    pub fn heirloom(&self, measurement: &'static str) -> Option<&Figure> {
        self.get(measurement, "heirloom")
    }
}

//! Epochs: which document a device uses, taking rows from one epoch to the next, and carrying over
//! what is written late.

mod arrive;
mod convert;
mod forward;
mod plan;
mod run;
mod sink;
mod source;
mod stage;

pub(crate) use arrive::{News, arrive, rebuild};
pub(crate) use plan::at_epoch;
pub(crate) use stage::{Side, Stage, Stages};

//! The command line.

use crate::{Result, contender, plan};

/// The arguments of a run.
#[derive(Debug, Default)]
pub struct Args {
    /// A tenth of the rows, fewer rounds.
    pub quick: bool,
    only: Option<String>,
    peers: Vec<String>,
}

const USAGE: &str = "usage: heirloom-benches [--quick] [--only <measurement>] [--peer <peer>]...";

impl Args {
    /// Reads the process's arguments.
    pub fn parse() -> Result<Self> {
        let mut args = Self::default();
        let mut given = std::env::args().skip(1);
        while let Some(arg) = given.next() {
            let mut value = || given.next().ok_or_else(|| format!("{arg} needs a value\n{USAGE}"));
            match arg.as_str() {
                "--quick" => args.quick = true,
                "--only" => args.only = Some(value()?),
                "--peer" => args.peers.push(value()?.to_lowercase()),
                _ => return Err(unknown(&format!("no option `{arg}`")).into()),
            }
        }
        Ok(args)
    }

    /// Whether the measurement of this id is to be taken.
    pub fn wants(&self, id: &str) -> bool {
        self.only.as_ref().is_none_or(|only| id.contains(only))
    }

    /// Whether the peer of this name takes part.
    pub fn wants_peer(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.peers.is_empty() || self.peers.iter().any(|peer| name.contains(peer))
    }
}

/// A message with all that there is.
pub fn unknown(what: &str) -> String {
    let measurements: Vec<_> = plan::MEASUREMENTS.iter().map(|it| it.id).collect();
    let peers: Vec<_> = contender::ALL.iter().map(|it| it.name).collect();
    format!(
        "{what}\n{USAGE}\nmeasurements: {}, evolve\npeers: {}",
        measurements.join(", "),
        peers.join(", ")
    )
}

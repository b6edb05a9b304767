//! Peak memory: each job runs in a process of its own, this program started again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::contender::{self, Contender};
use crate::data;
use crate::peers::Peer;

/// The work of a child process.
#[derive(Debug, Clone, Copy)]
pub enum Job {
    /// Opens a store and reads one row.
    OpenGet,
    /// Inserts rows into a new store.
    Insert,
}

/// The first argument of a child.
const CHILD: &str = "--child";

impl Job {
    /// The most memory that a process doing it had resident, in bytes.
    pub fn in_child<P: Peer>(self, dir: &Path, rows: u64) -> Result<f64> {
        let child = Command::new(std::env::current_exe()?)
            .args([CHILD, self.name(), P::NAME])
            .arg(dir)
            .arg(rows.to_string())
            .stderr(Stdio::inherit())
            .output()?;
        if !child.status.success() {
            return Err(format!("{} of {}: {}", self.name(), P::NAME, child.status).into());
        }
        Ok(String::from_utf8(child.stdout)?.trim().parse()?)
    }

    /// Does it.
    pub fn run<P: Peer>(self, dir: &Path, rows: u64) -> Result<()> {
        let mut peer = P::open(dir)?;
        match self {
            Self::OpenGet => {
                let row = peer.get(&P::key(data::id(rows / 2)))?;
                row.map(drop).ok_or_else(|| "every key is there".into())
            }
            Self::Insert => peer.insert_all(data::tracks(0..rows).map(P::Row::from)),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::OpenGet => "open-get",
            Self::Insert => "insert",
        }
    }
}

/// A job with all that it needs.
#[derive(Debug)]
pub struct Task {
    job: Job,
    contender: &'static Contender,
    dir: PathBuf,
    rows: u64,
}

impl Task {
    /// Does the job and prints the process's peak.
    pub fn run(self) -> Result<()> {
        (self.contender.job)(self.job, &self.dir, self.rows)?;
        println!("{}", peak_bytes()?);
        Ok(())
    }
}

/// The task of this process, where it is a child.
pub fn task() -> Option<Result<Task>> {
    let mut args = std::env::args().skip(1);
    (args.next()? == CHILD).then(|| {
        let mut next = || args.next().ok_or("a child needs job, peer, directory and rows");
        let job = match next()?.as_str() {
            "open-get" => Job::OpenGet,
            "insert" => Job::Insert,
            other => return Err(format!("no job `{other}`").into()),
        };
        let name = next()?;
        let contender = contender::ALL
            .iter()
            .find(|contender| contender.name == name)
            .ok_or_else(|| format!("no peer `{name}`"))?;
        Ok(Task { job, contender, dir: next()?.into(), rows: next()?.parse()? })
    })
}

/// `VmHWM` of this process.
fn peak_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"))
        .ok_or("/proc/self/status has no VmHWM")?;
    Ok(kib.trim().parse::<u64>()? * 1_024)
}

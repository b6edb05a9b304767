//! What happens in a run, drawn from its seed before anything happens: so a failing run can be
//! made shorter by leaving steps out.

use super::faults::Fault;
use super::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Put,
    Update,
    Remove,
    /// Another device is asked for what this one lacks; the answer goes into the mail.
    Ask,
    /// A letter is taken out of the mail, or, to come again, left in it.
    Receive,
    Lose,
    Restart,
    /// To the next version of the code.
    Upgrade,
    /// To the version before.
    Downgrade,
    Compact,
    Prune,
    /// All exchange with all, and are compared.
    Meet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub act: Act,
    pub device: u64,
    pub choice: u64,
    pub fault: Option<Fault>,
}

/// How often each act comes.
const SHARES: [(Act, usize); 12] = [
    (Act::Put, 22),
    (Act::Update, 12),
    (Act::Remove, 9),
    (Act::Ask, 18),
    (Act::Receive, 20),
    (Act::Lose, 2),
    (Act::Restart, 3),
    (Act::Upgrade, 7),
    (Act::Downgrade, 1),
    (Act::Compact, 3),
    (Act::Prune, 1),
    (Act::Meet, 2),
];

pub fn draw(random: &mut Random, count: usize) -> Vec<Step> {
    let all = SHARES.iter().map(|(_, share)| share).sum();
    let mut steps = Vec::with_capacity(count);
    for _ in 0..count {
        let mut left = random.below(all);
        let mut act = Act::Put;
        for (candidate, share) in SHARES {
            act = candidate;
            if left < share {
                break;
            }
            left -= share;
        }
        let reach = if random.below(2) == 0 { 6 } else { 60 };
        let lasts = 1 + random.below(4) as u64;
        let fault = Fault {
            after: random.below(reach) as u64,
            lasts: (random.below(3) == 0).then_some(lasts),
        };
        let fault = (random.below(8) == 0).then_some(fault);
        steps.push(Step { act, device: random.next(), choice: random.next(), fault });
    }
    steps
}

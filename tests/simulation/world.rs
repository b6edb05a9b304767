//! The devices, what is on its way between them, and one run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use heirloom::__private::IdSource;
use heirloom::ErrorKind;
use heirloom::sync::{Changes, Summary};
use tempfile::TempDir;

use super::cards;
use super::code::{Code, Collected, FIELDS, Kept, REGISTERS, Register, Replica, Write, amount_of};
use super::faults::{Disk, Fault};
use super::frames::documents_in;
use super::model::{self, Edit, Edits, Seen};
use super::random::{Random, mix};
use super::steps::{Act, Step};

/// The seeds from here on have fields of cards in their histories.
pub const WITH_FIELDS: u64 = 1 << 40;

/// After so many rounds in which everybody gives everybody what it lacks, all must have all.
const MAX_ROUNDS: usize = 12;

struct Letter {
    changes: Vec<u8>,
    surely: Edits,
    at_most: Edits,
}

struct Device {
    /// `None` where the store is in memory.
    path: Option<PathBuf>,
    code: Code,
    app: Option<Box<dyn Replica>>,
    disk: Arc<Disk>,
    ids: heirloom::__private::IdSource,
    /// The edits in its documents, of whatever epoch.
    surely: Edits,
    at_most: Edits,
    mail: Vec<Letter>,
    /// The document that it writes to, once that is known.
    document: Option<String>,
    /// The newest epoch of the code that has given up documents.
    pruned_at: Option<u32>,
    /// Whether an exchange failed in the middle: what it began is ended with the next, or on opening.
    is_unsettled: bool,
}

/// What a device shows.
#[derive(Debug, PartialEq, Eq)]
struct State {
    live: BTreeMap<Register, u32>,
    collected: BTreeMap<u32, Collected>,
    kept: Vec<Kept>,
}

pub struct World {
    /// Whether fields of cards are edited, too.
    has_fields: bool,
    /// Whether cards are inserted, removed and written whole.
    are_whole: bool,
    devices: Vec<Device>,
    edits: BTreeMap<u32, Edit>,
    /// What devices have listed as lost.
    lost: Edits,
    last: u32,
    pub log: Vec<String>,
    _folder: TempDir,
}

type Outcome<T = ()> = Result<T, String>;

impl World {
    pub fn new(seed: u64) -> Outcome<Self> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut random = Random::new(seed ^ 0x5EED);
        let count = 3 + random.below(3);
        let mut world = Self {
            has_fields: seed >= WITH_FIELDS,
            are_whole: seed >= WITH_FIELDS && !seed.is_multiple_of(4),
            devices: Vec::new(),
            edits: BTreeMap::new(),
            lost: Edits::new(),
            last: 0,
            log: Vec::new(),
            _folder: folder,
        };
        for number in 0..count {
            let is_in_memory = number > 1 && random.below(4) == 0;
            let path = world._folder.path().join(format!("{number}.redb"));
            // Most begin with the oldest code; nothing in memory ever gets newer code.
            let first = if is_in_memory { 4 } else { 2 };
            let code = match random.below(2) {
                0 if number == 0 => Code::V0,
                0 => Code::ALL[random.below(first)],
                _ => Code::ALL[random.below(4)],
            };
            let code = if number == 0 { Code::V0 } else { code };
            let disk = Arc::<Disk>::default();
            let path = (!is_in_memory).then_some(path);
            let ids = ids(seed, number);
            let app = code.open(path.as_deref(), disk.hook(), ids.clone());
            let app = app.map_err(|error| format!("device {number} does not open: {error}"))?;
            world.log.push(format!("device {number}: {code:?}, in memory: {is_in_memory}"));
            // Two devices that insert a card would each write all of its fields.
            for id in
                (0..cards::CARDS).filter(|_| world.has_fields && !world.are_whole && number == 0)
            {
                app.insert_card(id).map_err(|error| error.to_string())?;
            }
            world.devices.push(Device {
                path,
                code,
                app: Some(app),
                disk,
                ids,
                surely: Edits::new(),
                at_most: Edits::new(),
                mail: Vec::new(),
                document: None,
                pruned_at: None,
                is_unsettled: false,
            });
        }
        Ok(world)
    }

    pub fn take(&mut self, step: &Step) -> Outcome {
        let count = self.devices.len() as u64;
        let on = (step.device % count) as usize;
        let register = self.register(on, step.choice);
        let fault = step.fault;
        let is_edit = matches!(step.act, Act::Put | Act::Update | Act::Remove);
        if is_edit && self.has_fields {
            let live = self.app(on)?.read()?;
            if let Some((register, write)) = cards::write_of(step, self.are_whole, &live) {
                return self.edit(on, register, fault, write);
            }
        }
        match step.act {
            Act::Put => self.edit(on, register, fault, Write::Put),
            Act::Update => self.edit(on, register, fault, Write::Update),
            Act::Remove => self.edit(on, register, fault, Write::Remove),
            Act::Ask => {
                let from = (on + 1 + (step.choice % (count - 1)) as usize) % count as usize;
                self.ask(on, from)
            }
            Act::Receive => self.receive(on, step.choice, fault),
            Act::Lose => {
                let mail = &mut self.devices[on].mail;
                if !mail.is_empty() {
                    let letter = (step.choice % mail.len() as u64) as usize;
                    mail.remove(letter);
                    self.log.push(format!("{on}: letter {letter} is lost"));
                }
                Ok(())
            }
            Act::Restart => {
                let code = self.devices[on].code;
                self.restart(on, code, fault)
            }
            Act::Upgrade => match self.devices[on].code {
                Code::V0 if step.choice.is_multiple_of(3) => self.restart(on, Code::V0b, fault),
                Code::V0 | Code::V0b if step.choice % 3 == 1 => self.restart(on, Code::V2, fault),
                Code::V0 | Code::V0b => self.restart(on, Code::V1, fault),
                Code::V1 | Code::V2 => self.restart(on, Code::V2, fault),
            },
            Act::Downgrade => match self.devices[on].code {
                Code::V0 | Code::V0b => self.restart(on, Code::V0, fault),
                Code::V1 => self.restart(on, Code::V0b, fault),
                Code::V2 => self.restart(on, Code::V1, fault),
            },
            Act::Compact => self.maintain(on, fault, "compact", |app| app.compact()),
            Act::Prune => {
                let device = &mut self.devices[on];
                device.pruned_at = device.pruned_at.max(Some(device.code.epoch()));
                // What goes on where a document ended that is given up does not go on here.
                device.mail.iter_mut().for_each(|letter| letter.surely.clear());
                self.maintain(on, fault, "prune", |app| app.prune())
            }
            Act::Meet => self.meet(),
        }
    }

    fn register(&self, on: usize, choice: u64) -> Register {
        // Few, so that edits meet.
        let extra = if self.devices[on].code == Code::V2 { 2 } else { 0 };
        let choice = choice % (REGISTERS.len() as u64 + extra);
        let details = [Register::Detail(0), Register::Detail(1)];
        let choice = choice as usize;
        REGISTERS.get(choice).copied().unwrap_or_else(|| details[choice - REGISTERS.len()])
    }

    fn app(&self, on: usize) -> Outcome<&dyn Replica> {
        self.devices[on].app.as_deref().ok_or_else(|| format!("device {on} is closed"))
    }

    /// Opens a device's store again, as the app starts again.
    fn open(&mut self, on: usize, code: Code) -> heirloom::Result<()> {
        let device = &mut self.devices[on];
        device.app = None;
        device.document = None;
        let app = code.open(device.path.as_deref(), device.disk.hook(), device.ids.clone())?;
        device.app = Some(app);
        device.is_unsettled = false;
        device.code = code;
        Ok(())
    }

    fn reopen(&mut self, on: usize) -> Outcome {
        let code = self.devices[on].code;
        self.open(on, code).map_err(|error| format!("{on} does not open again: {error}"))
    }

    fn arm(&mut self, on: usize, fault: Option<Fault>) {
        let device = &self.devices[on];
        // Memory does not fail, and what is in it cannot be started again.
        if let Some(fault) = fault.filter(|_| device.path.is_some()) {
            device.disk.arm(fault);
        }
    }

    /// After something was done on a disk with a fault: where it was a kill, the app starts again.
    fn recover(&mut self, on: usize, fault: Option<Fault>, what: &str) -> Outcome<bool> {
        let Some(fault) = fault else { return Ok(false) };
        let is_kill = fault.lasts.is_none() && self.devices[on].path.is_some();
        if is_kill {
            // What the process would do on its way out does not happen.
            let code = self.devices[on].code;
            self.devices[on].app = None;
            let was_met = self.devices[on].disk.disarm();
            if was_met {
                self.log.push(format!("{on}: killed during {what}"));
            }
            self.open(on, code).map_err(|error| format!("{on} does not open after: {error}"))?;
            return Ok(was_met);
        }
        let was_met = self.devices[on].disk.disarm();
        if was_met {
            self.log.push(format!("{on}: the disk refused during {what}"));
        }
        Ok(was_met)
    }

    /// Whether an edit shows in its registers.
    fn shows(
        &self,
        on: usize,
        register: Register,
        number: u32,
        live: &BTreeMap<Register, u32>,
    ) -> Outcome<bool> {
        let collected = || self.app(on)?.collected();
        Ok(match register {
            Register::Views(card) => {
                let here = collected()?;
                here.get(&card).is_some_and(|here| here.views & amount_of(number) != 0)
            }
            Register::Marks(card) => {
                let here = collected()?;
                here.get(&card).is_some_and(|here| here.marks.contains(&number))
            }
            _ => register.shown().iter().all(|at| live.get(at) == Some(&number)),
        })
    }

    fn edit(
        &mut self,
        on: usize,
        register: Register,
        fault: Option<Fault>,
        write: Write,
    ) -> Outcome {
        self.last += 1;
        let number = self.last;
        let before = self.app(on)?.read().map_err(|error| format!("{on}: {error}"))?;
        let is_removal = write == Write::Remove;
        if is_removal && !register.shown().iter().any(|at| before.contains_key(at)) {
            return Ok(());
        }
        let summary = match self.devices[on].document {
            Some(_) => None,
            None => Some(self.app(on)?.summary().map_err(|error| format!("{on}: {error}"))?),
        };
        let (knew, could_know) = (self.surely(on), self.at_most(on));
        self.arm(on, fault);
        let written = self.app(on)?.write(write, register, number);
        let was_met = self.recover(on, fault, "writing")?;
        let what = format!("{write:?} e{number} of {register:?}");
        let after = self.app(on)?.read().map_err(|error| format!("{on} after {what}: {error}"))?;
        let is_there = match is_removal {
            true => !register.shown().iter().any(|at| after.contains_key(at)),
            false => self.shows(on, register, number, &after)?,
        };
        let epoch = self.devices[on].code.epoch();
        let edit = Edit {
            number,
            device: on,
            register,
            is_removal,
            begins_anew: matches!(write, Write::Insert | Write::Replace),
            epoch,
            was: before.get(&register).copied(),
            document: None,
            knew,
            could_know,
            has_failed: false,
        };
        match written {
            Ok(false) => return Ok(()),
            Ok(true) if !is_there => {
                return Err(format!("{on}: {what} is not there after"));
            }
            Ok(true) => {}
            Err(error) if !was_met => {
                return Err(format!("{on}: {what} fails: {error}"));
            }
            Err(error) if !is_there => {
                self.log.push(format!("{on}: {what} failed: {error}"));
                if let Some(changed) = self.unexplained(on, &before, &after) {
                    return Err(format!(
                        "{on}: {what} failed and changed {changed:?}: {before:?} -> {after:?}"
                    ));
                }
                // Where the last sync of a commit fails, it may stand all the same, once the file
                // is looked at again.
                self.edits.insert(number, Edit { has_failed: true, ..edit });
                self.devices[on].at_most.insert(number);
                return Ok(());
            }
            Err(_) => {}
        }
        if let Some(summary) = summary {
            let changes = self.app(on)?.changes_since(&summary).map_err(|e| e.to_string())?;
            let mut documents = documents_in(&changes.to_bytes());
            documents.retain(|document| document != "head");
            documents.dedup();
            if let [document] = documents.as_slice() {
                self.devices[on].document = Some(document.clone());
            }
        }
        let document = self.devices[on].document.clone();
        self.log.push(format!("{on}: {what}, was {:?}, in {document:?}", edit.was));
        self.edits.insert(number, Edit { document, ..edit });
        self.devices[on].surely.insert(number);
        self.devices[on].at_most.insert(number);
        self.compare_with_model(on)
    }

    /// A register that has changed though no edit that failed before explains it.
    fn unexplained(
        &self,
        on: usize,
        before: &BTreeMap<Register, u32>,
        after: &BTreeMap<Register, u32>,
    ) -> Option<Register> {
        let device = &self.devices[on];
        let failed = device.at_most.difference(&device.surely).filter_map(|e| self.edits.get(e));
        let failed: Vec<&Edit> = failed.collect();
        let all = REGISTERS.iter().chain(&FIELDS);
        let changed = all.filter(|at| before.get(at) != after.get(at));
        let is_explained = |at: &&Register| {
            failed.iter().any(|edit| match after.get(at) {
                Some(number) => edit.number == *number,
                None => edit.removes(**at),
            })
        };
        changed.copied().find(|at| !is_explained(&at))
    }

    /// The edits that a device's user may see: those of an epoch that its code reads.
    fn visible(&self, on: usize, edits: &Edits) -> Edits {
        let epoch = self.devices[on].code.epoch();
        let of_epoch = |number: &&u32| self.edits.get(number).is_some_and(|e| e.epoch <= epoch);
        edits.iter().filter(of_epoch).copied().collect()
    }

    fn surely(&self, on: usize) -> Edits {
        let device = &self.devices[on];
        let newest = device.at_most.iter().filter_map(|number| self.edits.get(number));
        let newest = newest.map(|edit| edit.epoch).max().max(device.pruned_at);
        if device.pruned_at.is_some() && newest > Some(device.code.epoch()) {
            return Edits::new();
        }
        self.visible(on, &device.surely)
    }

    fn at_most(&self, on: usize) -> Edits {
        self.visible(on, &self.devices[on].at_most)
    }

    /// What `to` lacks of `from`.
    fn letter(&self, to: usize, from: usize) -> Outcome<Letter> {
        let lacks = || -> heirloom::Result<Vec<u8>> {
            let (Some(to), Some(from)) = (&self.devices[to].app, &self.devices[from].app) else {
                return Err(heirloom::Error::custom("closed"));
            };
            let summary = Summary::from_bytes(&to.summary()?.to_bytes())?;
            Ok(from.changes_since(&summary)?.to_bytes())
        };
        let changes = lacks().map_err(|error| format!("{to} asks {from}: {error}"))?;
        let sender = &self.devices[from];
        // What it has given up does not come along, though what came of it does.
        let surely = if sender.pruned_at.is_some() { Edits::new() } else { sender.surely.clone() };
        Ok(Letter { changes, surely, at_most: sender.at_most.clone() })
    }

    fn ask(&mut self, on: usize, from: usize) -> Outcome {
        let letter = self.letter(on, from)?;
        self.log.push(format!("{on}: asks {from}, {:?}", documents_in(&letter.changes)));
        self.devices[on].mail.push(letter);
        Ok(())
    }

    fn receive(&mut self, on: usize, choice: u64, fault: Option<Fault>) -> Outcome {
        let count = self.devices[on].mail.len() as u64;
        if count == 0 {
            return Ok(());
        }
        let index = ((choice >> 8) % count) as usize;
        let stays = choice.is_multiple_of(4);
        let letter = self.devices[on].mail.remove(index);
        let received = self.deliver(on, &letter, fault);
        if stays {
            self.devices[on].mail.insert(index, letter);
        }
        let received = received?;
        self.log.push(format!("{on}: received letter {index}, again later: {stays}: {received}"));
        self.compare_with_model(on)
    }

    /// Gives a device what was sent to it; tells whether it took it.
    fn deliver(&mut self, on: usize, letter: &Letter, fault: Option<Fault>) -> Outcome<bool> {
        let changes = Changes::from_bytes(&letter.changes).map_err(|error| error.to_string())?;
        self.arm(on, fault);
        let applied = self.app(on)?.apply(&changes);
        let was_met = self.recover(on, fault, "receiving")?;
        let device = &mut self.devices[on];
        device.document = None;
        match applied {
            Ok(()) => {
                device.surely.extend(&letter.surely);
                device.at_most.extend(&letter.at_most);
                device.is_unsettled = false;
                Ok(true)
            }
            Err(_) if was_met => {
                device.at_most.extend(&letter.at_most);
                device.is_unsettled = true;
                Ok(false)
            }
            // Old code that has nothing yet does not begin where newer code goes on.
            Err(error) if error.kind() == ErrorKind::NewerEpoch && device.surely.is_empty() => {
                Ok(false)
            }
            Err(error) => Err(format!("{on} does not take changes: {error}")),
        }
    }

    fn restart(&mut self, on: usize, code: Code, fault: Option<Fault>) -> Outcome {
        if self.devices[on].path.is_none() {
            return Ok(());
        }
        let before = self.devices[on].code;
        self.arm(on, fault);
        let opened = self.open(on, code);
        self.log.push(format!("{on}: {before:?} -> {code:?}: {}", opened.is_ok()));
        let error = opened.err();
        let was_met = match &error {
            None => self.recover(on, fault, "opening")?,
            Some(_) => self.devices[on].disk.disarm(),
        };
        if let Some(error) = error {
            let no_older = error.kind() == ErrorKind::NewerEpoch && code < before;
            if !was_met && !no_older {
                return Err(format!("{on} does not open with {code:?}: {error}"));
            }
            // Back to the code before, for which everything must still be there.
            self.devices[on].code = before;
            self.reopen(on)?;
        }
        self.compare_with_model(on)
    }

    fn maintain(
        &mut self,
        on: usize,
        fault: Option<Fault>,
        what: &str,
        work: impl FnOnce(&dyn Replica) -> heirloom::Result<()>,
    ) -> Outcome {
        let before = self.app(on)?.read()?;
        self.arm(on, fault);
        let done = work(self.app(on)?);
        let was_met = self.recover(on, fault, what)?;
        self.devices[on].document = None;
        self.log.push(format!("{on}: {what}: {:?}", done.as_ref().err().map(ToString::to_string)));
        match done {
            Err(error) if !was_met => return Err(format!("{on}: {what} fails: {error}")),
            _ => {}
        }
        let after = self.app(on)?.read().map_err(|error| format!("{on} after {what}: {error}"))?;
        // What an exchange began that failed may be ended by this.
        if let Some(changed) = self.unexplained(on, &before, &after)
            && !self.devices[on].is_unsettled
        {
            return Err(format!("{on}: {what} changed {changed:?}: {before:?} -> {after:?}"));
        }
        self.compare_with_model(on)
    }

    fn state(&self, on: usize) -> Outcome<State> {
        let app = self.app(on)?;
        let live = app.read().map_err(|error| format!("{on}: {error}"))?;
        let collected = app.collected().map_err(|error| format!("{on}: {error}"))?;
        let kept = app.quarantine().map_err(|error| format!("{on}: {error}"))?;
        Ok(State { live, collected, kept })
    }

    fn note_lost(&mut self) -> Outcome {
        for app in self.devices.iter().filter_map(|it| it.app.as_ref()) {
            self.lost.extend(app.lost().map_err(|error| error.to_string())?);
        }
        Ok(())
    }

    fn compare_with_model(&mut self, on: usize) -> Outcome {
        self.note_lost()?;
        if self.devices[on].is_unsettled {
            return Ok(());
        }
        let state = self.state(on)?;
        self.compare(on, &state, &self.surely(on), &self.at_most(on), false)
    }

    fn compare(
        &self,
        on: usize,
        State { live, collected, kept }: &State,
        surely: &Edits,
        at_most: &Edits,
        have_met: bool,
    ) -> Outcome {
        let epoch = self.devices[on].code.epoch();
        let has_pruned = self.devices.iter().any(|device| device.pruned_at.is_some());
        let lost = &self.lost;
        let read = |device: &Device| device.app.as_ref().and_then(|app| app.read().ok());
        let shown = self.devices.iter().filter(|_| have_met).filter_map(read).flatten();
        let shown = &shown.map(|(_, edit)| edit).collect();
        let mut elsewhere = Edits::new();
        for app in self.devices.iter().filter(|_| have_met).filter_map(|it| it.app.as_ref()) {
            elsewhere.extend(app.collected()?.values().flat_map(Collected::edits));
            let kept = app.quarantine().map_err(|error| error.to_string())?;
            elsewhere.extend(kept.iter().flat_map(Kept::collected));
        }
        let seen = Seen {
            has_pruned,
            have_met,
            live,
            kept,
            shown,
            collected: &elsewhere,
            lost,
            surely,
            at_most,
        };
        let mut registers = [&REGISTERS[..], &FIELDS].concat();
        if epoch == 2 {
            registers.extend((0..3).map(Register::Detail));
        }
        let mut wrong = model::check(&self.edits, &seen, &registers);
        let current = self.devices.iter().map(|device| device.app.as_ref()?.current().ok());
        let current: Vec<String> = current.map(Option::unwrap_or_default).collect();
        cards::check(&self.edits, &seen, collected, &current, &mut wrong);
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!(
            "device {on} ({:?}) is wrong:\n  {}\n  live: {live:?}, {collected:?}\n  kept: {kept:#?}",
            self.devices[on].code,
            wrong.join("\n  ")
        ))
    }

    /// Everybody gives everybody what it lacks, until nobody lacks anything.
    fn meet(&mut self) -> Outcome {
        let count = self.devices.len();
        for on in (0..count).filter(|on| self.devices[*on].is_unsettled).collect::<Vec<_>>() {
            self.restart(on, self.devices[on].code, None)?;
        }
        self.log.push("all meet".to_owned());
        // Old code that refuses to begin has no part in it.
        let mut outside = vec![false; count];
        let (mut is_quiet, mut news) = (false, Vec::new());
        for _ in 0..MAX_ROUNDS {
            news.clear();
            outside.fill(false);
            let mut pairs = Vec::new();
            #[expect(clippy::needless_range_loop, reason = "devices and marks are looked up by it")]
            for to in 0..count {
                for from in (0..count).filter(|from| *from != to) {
                    let letter = self.letter(to, from)?;
                    let changes =
                        Changes::from_bytes(&letter.changes).map_err(|error| error.to_string())?;
                    if changes.is_empty() {
                        // Whoever lacks nothing knows all that the other does.
                        self.devices[to].surely.extend(&letter.surely);
                        continue;
                    }
                    let documents = documents_in(&letter.changes);
                    news.push(format!("{to} takes {documents:?} of {from}"));
                    outside[to] |= !self.deliver(to, &letter, None)?;
                    pairs.push((to, from));
                    let live = self.app(to)?.read();
                    self.log.push(format!("{to} takes {documents:?} of {from}: {live:?}"));
                    self.compare_with_model(to)?;
                }
            }
            // What they are given they do not pass on.
            is_quiet = pairs.iter().all(|(to, from)| outside[*to] || outside[*from]);
            if is_quiet {
                break;
            }
        }
        // What goes on from a part that all have given up stays unfinished for ever.
        if !is_quiet && self.devices.iter().all(|device| device.pruned_at.is_none()) {
            return Err(format!("the devices never stop having news for each other:\n{news:#?}"));
        }
        let mut first: BTreeMap<u32, (usize, State)> = BTreeMap::new();
        for on in (0..count).filter(|on| !outside[*on]) {
            let state = self.state(on)?;
            // What somebody has given up may be nowhere any more.
            let has_pruned = self.devices.iter().any(|device| device.pruned_at.is_some());
            let unfinished = self.app(on)?.unfinished().map_err(|error| error.to_string())?;
            if let Some(unfinished) = unfinished.filter(|_| !has_pruned) {
                return Err(format!("device {on} ends with {unfinished}"));
            }
            let epoch = self.devices[on].code.epoch();
            let of_epoch = self.edits.values().filter(|edit| edit.epoch <= epoch);
            let all: Edits = of_epoch.map(|edit| edit.number).collect();
            // What was given up before old code had it is in the newer epoch only.
            let newest = self.devices.iter().map(|d| d.pruned_at.max(Some(d.code.epoch()))).max();
            let may_lack = self.devices.iter().any(|device| device.pruned_at.is_some())
                && newest.flatten().is_some_and(|newest| newest > epoch);
            let is_certain = |edit: &&u32| self.edits.get(edit).is_some_and(|e| !e.has_failed);
            let certain = all.iter().filter(is_certain).copied().collect();
            let surely = if may_lack { self.surely(on) } else { certain };
            let is_open = may_lack && surely != all;
            if !is_open {
                self.compare(on, &state, &surely, &all, true)?;
            }
            match first.get(&epoch) {
                None => {
                    first.insert(epoch, (on, state));
                }
                Some((other, theirs)) if state != *theirs => {
                    return Err(format!(
                        "devices {other} and {on} differ after meeting:\n{theirs:#?}\n{state:#?}"
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// All meet, get the newest code, meet again, and close.
    pub fn end(mut self) -> (Outcome, Vec<String>) {
        let outcome = self.meet_and_upgrade();
        (outcome, self.log)
    }

    fn meet_and_upgrade(&mut self) -> Outcome {
        self.meet()?;
        for on in 0..self.devices.len() {
            self.restart(on, Code::V2, None)?;
        }
        self.meet()?;
        self.log.push("all are closed".to_owned());
        for device in &mut self.devices {
            device.app = None;
            if let Some(path) = &device.path {
                device.code.check(path)?;
            }
        }
        Ok(())
    }
}

/// The ids of one device.
fn ids(seed: u64, device: usize) -> IdSource {
    let count = AtomicU64::new(0);
    let start = mix(mix(seed) ^ device as u64);
    Arc::new(move || {
        let number = count.fetch_add(2, SeqCst);
        let half = |more: u64| u128::from(mix(start.wrapping_add(number + more)));
        half(0) << 64 | half(1)
    })
}

//! Random histories of three replicas against a map: what each transaction does, what merging
//! and restarting leave, and that all replicas end up equal.

use std::collections::BTreeMap;

use crate::support::{Note, Notebook, assert_sound, content, exchange, give, note};
use heirloom::sync::Changes;
use heirloom::{Durability, Error, ErrorKind};
use proptest::prelude::*;
use tempfile::TempDir;

const REPLICAS: usize = 3;

/// One step inside a transaction. Few keys, so that they meet often.
#[derive(Debug, Clone)]
enum Step {
    Insert(u32, i64),
    Put(u32, i64),
    Update(u32, i64),
    Remove(u32),
    Set(u32),
    Reset,
    Nickname(Option<u8>),
}

#[derive(Debug, Clone)]
enum Event {
    /// A transaction, which may give up at its end.
    Write(usize, Vec<Step>, bool),
    /// The changes that one has and another lacks are put into the mail.
    Send(usize, usize),
    /// Any letter of a replica's mail, old ones too.
    Receive(usize, prop::sample::Index),
    Give(usize, usize),
    Restart(usize),
    /// All exchange with all.
    Meet,
}

fn step() -> impl Strategy<Value = Step> {
    let key = || 0..6u32;
    prop_oneof![
        3 => (key(), any::<i64>()).prop_map(|(key, stars)| Step::Insert(key, stars)),
        3 => (key(), any::<i64>()).prop_map(|(key, stars)| Step::Put(key, stars)),
        4 => (key(), -3..3i64).prop_map(|(key, stars)| Step::Update(key, stars)),
        3 => key().prop_map(Step::Remove),
        1 => (0..4u32).prop_map(Step::Set),
        1 => Just(Step::Reset),
        1 => any::<Option<u8>>().prop_map(Step::Nickname),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let replica = || 0..REPLICAS;
    prop_oneof![
        10 => (replica(), prop::collection::vec(step(), 1..5), prop::bool::weighted(0.1))
            .prop_map(|(replica, steps, gives_up)| Event::Write(replica, steps, gives_up)),
        5 => (replica(), replica()).prop_map(|(from, to)| Event::Send(from, to)),
        6 => (replica(), any::<prop::sample::Index>())
            .prop_map(|(replica, letter)| Event::Receive(replica, letter)),
        2 => (replica(), replica()).prop_map(|(from, to)| Event::Give(from, to)),
        2 => replica().prop_map(Event::Restart),
        1 => Just(Event::Meet),
    ]
}

/// The expected content of a replica.
#[derive(Debug, Clone, PartialEq)]
struct Model {
    notes: BTreeMap<u32, Note>,
    size: u32,
    nickname: Option<String>,
}

impl Model {
    fn of(app: &Notebook) -> Self {
        let (notes, settings) = content(app);
        let notes = notes.into_iter().map(|note| (note.id, note)).collect();
        Self { notes, size: settings.size, nickname: settings.nickname }
    }

    /// The transaction on the map; an error where one of its steps has to fail.
    fn write(&mut self, steps: &[Step]) -> Result<(), ErrorKind> {
        for step in steps {
            match step {
                Step::Insert(key, _) if self.notes.contains_key(key) => {
                    return Err(ErrorKind::AlreadyExists);
                }
                Step::Insert(key, stars) | Step::Put(key, stars) => {
                    self.notes.insert(*key, Note { stars: *stars, ..note(*key, "put") });
                }
                Step::Update(key, stars) => {
                    if let Some(note) = self.notes.get_mut(key) {
                        note.stars = note.stars.wrapping_add(*stars);
                        note.title = format!("updated by {stars}");
                    }
                }
                Step::Remove(key) => drop(self.notes.remove(key)),
                Step::Set(size) => self.size = *size,
                Step::Reset => self.size = 12,
                Step::Nickname(name) => self.nickname = name.map(|name| name.to_string()),
            }
        }
        Ok(())
    }
}

fn write(app: &Notebook, steps: &[Step], gives_up: bool) -> heirloom::Result<()> {
    app.transaction(|tx| {
        for step in steps {
            match step {
                Step::Insert(key, stars) => {
                    tx.insert(&Note { stars: *stars, ..note(*key, "put") })?;
                }
                Step::Put(key, stars) => tx.put(&Note { stars: *stars, ..note(*key, "put") })?,
                Step::Update(key, stars) => drop(tx.update::<Note>(key, |note| {
                    note.stars = note.stars.wrapping_add(*stars);
                    note.title = format!("updated by {stars}");
                })?),
                Step::Remove(key) => {
                    let there = tx.contains::<Note>(key)?;
                    assert_eq!(tx.remove::<Note>(key)?, there);
                }
                Step::Set(size) => tx.set(&app.settings.size, size)?,
                Step::Reset => tx.reset(&app.settings.size)?,
                Step::Nickname(name) => {
                    tx.set(&app.settings.nickname, &name.map(|name| name.to_string()))?;
                }
            }
        }
        if gives_up { Err(Error::custom("gives up")) } else { Ok(()) }
    })
}

/// Three replicas, their mail, and what is known of them from outside.
struct World {
    folder: TempDir,
    replicas: Vec<Option<Notebook>>,
    mail: Vec<Vec<Changes>>,
    /// The content that all held when they last met, with the writes of the only one that has
    /// written since; `None` once two have.
    model: Option<(Option<usize>, Model)>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self {
            folder,
            replicas: (0..REPLICAS).map(|_| None).collect(),
            mail: vec![Vec::new(); REPLICAS],
            model: None,
        };
        (0..REPLICAS).for_each(|replica| world.open(replica));
        world.model = Some((None, Model::of(world.at(0))));
        world
    }

    fn path(&self, replica: usize) -> std::path::PathBuf {
        self.folder.path().join(format!("{replica}.redb"))
    }

    fn open(&mut self, replica: usize) {
        // A write that is not kept in this mode is lost by power loss only, which no test can make.
        let builder = Notebook::builder().durability(Durability::Eventual);
        self.replicas[replica] = Some(builder.open(self.path(replica)).unwrap());
    }

    fn at(&self, replica: usize) -> &Notebook {
        self.replicas[replica].as_ref().unwrap()
    }

    fn restart(&mut self, replica: usize) {
        let app = self.replicas[replica].take().unwrap();
        let before = (content(&app), app.summary().unwrap());
        drop(app);
        assert_sound::<Notebook>(&self.path(replica));
        self.open(replica);
        let app = self.at(replica);
        assert_eq!((content(app), app.summary().unwrap()), before, "after a restart");
    }

    fn write(&mut self, replica: usize, steps: &[Step], gives_up: bool) {
        let app = self.at(replica);
        let before = Model::of(app);
        let mut expected = before.clone();
        let refused = expected.write(steps).err().or(gives_up.then_some(ErrorKind::Custom));
        let outcome = write(app, steps, gives_up).err().map(|error| error.kind());
        assert_eq!(outcome, refused, "{steps:?}");
        let now = Model::of(app);
        assert_eq!(now, if refused.is_some() { before } else { expected }, "{steps:?}");
        self.model = match self.model.take() {
            _ if refused.is_some() => return,
            Some((None, _)) => Some((Some(replica), now)),
            Some((Some(writer), _)) if writer == replica => Some((Some(replica), now)),
            _ => None,
        };
    }

    fn meet(&mut self) {
        // Once to gather all in the first, once to spread it.
        for _ in 0..2 {
            (1..REPLICAS).for_each(|other| exchange_some(self.at(0), self.at(other)));
        }
        exchange(self.at(0), self.at(1));
        let met = Model::of(self.at(0));
        for other in 1..REPLICAS {
            assert_eq!(Model::of(self.at(other)), met, "replica {other} differs");
            let summaries = (self.at(other).summary().unwrap(), self.at(0).summary().unwrap());
            assert_eq!(summaries.0, summaries.1, "replica {other} has another version");
        }
        if let Some((_, model)) = self.model.take() {
            assert_eq!(met, model, "a write was lost, or came from nowhere");
        }
        self.model = Some((None, met));
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Write(replica, steps, gives_up) => self.write(*replica, steps, *gives_up),
            Event::Send(from, to) => {
                let lacks = self.at(*from).changes_since(&self.at(*to).summary().unwrap());
                self.mail[*to].push(lacks.unwrap());
            }
            Event::Receive(replica, letter) => {
                if let Some(letter) = self.mail[*replica].get(letter.index(100) % 8) {
                    self.at(*replica).apply(letter).unwrap();
                }
            }
            Event::Give(from, to) if from != to => drop(give(self.at(*from), self.at(*to))),
            Event::Give(..) => {}
            Event::Restart(replica) => self.restart(*replica),
            Event::Meet => self.meet(),
        }
    }
}

/// Without the assertion that neither lacks anything: the third may bring something yet.
fn exchange_some(a: &Notebook, b: &Notebook) {
    give(a, b);
    give(b, a);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 60, failure_persistence: None, max_shrink_iters: 400, ..<_>::default()
    })]

    #[test]
    fn replicas_do_what_a_map_does_and_converge(
        events in prop::collection::vec(event(), 1..60),
    ) {
        let mut world = World::new();
        events.iter().for_each(|event| world.happen(event));
        world.meet();
        (0..REPLICAS).for_each(|replica| world.restart(replica));
        world.meet();
    }
}

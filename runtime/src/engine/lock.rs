//! The lock around the writer: it knows who holds it, and lets upkeep and writers take turns.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use super::writer::Writer;

/// The purpose that the lock is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockUser {
    /// Writing rows, or taking in changes.
    Writers,
    /// Work in the background, a piece at a time.
    Upkeep,
}

/// The lock around the writer.
///
/// Among writers the first thread to ask gets it, since passing it from thread to thread takes
/// longer than a small commit. Between writers and upkeep it takes turns: a thread that lets go of it
/// leaves it to the other use, if that waits. So a thread that writes without a pause cannot keep an
/// index from being built, nor the other way round.
#[derive(Debug)]
pub(crate) struct WriterLock {
    /// In a box, since a store is moved about while it opens.
    writer: Mutex<Box<Writer>>,
    turns: Mutex<Turns>,
    /// One for each use.
    freed: [Condvar; 2],
}

#[derive(Debug, Default)]
struct Turns {
    /// The thread that holds the lock, which would wait for itself for ever.
    owner: Option<ThreadId>,
    /// How many threads wait, for each use.
    waiting: [usize; 2],
    /// Which use has the next turn, if it waits.
    reserved: Option<LockUser>,
}

impl LockUser {
    fn other(self) -> Self {
        match self {
            Self::Writers => Self::Upkeep,
            Self::Upkeep => Self::Writers,
        }
    }
}

impl Turns {
    fn may_enter(&self, user: LockUser) -> bool {
        self.owner.is_none() && self.reserved != Some(user.other())
    }

    /// Lets go of the lock, and says who is to be woken.
    fn leave(&mut self, user: LockUser) -> Option<LockUser> {
        self.owner = None;
        let other = user.other();
        if self.waiting[other as usize] > 0 {
            self.reserved = Some(other);
            return Some(other);
        }
        (self.waiting[user as usize] > 0).then_some(user)
    }
}

impl WriterLock {
    pub(crate) fn new(writer: Writer) -> Self {
        Self {
            writer: Mutex::new(Box::new(writer)),
            turns: Mutex::default(),
            freed: Default::default(),
        }
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for others; nothing if this thread is the writer already.
    pub(crate) fn lock(&self, user: LockUser) -> Option<WriterGuard<'_>> {
        let this = thread::current().id();
        let mut turns = self.turns();
        if turns.owner == Some(this) {
            return None;
        }
        while !turns.may_enter(user) {
            turns.waiting[user as usize] += 1;
            let freed = &self.freed[user as usize];
            turns = freed.wait(turns).unwrap_or_else(PoisonError::into_inner);
            turns.waiting[user as usize] -= 1;
        }
        (turns.owner, turns.reserved) = (Some(this), None);
        drop(turns);
        // The thread that had it before may still be letting go.
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        Some(WriterGuard { lock: self, user, writer })
    }
}

/// The writer, while this thread has it.
pub(crate) struct WriterGuard<'l> {
    lock: &'l WriterLock,
    user: LockUser,
    writer: MutexGuard<'l, Box<Writer>>,
}

impl Deref for WriterGuard<'_> {
    type Target = Writer;
    fn deref(&self) -> &Writer {
        &self.writer
    }
}

impl DerefMut for WriterGuard<'_> {
    fn deref_mut(&mut self) -> &mut Writer {
        &mut self.writer
    }
}

impl Drop for WriterGuard<'_> {
    fn drop(&mut self) {
        let next = self.lock.turns().leave(self.user);
        if let Some(next) = next {
            self.lock.freed[next as usize].notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::thread;

    use super::{LockUser, WriterLock};
    use crate::engine::writer::Writer;

    /// Returns the order in which two threads get the lock that let go of it only to ask for it
    /// again, and only while the other waits for it.
    fn entries(first: LockUser, second: LockUser, rounds: usize) -> Vec<LockUser> {
        let lock = WriterLock::new(Writer::of_new_store(0));
        let entries = Mutex::new(Vec::new());
        let enter = |user| {
            let guard = lock.lock(user).unwrap();
            entries.lock().unwrap().push(user);
            guard
        };
        let until_waiting = |user: LockUser| {
            while lock.turns().waiting[user as usize] == 0 {
                thread::yield_now();
            }
        };
        thread::scope(|scope| {
            let mut held = enter(first);
            scope.spawn(|| {
                for _ in 0..rounds {
                    let held = enter(second);
                    until_waiting(first);
                    drop(held);
                }
            });
            for _ in 0..rounds {
                until_waiting(second);
                drop(held);
                held = enter(first);
            }
        });
        entries.into_inner().unwrap()
    }

    #[test]
    fn one_side_never_comes_twice_while_the_other_waits() {
        for (first, second) in
            [(LockUser::Writers, LockUser::Upkeep), (LockUser::Upkeep, LockUser::Writers)]
        {
            let turns = [first, second].into_iter().cycle();
            assert_eq!(entries(first, second, 50), turns.take(101).collect::<Vec<_>>());
        }
    }

    #[test]
    fn it_is_had_by_one_at_a_time_and_by_nobody_twice() {
        let lock = WriterLock::new(Writer::of_new_store(0));
        thread::scope(|scope| {
            for thread in 0..6 {
                let lock = &lock;
                scope.spawn(move || {
                    let user = if thread % 2 == 0 { LockUser::Writers } else { LockUser::Upkeep };
                    for _ in 0..500 {
                        let mut writer = lock.lock(user).unwrap();
                        assert!(lock.lock(user).is_none(), "it would wait for itself");
                        writer.device = Some(writer.device.unwrap_or_default() + 1);
                    }
                });
            }
        });
        assert_eq!(lock.lock(LockUser::Writers).unwrap().device, Some(3_000));
        let turns = lock.turns();
        assert_eq!((turns.owner, turns.waiting), (None, [0, 0]));
    }
}

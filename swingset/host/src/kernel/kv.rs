//! The kernel's view of the kvStore during one run: an overlay with a read cache on the environment.
//!
//! Reads that were made before and all writes stay here until the run ends; the environment is asked only for what was never
//! read. It is emptied between public calls, so that whatever is done to the environment there is seen; during a run nothing else
//! changes the kernel's keys there.
//!
//! # Invariants
//! - A crank's net writes are the keys whose value differs from the one at the crank's start, in byte order: exactly what is
//!   written to the environment for it.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{gaps::Gaps, net_hash::NetHash, table::Table};
use crate::{
    env::{EnvError, Environment},
    keys, uses,
};

/// A key's present value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Value {
    /// The environment was not asked yet.
    #[default]
    Unknown,
    Absent,
    Present(Vec<u8>),
}

impl Value {
    /// The value as far as it is known: absent is `Some(None)`.
    fn known(&self) -> Option<Option<&[u8]>> {
        match self {
            Value::Unknown => None,
            Value::Absent => Some(None),
            Value::Present(value) => Some(Some(value)),
        }
    }
}

/// Whether the environment has a value for a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stored {
    #[default]
    Unknown,
    No,
    Yes,
}

impl Stored {
    fn of(value: Option<&[u8]>) -> Stored {
        if value.is_some() { Stored::Yes } else { Stored::No }
    }
}

/// A key that was read or written in this run.
#[derive(Debug, Default)]
pub(super) struct Entry {
    value: Value,
    stored: Stored,
    /// The environment does not have the value yet.
    dirty: bool,
    /// The environment has the key, and a look for the next one found it: it lies in a stretch of [`Gaps`].
    met: bool,
    /// The crank that wrote it last; what follows is of that crank.
    crank: u64,
    before: Value,
    dirty_before: bool,
}

impl Entry {
    /// Whether it is among [`KvStore::listed`].
    pub(super) fn is_listed(&self) -> bool {
        match self.value {
            Value::Present(_) => self.dirty || self.met,
            Value::Absent => false,
            Value::Unknown => self.met,
        }
    }
}

/// What a write replaced, kept while a mark is out.
#[derive(Debug)]
struct Undo {
    at: usize,
    value: Value,
    dirty: bool,
}

/// The overlay.
#[derive(Debug, Default)]
pub(crate) struct KvStore {
    pub(super) entries: Table<Entry>,
    /// Counts cranks; the present one's number.
    crank: u64,
    /// Entries that this crank wrote.
    touched: Vec<usize>,
    /// What to go back by while marks are out.
    journal: Vec<Undo>,
    journaling: bool,
    /// Keys that are there, in order: those written, and of the environment's those that were met. Made at the first `next_key` of a
    /// run.
    pub(super) listed: Option<BTreeSet<Bytes>>,
    /// Host-owned keys whose values the environment does not have yet.
    host: BTreeSet<&'static str>,
    /// Where it is known which keys the environment has.
    pub(super) gaps: Gaps,
    /// Nothing has changed since the kernel's last command, which was kept.
    unchanged: bool,
    /// Buffers of values that were replaced.
    spare: Vec<Vec<u8>>,
    /// Scratch.
    bytes: Vec<u8>,
}

/// Values above this are not kept when a walk meets their keys: it may meet all that a vat stored, of which nobody asked.
const MET_BYTES_MAX: usize = 4096;
/// Buffers kept for later values.
const SPARE_MAX: usize = 64;

impl KvStore {
    /// A value.
    pub(crate) fn lookup(&self, key: &[u8]) -> &Value {
        match self.entries.find(key).map(|at| self.entries.at(at)) {
            Some(Entry { value: Value::Unknown, met: false, .. }) | None
                if !keys::host_owned(key) && self.gaps.last(key).is_some() =>
            {
                &Value::Absent
            }
            found => found.map_or(&Value::Unknown, |entry| &entry.value),
        }
    }

    /// Whether nothing has changed since the kernel's last command, which was kept; only what the kernel writes, and the activity hash.
    pub(crate) fn unchanged(&self) -> bool {
        self.unchanged
    }

    /// The kernel's command was kept.
    pub(crate) fn command_kept(&mut self) {
        self.unchanged = true;
    }

    /// Takes note of a value that the environment has.
    fn learn(&mut self, key: &[u8], value: Option<&[u8]>) -> usize {
        let at = self.entries.find_or_insert(key);
        let entry = self.entries.at_mut(at);
        if entry.value == Value::Unknown {
            entry.value = value.map_or(Value::Absent, |value| Value::Present(value.to_vec()));
            entry.stored = Stored::of(value);
        }
        at
    }

    /// Takes note of a key that a look for the next one found, and of its value if it is small.
    pub(super) fn meet(&mut self, key: &[u8], value: &[u8]) {
        let small = value.len() <= MET_BYTES_MAX;
        let at = if small { self.learn(key, Some(value)) } else { self.entries.find_or_insert(key) };
        let entry = self.entries.at_mut(at);
        let was_listed = entry.is_listed();
        entry.met = true;
        entry.stored = Stored::Yes;
        self.relist(at, was_listed);
    }

    /// Sees to it that the list has an entry if it should.
    fn relist(&mut self, at: usize, was_listed: bool) {
        let Some(listed) = &mut self.listed else { return };
        let key = self.entries.key(at);
        match (was_listed, self.entries.at(at).is_listed()) {
            (false, true) => _ = listed.insert(Bytes::copy_from_slice(key)),
            (true, false) => _ = listed.remove(key),
            _ => {}
        }
    }

    /// Writes a host-owned value, outside of any crank.
    pub(crate) fn set_host_owned(&mut self, key: &'static str, value: &[u8]) {
        let at = self.entries.find_or_insert(key.as_bytes());
        match &mut self.entries.at_mut(at).value {
            Value::Present(buffer) => {
                buffer.clear();
                buffer.extend_from_slice(value);
            }
            other => *other = Value::Present(value.to_vec()),
        }
        self.host.insert(key);
    }

    /// Writes or deletes.
    pub(crate) fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        let at = self.entries.find_or_insert(key);
        let value = match value {
            None => Value::Absent,
            Some(bytes) => {
                let mut buffer = self.spare.pop().unwrap_or_default();
                buffer.clear();
                buffer.extend_from_slice(bytes);
                Value::Present(buffer)
            }
        };
        let crank = self.crank;
        let entry = self.entries.at_mut(at);
        let was_listed = entry.is_listed();
        let old = std::mem::replace(&mut entry.value, value);
        let dirty = std::mem::replace(&mut entry.dirty, true);
        // Cranks count from 0 and entries begin in none.
        if entry.crank != crank.wrapping_add(1) {
            entry.crank = crank.wrapping_add(1);
            if self.journaling {
                self.journal.push(Undo { at, value: old.clone(), dirty });
            }
            entry.before = old;
            entry.dirty_before = dirty;
            self.touched.push(at);
        } else if self.journaling {
            self.journal.push(Undo { at, value: old, dirty });
        } else {
            recycle(&mut self.spare, old);
        }
        self.relist(at, was_listed);
    }

    /// The present point, to go back to.
    pub(crate) fn mark(&mut self) -> usize {
        self.journaling = true;
        self.journal.len()
    }

    /// Undoes all writes since a point.
    pub(crate) fn rollback(&mut self, mark: usize) {
        while self.journal.len() > mark {
            let Some(undo) = self.journal.pop() else { break };
            let entry = self.entries.at_mut(undo.at);
            let was_listed = entry.is_listed();
            entry.value = undo.value;
            entry.dirty = undo.dirty;
            self.relist(undo.at, was_listed);
        }
    }

    /// No mark is out any more.
    pub(crate) fn end_marks(&mut self) {
        self.journaling = false;
        self.journal.clear();
    }

    /// What the environment has under a key that the kernel sees; `met`: that it is there is known.
    fn ask(&mut self, env: &dyn Environment, key: &[u8], met: bool) -> Result<Option<Bytes>, EnvError> {
        if keys::host_owned(key) {
            return env.get(&keys::seen_by_kernel(key));
        }
        let covered = !met && self.gaps.last(key).is_some();
        let value = if covered { None } else { env.get(&keys::kernel(key))? };
        if value.is_none() && self.gaps.met_absent(covered) {
            self.learn_next(env, Bytes::copy_from_slice(key))?;
        }
        Ok(value)
    }

    /// Lets a value be known that the environment has.
    pub(crate) fn load(&mut self, env: &dyn Environment, key: &[u8]) -> Result<(), EnvError> {
        let met = self.entries.find(key).is_some_and(|at| self.entries.at(at).met);
        let value = self.ask(env, key, met)?;
        self.learn(key, value.as_deref());
        Ok(())
    }

    /// The value of a key, from the environment when it is not known.
    pub(crate) fn get(&mut self, env: &dyn Environment, key: &[u8]) -> Result<Option<&[u8]>, EnvError> {
        let at = self.entries.find_or_insert(key);
        if self.entries.at(at).value == Value::Unknown {
            self.load(env, key)?;
        }
        Ok(match &self.entries.at(at).value {
            Value::Present(value) => Some(value),
            Value::Unknown | Value::Absent => None,
        })
    }

    /// Undoes this crank.
    pub(crate) fn undo_crank(&mut self) {
        self.unchanged = false;
        let mut touched = std::mem::take(&mut self.touched);
        for at in touched.drain(..) {
            let entry = self.entries.at_mut(at);
            let was_listed = entry.is_listed();
            entry.value = std::mem::take(&mut entry.before);
            entry.dirty = entry.dirty_before;
            self.relist(at, was_listed);
        }
        self.touched = touched;
        self.next_crank();
    }

    /// Ends a crank: forgets how to undo it, and gives the SHA-256 over its net writes in key order, if there are any: for each
    /// the key's length (8 bytes, big-endian) and bytes, then 0 for a deletion or 1 and the value's length and bytes.
    pub(crate) fn commit_crank(&mut self, env: &dyn Environment) -> Result<Option<[u8; 32]>, EnvError> {
        let mut touched = std::mem::take(&mut self.touched);
        // Written before it was ever read, and gone back on: it is what the environment has.
        touched.retain(|at| self.entries.at(*at).value != Value::Unknown);
        let mut key = std::mem::take(&mut self.bytes);
        for at in &touched {
            let &Entry { ref before, met, .. } = self.entries.at(*at);
            if *before == Value::Unknown {
                key.clear();
                key.extend_from_slice(self.entries.key(*at));
                let then = self.ask(env, &key, met)?;
                let entry = self.entries.at_mut(*at);
                entry.stored = Stored::of(then.as_deref());
                entry.before = then.map_or(Value::Absent, |value| Value::Present(value.to_vec()));
            }
        }
        self.bytes = key;
        self.entries.sort(&mut touched);
        let mut hash = NetHash::new(&mut self.bytes);
        let mut differs = false;
        for at in &touched {
            let entry = self.entries.at(*at);
            if entry.value != entry.before {
                differs = true;
                hash.write(self.entries.key(*at), entry.value.known().flatten());
            }
        }
        let hash = differs.then(|| hash.finish());
        for at in touched.drain(..) {
            self.settle(at);
        }
        self.touched = touched;
        self.next_crank();
        Ok(hash)
    }

    /// A crank's write is kept: what it replaced is forgotten, and so is a key that is as absent here as in the environment. Queue
    /// items come and go, and without this they would be most of the table.
    fn settle(&mut self, at: usize) {
        let entry = self.entries.at_mut(at);
        let before = std::mem::take(&mut entry.before);
        recycle(&mut self.spare, before);
        if entry.value == Value::Absent && entry.stored == Stored::No {
            self.entries.remove(at);
        }
    }

    fn next_crank(&mut self) {
        self.crank = self.crank.wrapping_add(1);
        self.end_marks();
    }

    /// Writes everything to the environment, in key order, and forgets all.
    pub(crate) fn flush(&mut self, env: &mut dyn Environment) -> Result<(), EnvError> {
        for key in std::mem::take(&mut self.host) {
            if let Value::Present(value) = self.lookup(key.as_bytes()) {
                env.set(&keys::host(key), Bytes::copy_from_slice(value))?;
            }
        }
        let mut dirty: Vec<usize> = self.entries.iter().filter(|(.., entry)| entry.dirty).map(|(at, ..)| at).collect();
        self.entries.sort(&mut dirty);
        for at in dirty {
            let full = keys::kernel(self.entries.key(at));
            let entry = self.entries.at_mut(at);
            let (value, stored) = (std::mem::take(&mut entry.value), entry.stored);
            if let Some(after) = value.known() {
                uses::count(env, self.entries.key(at), &full, after)?;
            }
            match value {
                Value::Present(value) => env.set(&full, Bytes::from(value))?,
                Value::Absent if stored == Stored::Yes || env.get(&full)?.is_some() => env.delete(&full)?,
                Value::Absent | Value::Unknown => {}
            }
        }
        self.forget();
        Ok(())
    }

    /// Forgets everything, unwritten changes too.
    pub(crate) fn forget(&mut self) {
        *self = KvStore::default();
    }
}

fn recycle(spare: &mut Vec<Vec<u8>>, value: Value) {
    if let Value::Present(buffer) = value
        && spare.len() < SPARE_MAX
    {
        spare.push(buffer);
    }
}

#[cfg(test)]
#[path = "kv_tests.rs"]
mod tests;

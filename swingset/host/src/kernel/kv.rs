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
    pub(super) value: Value,
    stored: Stored,
    /// The environment does not have the value yet.
    pub(super) dirty: bool,
    /// The crank that wrote it last; what follows is of that crank.
    crank: u64,
    before: Value,
    dirty_before: bool,
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
    /// Keys ever written, in order; made at the first `next_key` of a run.
    pub(super) written: Option<BTreeSet<Bytes>>,
    /// Host-owned keys whose values the environment does not have yet.
    host: BTreeSet<&'static str>,
    /// Where the environment has no keys.
    pub(super) gaps: Gaps,
    /// Nothing has changed since the kernel's last command, which was kept.
    unchanged: bool,
    /// Buffers of values that were replaced.
    spare: Vec<Vec<u8>>,
    /// Scratch.
    bytes: Vec<u8>,
}

/// Buffers kept for later values.
const SPARE_MAX: usize = 64;

impl KvStore {
    /// A value.
    pub(crate) fn lookup(&self, key: &[u8]) -> &Value {
        match self.entries.find(key).map(|at| &self.entries.at(at).value) {
            Some(Value::Unknown) | None if !keys::host_owned(key) && self.gaps.cover(key) => &Value::Absent,
            found => found.unwrap_or(&Value::Unknown),
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
    pub(super) fn learn(&mut self, key: &[u8], value: Option<&[u8]>) {
        let at = self.entries.find_or_insert(key);
        let entry = self.entries.at_mut(at);
        if entry.value == Value::Unknown {
            entry.value = value.map_or(Value::Absent, |value| Value::Present(value.to_vec()));
            entry.stored = Stored::of(value);
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
        let old = std::mem::replace(&mut entry.value, value);
        let dirty = std::mem::replace(&mut entry.dirty, true);
        if self.journaling {
            self.journal.push(Undo { at, value: old.clone(), dirty });
        }
        // Cranks count from 0 and entries begin in none.
        if entry.crank != crank.wrapping_add(1) {
            entry.crank = crank.wrapping_add(1);
            entry.before = old;
            entry.dirty_before = dirty;
            self.touched.push(at);
        } else {
            recycle(&mut self.spare, old);
        }
        if let Some(written) = self.written.as_mut().filter(|written| !written.contains(key)) {
            written.insert(Bytes::copy_from_slice(key));
        }
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
            entry.value = undo.value;
            entry.dirty = undo.dirty;
        }
    }

    /// No mark is out any more.
    pub(crate) fn end_marks(&mut self) {
        self.journaling = false;
        self.journal.clear();
    }

    /// What the environment has under a key that the kernel sees.
    fn ask(&mut self, env: &dyn Environment, key: &[u8]) -> Result<Option<Bytes>, EnvError> {
        if keys::host_owned(key) {
            return env.get(&keys::seen_by_kernel(key));
        }
        let covered = self.gaps.cover(key);
        let value = if covered { None } else { env.get(&keys::kernel(key))? };
        if value.is_none() && self.gaps.met_absent(covered) {
            self.learn_next(env, Bytes::copy_from_slice(key))?;
        }
        Ok(value)
    }

    /// Lets a value be known that the environment has.
    pub(crate) fn load(&mut self, env: &dyn Environment, key: &[u8]) -> Result<(), EnvError> {
        self.ask(env, key).map(|value| self.learn(key, value.as_deref()))
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
        for at in self.touched.drain(..) {
            let entry = self.entries.at_mut(at);
            entry.value = std::mem::take(&mut entry.before);
            entry.dirty = entry.dirty_before;
        }
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
            if self.entries.at(*at).before == Value::Unknown {
                key.clear();
                key.extend_from_slice(self.entries.key(*at));
                let then = self.ask(env, &key)?;
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
            if let Some(written) = &mut self.written {
                written.remove(self.entries.key(at));
            }
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

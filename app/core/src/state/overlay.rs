//! The journaled overlay: one map of pending writes and one undo journal for all nesting levels, so that a read is one look-up
//! however deep block → transaction → message → crank → mark nest.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, btree_map::Range},
    iter::Peekable,
    ops::Bound::{Excluded, Included, Unbounded},
};

use bytes::Bytes;

use super::{Entry, StateError, StateRead, dead::Dead};
use crate::event::Event;

/// Pending writes: a value, or `None` for a deletion.
pub type Changes = BTreeMap<Vec<u8>, Option<Bytes>>;

/// A point to which an overlay can go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    journal: usize,
    events: usize,
}

/// What one write replaced: the pending write of before, or nothing when the key had none.
#[derive(Debug)]
struct Undo {
    key: Vec<u8>,
    before: Option<Option<Bytes>>,
}

/// State in the course of a block: a committed version and the changes made on it.
pub struct State<'base> {
    base: &'base dyn StateRead,
    changes: Changes,
    journal: Vec<Undo>,
    events: Vec<Event>,
    gas: Option<Gas>,
    /// What walks learned.
    dead: RefCell<Dead>,
}

/// A gas meter. Prices are those of the SDK's KVStore (`storetypes.KVGasConfig`).
#[derive(Debug)]
struct Gas {
    limit: u64,
    used: Cell<u64>,
}

const READ_FLAT: u64 = 1000;
const READ_BYTE: u64 = 3;
const WRITE_FLAT: u64 = 2000;
const WRITE_BYTE: u64 = 30;
const DELETE: u64 = 1000;

impl std::fmt::Debug for State<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("changes", &self.changes.len()).field("events", &self.events.len()).finish()
    }
}

impl<'base> State<'base> {
    /// An overlay with no changes on `base`.
    pub fn new(base: &'base dyn StateRead) -> Self {
        State {
            base,
            changes: Changes::new(),
            journal: Vec::new(),
            events: Vec::new(),
            gas: None,
            dead: RefCell::default(),
        }
    }

    /// An overlay that goes on where another one ended: `changes` are pending, and no mark goes back behind them.
    pub fn resume(base: &'base dyn StateRead, changes: Changes) -> Self {
        State { changes, ..State::new(base) }
    }

    /// Writes a value.
    ///
    /// # Errors
    /// [`StateError::OutOfGas`] when a meter is set and its limit passed; nothing is written then.
    pub fn set(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Bytes>) -> Result<(), StateError> {
        let (key, value) = (key.into(), value.into());
        let bytes = (key.len() + value.len()) as u64;
        self.charge_at(WRITE_FLAT.saturating_add(WRITE_BYTE.saturating_mul(bytes)), "WriteFlat")?;
        self.put(key, Some(value));
        Ok(())
    }

    /// Deletes a key; absent is no error.
    ///
    /// # Errors
    /// As [`State::set`].
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) -> Result<(), StateError> {
        self.charge_at(DELETE, "Delete")?;
        self.put(key.into(), None);
        Ok(())
    }

    fn put(&mut self, key: Vec<u8>, value: Option<Bytes>) {
        if value.is_some() {
            self.dead.get_mut().revive(&key);
        }
        let before = match self.changes.get_mut(&key) {
            Some(pending) => Some(std::mem::replace(pending, value)),
            None => {
                self.changes.insert(key.clone(), value);
                None
            }
        };
        self.journal.push(Undo { key, before });
    }

    /// Emits an event.
    pub fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The present point.
    pub fn mark(&self) -> Mark {
        Mark { journal: self.journal.len(), events: self.events.len() }
    }

    /// Undoes all writes and events since `mark`. Gas stays used.
    pub fn rollback(&mut self, mark: Mark) {
        while self.journal.len() > mark.journal {
            let Some(undo) = self.journal.pop() else { break };
            if undo.before != Some(None) {
                self.dead.get_mut().revive(&undo.key);
            }
            match undo.before {
                Some(before) => self.changes.insert(undo.key, before),
                None => self.changes.remove(&undo.key),
            };
        }
        self.events.truncate(mark.events);
    }

    /// Takes the events emitted since `mark`, in order.
    pub fn take_events(&mut self, mark: Mark) -> Vec<Event> {
        self.events.split_off(mark.events.min(self.events.len()))
    }

    /// Net writes since `mark`: the keys whose value now differs from the one at the mark, in byte order.
    ///
    /// # Errors
    /// Storage, when a key's value at the mark must be read from the committed version.
    pub fn net_changes(&self, mark: Mark) -> Result<Changes, StateError> {
        let mut first: BTreeMap<&[u8], &Option<Option<Bytes>>> = BTreeMap::new();
        for undo in self.journal.get(mark.journal..).unwrap_or_default() {
            first.entry(&undo.key).or_insert(&undo.before);
        }
        let mut net = Changes::new();
        for (key, before) in first {
            let now = self.changes.get(key).cloned().flatten();
            let then = match before {
                Some(pending) => pending.clone(),
                None => self.base.get(key)?,
            };
            if now != then {
                net.insert(key.to_vec(), now);
            }
        }
        Ok(net)
    }

    /// All pending writes, for the store.
    pub fn into_changes(self) -> Changes {
        self.changes
    }

    /// Sets a gas meter with this limit; reads and writes are charged from now on.
    pub fn meter(&mut self, limit: u64) {
        self.gas = Some(Gas { limit, used: Cell::new(0) });
    }

    /// Takes the meter off; says how much was used.
    pub fn unmeter(&mut self) -> u64 {
        self.gas.take().map_or(0, |gas| gas.used.get())
    }

    /// Gas used so far under the present meter.
    pub fn gas_used(&self) -> u64 {
        self.gas.as_ref().map_or(0, |gas| gas.used.get())
    }

    /// Charges gas.
    ///
    /// # Errors
    /// [`StateError::OutOfGas`] when the limit is passed. The use is recorded all the same, as in the SDK.
    pub fn charge(&self, amount: u64) -> Result<(), StateError> {
        self.charge_at(amount, "charge")
    }

    /// Charges gas for what happens at `location`, a word for people (the SDK's where it has one).
    ///
    /// # Errors
    /// As [`State::charge`].
    pub fn charge_at(&self, amount: u64, location: &'static str) -> Result<(), StateError> {
        let Some(gas) = &self.gas else { return Ok(()) };
        let wanted = gas.used.get().saturating_add(amount);
        gas.used.set(wanted);
        if wanted > gas.limit { Err(StateError::OutOfGas { limit: gas.limit, wanted, location }) } else { Ok(()) }
    }
}

impl StateRead for State<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        let value = match self.changes.get(key) {
            Some(pending) => pending.clone(),
            None => self.base.get(key)?,
        };
        let bytes = key.len() + value.as_ref().map_or(0, Bytes::len);
        self.charge_at(READ_FLAT.saturating_add(READ_BYTE.saturating_mul(bytes as u64)), "ReadFlat")?;
        Ok(value)
    }

    fn range<'a>(&'a self, start: &[u8], end: Option<&[u8]>) -> Box<dyn Iterator<Item = Entry> + 'a> {
        Box::new(Merged::new(self, start, end))
    }
}

/// Pending writes over the committed version, in order.
struct Merged<'a> {
    state: &'a State<'a>,
    end: Option<Vec<u8>>,
    pending: Peekable<Range<'a, Vec<u8>, Option<Bytes>>>,
    base: Peekable<Box<dyn Iterator<Item = Entry> + 'a>>,
    /// The first deletion since the last key that is there, and whether more followed.
    deleted: Option<(Vec<u8>, bool)>,
}

impl<'a> Merged<'a> {
    fn new(state: &'a State<'a>, start: &[u8], end: Option<&[u8]>) -> Self {
        let pending: Range<'a, Vec<u8>, Option<Bytes>> = if end.is_some_and(|end| end <= start) {
            Range::default()
        } else {
            state.changes.range::<[u8], _>((Included(start), end.map_or(Unbounded, Excluded)))
        };
        let base = state.base.range(start, end).peekable();
        Merged { state, end: end.map(<[u8]>::to_vec), pending: pending.peekable(), base, deleted: None }
    }

    /// Goes on behind the deletions that an earlier walk passed.
    fn pass(&mut self, deleted: &[u8]) {
        let dead = self.state.dead.borrow();
        let Some(from) = dead.end(deleted) else { return };
        let before = self.deleted.take();
        *self = Merged { deleted: before, ..Merged::new(self.state, from, self.end.take().as_deref()) };
    }

    /// A key that is there, or the end, was met.
    fn learn(&mut self, end: Option<&[u8]>) {
        if let (Some((first, true)), Some(end)) = (self.deleted.take(), end) {
            self.state.dead.borrow_mut().learn(first, end);
        }
    }
}

impl Iterator for Merged<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            let take_pending = match (self.pending.peek(), self.base.peek()) {
                (None, None) => {
                    let end = self.end.take();
                    self.learn(end.as_deref());
                    return None;
                }
                (Some(_), None) => true,
                (None, Some(_)) | (_, Some(Err(_))) => false,
                (Some((key, _)), Some(Ok((base_key, _)))) => *key <= base_key,
            };
            if !take_pending {
                let entry = self.base.next()?;
                if let Ok((key, _)) = &entry {
                    self.learn(Some(key));
                }
                return Some(self.state.charged(entry));
            }
            let (key, value) = self.pending.next()?;
            if self.base.peek().is_some_and(|entry| matches!(entry, Ok((base_key, _)) if base_key == key)) {
                self.base.next();
            }
            match value {
                Some(value) => {
                    self.learn(Some(key));
                    return Some(self.state.charged(Ok((key.clone(), value.clone()))));
                }
                None => {
                    match &mut self.deleted {
                        Some((_, more)) => *more = true,
                        first => *first = Some((key.clone(), false)),
                    }
                    self.pass(key);
                }
            }
        }
    }
}

impl State<'_> {
    fn charged(&self, entry: Entry) -> Entry {
        let (key, value) = entry?;
        let bytes = (key.len() + value.len()) as u64;
        self.charge_at(READ_BYTE.saturating_mul(bytes).saturating_add(30), "IterNextFlat")?;
        Ok((key, value))
    }
}

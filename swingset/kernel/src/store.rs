//! The kvStore as one command sees it: reads remembered, writes held back until [`Store::flush`].
//!
//! Keys and values lie one after another in one buffer, and the buffers outlive the command ([`Buffers`]). What they hold is used by
//! the next command only when the host says that nothing else has changed the kvStore meanwhile.
//!
//! # Invariants
//! - `flush` writes each changed key once; `discard` forgets every write since the last flush.
//! - Reads see the writes held back, [`Store::next_key`] too.
//! - What is remembered and not dirty is what the host has.

use alloc::{collections::BTreeSet, string::String, vec::Vec};

pub use crate::{
    buffers::Buffers,
    number::{Numbers, decimal, number_text, parse_number, parse_numbers},
};
use crate::{
    buffers::{Entry, Piece},
    hash::hash_of,
    host::{Change, Host},
    keys,
    queue::Queue,
};

/// The state contradicts itself (a missing or malformed entry): no crank can go on. The text names what was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault(pub &'static str);

/// A result that only a broken state can spoil.
pub type Kept<T> = Result<T, Fault>;

/// What every crank writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Often {
    /// A queue's bounds.
    Queue(Queue),
    /// How many cranks there were.
    CrankNumber,
}

impl Often {
    /// How many there are.
    pub const COUNT: usize = Queue::ALL.len() + 1;

    fn key(self) -> &'static str {
        match self {
            Often::Queue(queue) => queue.key(),
            Often::CrankNumber => keys::CRANK_NUMBER,
        }
    }

    fn place(self) -> usize {
        match self {
            Often::Queue(queue) => queue as usize,
            Often::CrankNumber => Queue::ALL.len(),
        }
    }
}

/// Values above this are not remembered when they are read: a vat may read many.
const REMEMBERED_BYTES_MAX: usize = 4096;
/// Bytes of keys and values above which nothing more is remembered that is only read, for the same reason.
const REMEMBERED_IN_ALL_MAX: usize = 4 * 1024 * 1024;

/// See the module.
pub struct Store<'h, H: Host> {
    /// The host.
    pub host: &'h mut H,
    /// Where all of it lies.
    pub buffers: &'h mut Buffers,
    /// Keys with a value held back, in order; made at the first `next_key`.
    written: Option<BTreeSet<String>>,
    /// Entries that `next_key` passed over since the last [`Store::discard`]; bounds what a crank may scan.
    pub scanned: u64,
}

impl<'h, H: Host> Store<'h, H> {
    /// A view with nothing remembered; `unchanged`: with what the last command knew, since nothing else has changed the kvStore.
    pub fn new(host: &'h mut H, buffers: &'h mut Buffers, unchanged: bool) -> Self {
        if !unchanged || !buffers.can_be_carried() {
            buffers.clear();
        }
        Store {
            host,
            buffers,
            written: None,
            scanned: 0,
        }
    }

    /// The value of a key.
    #[inline]
    pub fn get(&mut self, key: impl AsRef<[u8]>) -> Option<&[u8]> {
        let piece = self.find(key.as_ref());
        piece.map(|piece| self.buffers.piece(piece))
    }

    fn find(&mut self, key: &[u8]) -> Option<Piece> {
        self.find_entry(key).1
    }

    /// The entry of a key, none when its value is too large to be remembered or known to be absent; and the value.
    fn find_entry(&mut self, key: &[u8]) -> (Option<usize>, Option<Piece>) {
        let hash = hash_of(key);
        let (place, found) = self.buffers.place(hash, key);
        if let Some(at) = found {
            return (found, self.buffers.entries[at].value);
        }
        if self.buffers.known.fresh.has(key) {
            return (None, None);
        }
        let stored_key = self.buffers.add(key);
        let start = self.buffers.bytes.len();
        let value = self.host.get(key, &mut self.buffers.bytes).then(|| Piece {
            start: start as u32,
            length: (self.buffers.bytes.len() - start) as u32,
        });
        if value.is_some_and(|value| value.length as usize > REMEMBERED_BYTES_MAX) || start > REMEMBERED_IN_ALL_MAX {
            self.buffers.loose = Some(stored_key.start as usize);
            return (None, value);
        }
        let at = self.buffers.insert(
            place,
            Entry {
                hash,
                dirty: false,
                key: stored_key,
                value,
            },
        );
        (Some(at), value)
    }

    /// The value as text.
    pub fn get_text(&mut self, key: impl AsRef<[u8]>) -> Kept<Option<&str>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => core::str::from_utf8(value)
                .map(Some)
                .map_err(|_| Fault("a text entry is not UTF-8")),
        }
    }

    /// The value as a decimal number.
    pub fn get_number(&mut self, key: impl AsRef<[u8]>) -> Kept<Option<u64>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => parse_number(value)
                .map(Some)
                .ok_or(MALFORMED_NUMBER),
        }
    }

    /// Whether the key exists.
    pub fn has(&mut self, key: impl AsRef<[u8]>) -> bool {
        self.find(key.as_ref()).is_some()
    }

    /// `next_key` looks through what was written.
    // Inlined: a call costs about as much, its work is counted, and its stack.
    #[inline(always)]
    fn note(&mut self, key: &[u8], present: bool) {
        if let Some(written) = &mut self.written
            && let Ok(key) = core::str::from_utf8(key)
        {
            if present {
                written.insert(String::from(key));
            } else {
                written.remove(key);
            }
        }
    }

    /// Gives the entry's index.
    fn put(&mut self, key: &[u8], value: Option<&[u8]>) -> usize {
        self.note(key, value.is_some());
        let hash = hash_of(key);
        match self.buffers.place(hash, key) {
            (_, Some(at)) => {
                self.buffers.change(at, value);
                at
            }
            (place, None) => {
                let key = self.buffers.add(key);
                let value = value.map(|value| self.buffers.add(value));
                let at = self.buffers.insert(
                    place,
                    Entry {
                        hash,
                        dirty: true,
                        key,
                        value,
                    },
                );
                self.buffers.dirty.push(at as u32);
                at
            }
        }
    }

    /// Replaces the value that was found, by one look for the key.
    fn put_found(&mut self, key: &[u8], at: Option<usize>, value: Option<&[u8]>) {
        match at {
            Some(at) => {
                self.note(key, value.is_some());
                self.buffers.change(at, value);
            }
            None => {
                self.put(key, value);
            }
        }
    }

    /// Takes a value out.
    pub fn take(&mut self, key: impl AsRef<[u8]>) -> Option<Vec<u8>> {
        let (at, found) = self.find_entry(key.as_ref());
        let value = Vec::from(self.buffers.piece(found?));
        self.put_found(key.as_ref(), at, None);
        Some(value)
    }

    /// Deletes a key if it is there.
    pub fn delete_if_there(&mut self, key: impl AsRef<[u8]>) {
        let (at, found) = self.find_entry(key.as_ref());
        if found.is_some() {
            self.put_found(key.as_ref(), at, None);
        }
    }

    /// Writes what `change` makes of the value, and gives it; `change` says what is wrong with an absent one.
    pub fn update<T>(
        &mut self,
        key: impl AsRef<[u8]>,
        change: impl FnOnce(Option<&[u8]>) -> Kept<(T, Numbers)>,
    ) -> Kept<T> {
        let (at, found) = self.find_entry(key.as_ref());
        let (made, text) = change(found.map(|found| self.buffers.piece(found)))?;
        self.put_found(key.as_ref(), at, Some(text.as_ref()));
        Ok(made)
    }

    /// Writes what `change` makes of a decimal number that must be there; gives the new one.
    pub fn update_number(
        &mut self,
        key: impl AsRef<[u8]>,
        missing: Fault,
        change: impl FnOnce(u64) -> Kept<u64>,
    ) -> Kept<u64> {
        self.update(key, |old| {
            let number = parse_number(old.ok_or(missing)?).ok_or(MALFORMED_NUMBER)?;
            let number = change(number)?;
            Ok((number, Numbers::of([number])))
        })
    }

    /// Writes a key.
    pub fn set(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.put(key.as_ref(), Some(value.as_ref()));
    }

    /// Writes a key that every crank writes: once it was looked for, its entry is remembered.
    pub fn set_often(&mut self, often: Often, value: impl AsRef<[u8]>) {
        let key = often.key().as_bytes();
        let known = self.buffers.known.entries[often.place()];
        if let Some(at) = known {
            self.note(key, true);
            self.buffers.change(at as usize, Some(value.as_ref()));
        } else {
            let at = self.put(key, Some(value.as_ref()));
            self.buffers.known.entries[often.place()] = Some(at as u32);
        }
    }

    /// Writes a text.
    pub fn set_text(&mut self, key: impl AsRef<[u8]>, value: &str) {
        self.put(key.as_ref(), Some(value.as_bytes()));
    }

    /// Writes a decimal number.
    pub fn set_number(&mut self, key: impl AsRef<[u8]>, value: u64) {
        let mut digits = [0u8; 20];
        let at = decimal(&mut digits, value);
        self.put(key.as_ref(), Some(&digits[at..]));
    }

    /// Deletes a key.
    pub fn delete(&mut self, key: impl AsRef<[u8]>) {
        self.put(key.as_ref(), None);
    }

    /// The least key above `prior` that begins with `prefix`.
    pub fn next_key(&mut self, prior: &str, prefix: &str) -> Kept<Option<String>> {
        if self.written.is_none() {
            let mut written = BTreeSet::new();
            for at in &self.buffers.dirty {
                let entry = &self.buffers.entries[*at as usize];
                if entry.value.is_some() {
                    let key = core::str::from_utf8(self.buffers.piece(entry.key)).map_err(|_| NOT_UTF8)?;
                    written.insert(String::from(key));
                }
            }
            self.written = Some(written);
        }
        let mut least: Option<String> = None;
        let mut below = String::from(prior);
        loop {
            let mut found = Vec::new();
            if !self.host.next_key(below.as_bytes(), prefix.as_bytes(), &mut found) {
                break;
            }
            self.scanned += 1;
            let key = String::from_utf8(found).map_err(|_| NOT_UTF8)?;
            let (_, entry) = self.buffers.place(hash_of(key.as_bytes()), key.as_bytes());
            if entry.is_some_and(|at| self.buffers.entries[at].value.is_none()) {
                below = key;
                continue;
            }
            least = Some(key);
            break;
        }
        let from = if prior < prefix {
            core::ops::Bound::Included(prefix)
        } else {
            core::ops::Bound::Excluded(prior)
        };
        let held = self
            .written
            .as_ref()
            .and_then(|keys| keys.range::<str, _>((from, core::ops::Bound::Unbounded)).next());
        if let Some(held) = held
            && held.starts_with(prefix)
            && least.as_ref().is_none_or(|least| held < least)
        {
            least = Some(held.clone());
        }
        Ok(least)
    }

    /// Gives all held-back writes to the host; what was read stays remembered.
    pub fn flush(&mut self) {
        let Buffers {
            entries,
            bytes,
            dirty,
            changes,
            ..
        } = &mut *self.buffers;
        changes.clear();
        for at in dirty.drain(..) {
            let Entry { dirty, key, value, .. } = &mut entries[at as usize];
            *dirty = false;
            changes.push(Change::new((key.start, key.length), value.map(|value| (value.start, value.length))));
        }
        if !changes.is_empty() {
            self.host.write(bytes, changes);
        }
        self.written = None;
    }

    /// Forgets all writes since the last [`Store::flush`].
    pub fn discard(&mut self) {
        self.buffers.clear();
        self.written = None;
        self.scanned = 0;
    }
}

const MALFORMED_NUMBER: Fault = Fault("a number entry is malformed");
const NOT_UTF8: Fault = Fault("a key is not UTF-8");

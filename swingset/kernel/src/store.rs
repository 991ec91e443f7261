//! The kvStore as one command sees it: reads remembered, writes held back until [`Store::flush`].
//!
//! Keys and values lie one after another in one buffer, and the buffers outlive the command ([`Buffers`]): their contents do not.
//!
//! # Invariants
//! - `flush` writes each changed key once; `discard` forgets every write since the last flush.
//! - Reads see the writes held back, [`Store::next_key`] too.
//! - Nothing is read from [`Buffers`] that this command did not put there.

use alloc::{collections::BTreeSet, string::String, vec::Vec};

use crate::{hash::hash_of, host::Host};
pub use crate::number::{decimal, number_text, parse_number, push_number};

/// The state contradicts itself (a missing or malformed entry): no crank can go on. The text names what was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault(pub &'static str);

/// A result that only a broken state can spoil.
pub type Kept<T> = Result<T, Fault>;

/// Values above this are not remembered when they are read: a vat may read many.
const REMEMBERED_BYTES_MAX: usize = 4096;
/// Buffers above this are not kept for the next command, in bytes.
const KEPT_BYTES_MAX: usize = 256 * 1024;
/// Places looked at for one key before all keys get new places: vats choose keys, and may choose them to collide.
const PROBES_MAX: usize = 64;
/// Places at the beginning.
const PLACES: usize = 128;

/// A piece of the buffer.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: u32,
    length: u32,
}

#[derive(Debug)]
struct Entry {
    hash: u32,
    dirty: bool,
    key: Piece,
    value: Option<Piece>,
}

/// Room that a command leaves for the next one.
#[derive(Debug, Default)]
pub struct Buffers {
    entries: Vec<Entry>,
    /// Open addressing: index into `entries` plus one, 0 for a free place. Its length is a power of two.
    places: Vec<u32>,
    bytes: Vec<u8>,
    /// Scratch for steps of a vat.
    pub step: Vec<u8>,
    /// Scratch for what goes to a vat.
    pub message: Vec<u8>,
}

impl Buffers {
    fn clear(&mut self) {
        self.entries.clear();
        self.bytes.clear();
        if self.places.len() == PLACES {
            self.places.fill(0);
        } else {
            self.places.clear();
            self.places.resize(PLACES, 0);
        }
    }

    /// Whether they are small enough to be kept.
    pub fn are_small(&self) -> bool {
        let bytes = self.bytes.capacity() + self.step.capacity() + self.message.capacity();
        bytes + (self.entries.capacity() + self.places.capacity()) * 32 <= KEPT_BYTES_MAX
    }
}

/// See the module.
pub struct Store<'h, H: Host> {
    /// The host.
    pub host: &'h mut H,
    /// Where all of it lies.
    pub buffers: &'h mut Buffers,
    seed: u64,
    /// Where in the buffer a value begins that was read and is not remembered.
    loose: Option<usize>,
    /// Keys with a value held back, in order; made at the first `next_key`.
    written: Option<BTreeSet<String>>,
    /// Entries that `next_key` passed over since the last [`Store::discard`]; bounds what a crank may scan.
    pub scanned: u64,
}

impl<'h, H: Host> Store<'h, H> {
    /// A view with nothing remembered.
    pub fn new(host: &'h mut H, buffers: &'h mut Buffers) -> Self {
        buffers.clear();
        Store {
            host,
            buffers,
            seed: 1,
            loose: None,
            written: None,
            scanned: 0,
        }
    }

    fn piece(&self, piece: Piece) -> &[u8] {
        let start = piece.start as usize;
        self.buffers
            .bytes
            .get(start..start + piece.length as usize)
            .unwrap_or_default()
    }

    /// Where the key's entry is, or the free place for it.
    fn place(&self, hash: u32, key: &[u8]) -> (usize, Option<usize>) {
        let mask = self.buffers.places.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            match self.buffers.places[place] {
                0 => return (place, None),
                at => {
                    let at = at as usize - 1;
                    let entry = &self.buffers.entries[at];
                    if entry.hash == hash && self.piece(entry.key) == key {
                        return (place, Some(at));
                    }
                }
            }
            place = (place + 1) & mask;
        }
    }

    /// Appends to the buffer.
    fn add(&mut self, bytes: &[u8]) -> Piece {
        if let Some(loose) = self.loose.take() {
            self.buffers.bytes.truncate(loose);
        }
        let start = self.buffers.bytes.len() as u32;
        self.buffers.bytes.extend_from_slice(bytes);
        Piece {
            start,
            length: bytes.len() as u32,
        }
    }

    fn insert(&mut self, place: usize, entry: Entry) -> usize {
        let first = entry.hash as usize;
        let at = self.buffers.entries.len();
        self.buffers.entries.push(entry);
        self.buffers.places[place] = at as u32 + 1;
        let places = self.buffers.places.len();
        if (at + 1) * 2 > places {
            self.replace(places * 2);
        } else if (place.wrapping_sub(first) & (places - 1)) > PROBES_MAX {
            self.seed = self.seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
            for at in 0..self.buffers.entries.len() {
                let key = self.buffers.entries[at].key;
                self.buffers.entries[at].hash = hash_of(self.seed, self.piece(key));
            }
            self.replace(places);
        }
        at
    }

    /// Gives all entries their places among so many.
    fn replace(&mut self, places: usize) {
        let Buffers {
            entries, places: table, ..
        } = &mut *self.buffers;
        table.clear();
        table.resize(places, 0);
        for (at, entry) in entries.iter().enumerate() {
            let mut place = entry.hash as usize & (places - 1);
            while table[place] != 0 {
                place = (place + 1) & (places - 1);
            }
            table[place] = at as u32 + 1;
        }
    }

    /// The value of a key.
    #[inline]
    pub fn get(&mut self, key: impl AsRef<[u8]>) -> Option<&[u8]> {
        let piece = self.find(key.as_ref());
        piece.map(|piece| self.piece(piece))
    }

    fn find(&mut self, key: &[u8]) -> Option<Piece> {
        let hash = hash_of(self.seed, key);
        let (place, found) = self.place(hash, key);
        if let Some(at) = found {
            return self.buffers.entries[at].value;
        }
        let stored_key = self.add(key);
        let start = self.buffers.bytes.len();
        let value = self.host.get(key, &mut self.buffers.bytes).then(|| Piece {
            start: start as u32,
            length: (self.buffers.bytes.len() - start) as u32,
        });
        if value.is_some_and(|value| value.length as usize > REMEMBERED_BYTES_MAX) {
            self.loose = Some(stored_key.start as usize);
            return value;
        }
        self.insert(
            place,
            Entry {
                hash,
                dirty: false,
                key: stored_key,
                value,
            },
        );
        value
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
                .ok_or(Fault("a number entry is malformed")),
        }
    }

    /// Whether the key exists.
    pub fn has(&mut self, key: impl AsRef<[u8]>) -> bool {
        self.find(key.as_ref()).is_some()
    }

    fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        if let Some(written) = &mut self.written
            && let Ok(key) = core::str::from_utf8(key)
        {
            if value.is_some() {
                written.insert(String::from(key));
            } else {
                written.remove(key);
            }
        }
        let hash = hash_of(self.seed, key);
        match self.place(hash, key) {
            (_, Some(at)) => {
                let old = self.buffers.entries[at].value;
                let value = value.map(|value| self.rewrite(old, value));
                let entry = &mut self.buffers.entries[at];
                entry.value = value;
                entry.dirty = true;
            }
            (place, None) => {
                let key = self.add(key);
                let value = value.map(|value| self.add(value));
                self.insert(
                    place,
                    Entry {
                        hash,
                        dirty: true,
                        key,
                        value,
                    },
                );
            }
        }
    }

    /// Where the old value lay when it fits there, else at the end.
    fn rewrite(&mut self, old: Option<Piece>, value: &[u8]) -> Piece {
        match old {
            Some(Piece { start, length }) if value.len() <= length as usize => {
                let start_at = start as usize;
                self.buffers.bytes[start_at..start_at + value.len()].copy_from_slice(value);
                Piece {
                    start,
                    length: value.len() as u32,
                }
            }
            _ => self.add(value),
        }
    }

    /// Writes a key.
    pub fn set(&mut self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.put(key.as_ref(), Some(value.as_ref()));
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
            let kept = self
                .buffers
                .entries
                .iter()
                .filter(|entry| entry.dirty && entry.value.is_some());
            let mut written = BTreeSet::new();
            for entry in kept {
                let key = core::str::from_utf8(self.piece(entry.key)).map_err(|_| NOT_UTF8)?;
                written.insert(String::from(key));
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
            let (_, entry) = self.place(hash_of(self.seed, key.as_bytes()), key.as_bytes());
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
        let Buffers { entries, bytes, .. } = &mut *self.buffers;
        let text = |piece: Piece| {
            let start = piece.start as usize;
            bytes.get(start..start + piece.length as usize).unwrap_or_default()
        };
        for entry in entries {
            if core::mem::take(&mut entry.dirty) {
                match entry.value {
                    Some(value) => self.host.set(text(entry.key), text(value)),
                    None => self.host.delete(text(entry.key)),
                }
            }
        }
        self.written = None;
    }

    /// Forgets all writes since the last [`Store::flush`].
    pub fn discard(&mut self) {
        self.buffers.clear();
        self.loose = None;
        self.written = None;
        self.scanned = 0;
    }
}

const NOT_UTF8: Fault = Fault("a key is not UTF-8");

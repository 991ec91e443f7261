//! What the store remembers: keys and values one after another in one buffer, and a table to find them by.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{
    cleanup::Terminated,
    copy::copy,
    fresh::Fresh,
    hash::same,
    host::Change,
    options::Options,
    store::Often,
};

/// Buffers above this are not kept for the next command, in bytes.
const KEPT_BYTES_MAX: usize = 256 * 1024;
/// Places looked at for one key before all keys are put in order: vats choose keys, and choose them to collide.
const PROBES_MAX: usize = 128;
/// Places at the beginning.
const PLACES: usize = 256;
/// Entries and bytes above which a command begins with nothing remembered.
const CARRIED_ENTRIES_MAX: usize = 512;
const CARRIED_BYTES_MAX: usize = 32 * 1024;

/// A piece of the buffer.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    pub start: u32,
    pub length: u32,
}

/// A key, and its value or that it has none.
#[derive(Debug)]
pub struct Entry {
    pub hash: u32,
    pub dirty: bool,
    pub key: Piece,
    pub value: Option<Piece>,
}

/// Values that every crank asks for, as far as they are known, so that they are read and judged once.
#[derive(Debug, Default)]
pub struct Known {
    /// The schema is this kernel's.
    pub settled: bool,
    /// Head and tail of the queues.
    pub bounds: [Option<(u64, u64)>; 3],
    /// Entries of keys that every crank writes.
    pub entries: [Option<u32>; Often::COUNT],
    /// Bounds of the terminated vats.
    pub terminated: Option<Terminated>,
    /// Pending GC actions.
    pub gc_actions: Option<u64>,
    /// Cranks done.
    pub cranks: Option<u64>,
    /// References that were made since.
    pub fresh: Fresh,
    /// Options of vats, and the default thresholds.
    pub options: Options,
}

/// Room that a command leaves for the next one, and what it knows.
#[derive(Debug, Default)]
pub struct Buffers {
    /// In the order in which they were met.
    pub entries: Vec<Entry>,
    /// Open addressing: index into `entries` plus one, 0 for a free place. Its length is a power of two.
    places: Vec<u32>,
    /// The keys in order instead, once too many of them collided; empty till then.
    ordered: BTreeMap<Vec<u8>, u32>,
    /// Where keys and values lie.
    pub bytes: Vec<u8>,
    /// Where in `bytes` a value begins that was read and is not remembered.
    pub loose: Option<usize>,
    /// Entries that the host does not have yet.
    pub dirty: Vec<u32>,
    /// Scratch for what is given to the host.
    pub changes: Vec<Change>,
    /// What of the above every crank asks for.
    pub known: Known,
    /// Scratch for steps of a vat.
    pub step: Vec<u8>,
    /// Scratch for what goes to a vat.
    pub message: Vec<u8>,
}

impl Buffers {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.bytes.clear();
        self.ordered.clear();
        self.loose = None;
        self.dirty.clear();
        self.known = Known::default();
        if self.places.len() == PLACES {
            self.places.fill(0);
        } else {
            self.places.clear();
            self.places.resize(PLACES, 0);
        }
    }

    /// Whether a command may begin with what is remembered: all of it is the host's, and it is little.
    pub fn can_be_carried(&self) -> bool {
        let few = (1..=CARRIED_ENTRIES_MAX).contains(&self.entries.len()) && self.bytes.len() <= CARRIED_BYTES_MAX;
        few && self.dirty.is_empty() && self.ordered.is_empty()
    }

    /// Whether they are small enough to be kept.
    pub fn are_small(&self) -> bool {
        let bytes = self.bytes.capacity() + self.step.capacity() + self.message.capacity();
        bytes + (self.entries.capacity() + self.places.capacity()) * 32 <= KEPT_BYTES_MAX
    }

    /// The bytes of a piece.
    pub fn piece(&self, piece: Piece) -> &[u8] {
        let start = piece.start as usize;
        self.bytes
            .get(start..start + piece.length as usize)
            .unwrap_or_default()
    }

    /// Where the key's entry is, or the free place for it. No look takes more than [`PROBES_MAX`] places, or a search among keys in order.
    // Inlined: a call costs about as much, its work is counted, and its stack.
    #[inline(always)]
    pub fn place(&mut self, hash: u32, key: &[u8]) -> (usize, Option<usize>) {
        if self.ordered.is_empty() {
            let mask = self.places.len() - 1;
            let mut place = hash as usize & mask;
            for _ in 0..PROBES_MAX {
                match self.places[place] {
                    0 => return (place, None),
                    at => {
                        let at = at as usize - 1;
                        let entry = &self.entries[at];
                        if entry.hash == hash && same(self.piece(entry.key), key) {
                            return (place, Some(at));
                        }
                    }
                }
                place = (place + 1) & mask;
            }
            self.order();
        }
        (0, self.ordered.get(key).map(|at| *at as usize))
    }

    /// Puts all keys in order.
    #[cold]
    #[inline(never)]
    fn order(&mut self) {
        for (at, entry) in self.entries.iter().enumerate() {
            self.ordered.insert(Vec::from(self.piece(entry.key)), at as u32);
        }
    }

    /// Appends to the buffer.
    pub fn add(&mut self, bytes: &[u8]) -> Piece {
        if let Some(loose) = self.loose.take() {
            self.bytes.truncate(loose);
        }
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        Piece {
            start,
            length: bytes.len() as u32,
        }
    }

    /// Adds an entry at its free place; gives its index.
    pub fn insert(&mut self, place: usize, entry: Entry) -> usize {
        let (at, key) = (self.entries.len(), entry.key);
        self.entries.push(entry);
        if !self.ordered.is_empty() {
            self.ordered.insert(Vec::from(self.piece(key)), at as u32);
            return at;
        }
        self.places[place] = at as u32 + 1;
        let places = self.places.len();
        if (at + 1) * 2 > places {
            self.spread(places * 2);
        }
        at
    }

    /// Gives all entries their places among so many.
    fn spread(&mut self, places: usize) {
        let Buffers {
            entries, places: table, ..
        } = self;
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

    /// Gives an entry another value, which the host does not have yet.
    pub fn change(&mut self, at: usize, value: Option<&[u8]>) {
        let old = self.entries[at].value;
        let value = value.map(|value| self.rewrite(old, value));
        let entry = &mut self.entries[at];
        entry.value = value;
        if !core::mem::replace(&mut entry.dirty, true) {
            self.dirty.push(at as u32);
        }
    }

    /// Where the old value lay when it fits there, else at the end.
    fn rewrite(&mut self, old: Option<Piece>, value: &[u8]) -> Piece {
        match old {
            Some(Piece { start, length }) if value.len() <= length as usize => {
                copy(&mut self.bytes[start as usize..], value);
                Piece {
                    start,
                    length: value.len() as u32,
                }
            }
            _ => self.add(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::hash_of;

    /// Keys of which about each 128 have one hash, whatever it begins with: two blocks of eight bytes take each other's difference back.
    fn colliding(number: usize) -> Vec<u8> {
        let mut key = b"v1.vs.xx".to_vec();
        for block in 0..14 {
            let flip = (number >> block & 1) as u8 * 64;
            let mut bytes = *b"0000000000000000";
            for at in [7, 11, 15] {
                bytes[at] ^= flip;
            }
            key.extend_from_slice(&bytes);
        }
        key
    }

    #[test]
    fn keys_are_found_however_many_of_them_collide() {
        let mut buffers = Buffers::default();
        buffers.clear();
        for number in 0..5_000 {
            let key = colliding(number);
            let hash = hash_of(&key);
            let (place, found) = buffers.place(hash, &key);
            assert_eq!(found, None, "{number}");
            let key = buffers.add(&key);
            assert_eq!(buffers.insert(place, Entry { hash, dirty: false, key, value: None }), number);
        }
        assert_eq!(buffers.ordered.len(), 5_000, "they are in order by now");
        for number in 0..6_000 {
            let key = colliding(number);
            assert_eq!(buffers.place(hash_of(&key), &key).1, Some(number).filter(|number| *number < 5_000));
        }
        assert!(!buffers.can_be_carried());
        buffers.clear();
        assert_eq!(buffers.place(hash_of(b"a"), b"a").1, None);
        assert!(buffers.ordered.is_empty());
    }
}

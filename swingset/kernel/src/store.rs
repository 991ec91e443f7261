//! The kvStore as one command sees it: reads remembered, writes held back until [`Store::flush`].
//!
//! # Invariants
//! - `flush` writes each changed key once; `discard` forgets every write since the last flush.
//! - Reads see the writes held back, [`Store::next_key`] too.

use alloc::{collections::BTreeSet, string::String, vec::Vec};

use crate::host::Host;

/// The state contradicts itself (a missing or malformed entry): no crank can go on. The text names what was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault(pub &'static str);

/// A result that only a broken state can spoil.
pub type Kept<T> = Result<T, Fault>;

struct Entry {
    hash: u32,
    dirty: bool,
    key: String,
    value: Option<Vec<u8>>,
}

/// See the module.
pub struct Store<'h, H: Host> {
    /// The host.
    pub host: &'h mut H,
    entries: Vec<Entry>,
    /// Open addressing: index into `entries` plus one, 0 for a free place. Its length is a power of two.
    index: Vec<u32>,
    /// Keys with a value held back, in order; made at the first `next_key`.
    written: Option<BTreeSet<String>>,
    /// Entries that `next_key` passed over since the last [`Store::discard`]; bounds what a crank may scan.
    pub scanned: u64,
    room: Vec<u8>,
}

fn hash_of(key: &str) -> u32 {
    key.bytes().fold(0x811c_9dc5u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

impl<'h, H: Host> Store<'h, H> {
    /// A view with nothing remembered.
    pub fn new(host: &'h mut H) -> Self {
        Store {
            host,
            entries: Vec::with_capacity(64),
            index: alloc::vec![0; 128],
            written: None,
            scanned: 0,
            room: Vec::new(),
        }
    }

    /// Where the key's entry is, or the free place for it.
    fn place(&self, hash: u32, key: &str) -> (usize, Option<usize>) {
        let mask = self.index.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            match self.index[place] {
                0 => return (place, None),
                at => {
                    let at = at as usize - 1;
                    let entry = &self.entries[at];
                    if entry.hash == hash && entry.key == key {
                        return (place, Some(at));
                    }
                }
            }
            place = (place + 1) & mask;
        }
    }

    fn insert(&mut self, place: usize, entry: Entry) -> usize {
        let at = self.entries.len();
        self.entries.push(entry);
        self.index[place] = at as u32 + 1;
        if self.entries.len() * 2 > self.index.len() {
            let mask = self.index.len() * 2 - 1;
            self.index.clear();
            self.index.resize(mask + 1, 0);
            for (at, entry) in self.entries.iter().enumerate() {
                let mut place = entry.hash as usize & mask;
                while self.index[place] != 0 {
                    place = (place + 1) & mask;
                }
                self.index[place] = at as u32 + 1;
            }
        }
        at
    }

    /// The value of a key.
    pub fn get(&mut self, key: &str) -> Option<&[u8]> {
        let hash = hash_of(key);
        let (place, found) = self.place(hash, key);
        let at = match found {
            Some(at) => at,
            None => {
                let value = self.host.get(key.as_bytes(), &mut self.room).then(|| self.room.clone());
                self.insert(
                    place,
                    Entry {
                        hash,
                        dirty: false,
                        key: String::from(key),
                        value,
                    },
                )
            }
        };
        self.entries[at].value.as_deref()
    }

    /// The value as text.
    pub fn get_text(&mut self, key: &str) -> Kept<Option<&str>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => core::str::from_utf8(value)
                .map(Some)
                .map_err(|_| Fault("a text entry is not UTF-8")),
        }
    }

    /// The value as a decimal number.
    pub fn get_number(&mut self, key: &str) -> Kept<Option<u64>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => parse_number(value)
                .map(Some)
                .ok_or(Fault("a number entry is malformed")),
        }
    }

    /// Whether the key exists.
    pub fn has(&mut self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn put(&mut self, key: &str, value: Option<Vec<u8>>) {
        if let Some(written) = &mut self.written {
            if value.is_some() {
                written.insert(String::from(key));
            } else {
                written.remove(key);
            }
        }
        let hash = hash_of(key);
        match self.place(hash, key) {
            (_, Some(at)) => {
                let entry = &mut self.entries[at];
                entry.value = value;
                entry.dirty = true;
            }
            (place, None) => {
                self.insert(
                    place,
                    Entry {
                        hash,
                        dirty: true,
                        key: String::from(key),
                        value,
                    },
                );
            }
        }
    }

    /// Writes a key.
    pub fn set(&mut self, key: &str, value: Vec<u8>) {
        self.put(key, Some(value));
    }

    /// Writes a text.
    pub fn set_text(&mut self, key: &str, value: &str) {
        self.put(key, Some(Vec::from(value.as_bytes())));
    }

    /// Writes a decimal number.
    pub fn set_number(&mut self, key: &str, value: u64) {
        let mut text = Vec::with_capacity(20);
        push_number(&mut text, value);
        self.put(key, Some(text));
    }

    /// Deletes a key.
    pub fn delete(&mut self, key: &str) {
        self.put(key, None);
    }

    /// The least key above `prior` that begins with `prefix`.
    pub fn next_key(&mut self, prior: &str, prefix: &str) -> Kept<Option<String>> {
        if self.written.is_none() {
            let kept = self.entries.iter().filter(|entry| entry.dirty && entry.value.is_some());
            self.written = Some(kept.map(|entry| entry.key.clone()).collect());
        }
        let mut least: Option<String> = None;
        let mut below = String::from(prior);
        while self.host.next_key(below.as_bytes(), prefix.as_bytes(), &mut self.room) {
            self.scanned += 1;
            let key = core::str::from_utf8(&self.room).map_err(|_| Fault("a key is not UTF-8"))?;
            let (_, found) = self.place(hash_of(key), key);
            if found.is_some_and(|at| self.entries[at].value.is_none()) {
                below.clear();
                below.push_str(key);
                continue;
            }
            least = Some(String::from(key));
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
        for entry in &mut self.entries {
            if core::mem::take(&mut entry.dirty) {
                match &entry.value {
                    Some(value) => self.host.set(entry.key.as_bytes(), value),
                    None => self.host.delete(entry.key.as_bytes()),
                }
            }
        }
        self.written = None;
    }

    /// Forgets all writes since the last [`Store::flush`].
    pub fn discard(&mut self) {
        self.entries.clear();
        self.index.fill(0);
        self.written = None;
        self.scanned = 0;
    }
}

/// A canonical decimal number: digits only, no leading zero.
pub fn parse_number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 20 || (text[0] == b'0' && text.len() > 1) {
        return None;
    }
    text.iter().try_fold(0u64, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            None
        } else {
            sum.checked_mul(10)?.checked_add(u64::from(digit))
        }
    })
}

/// Appends a decimal number.
pub fn push_number(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = value;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// A decimal number as text.
pub fn number_text(value: u64) -> String {
    let mut digits = Vec::with_capacity(20);
    push_number(&mut digits, value);
    digits.into_iter().map(char::from).collect()
}

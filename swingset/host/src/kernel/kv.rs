//! The kernel's view of the kvStore during one run: a journaled overlay with a read cache on the environment.
//!
//! Reads that were made before and all writes stay here until the run ends; the environment is asked only for what was never
//! read. It is emptied between public calls, so that whatever is done to the environment there is seen.
//!
//! # Invariants
//! - A crank's net writes are the keys whose value differs from the one at the crank's start, in byte order: exactly what is
//!   written to the environment for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Included, Unbounded},
};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{
    env::{EnvError, Environment, prefix_end},
    keys,
};

#[expect(clippy::disallowed_types, reason = "looked up by key only; its order is never seen")]
type Cache<V> = std::collections::HashMap<Bytes, V>;

/// A key's present value, and whether the environment does not have it yet.
#[derive(Clone, Debug)]
struct Slot {
    value: Option<Bytes>,
    dirty: bool,
}

/// What a write replaced; `None` when the key was not known here.
#[derive(Debug)]
struct Undo {
    key: Bytes,
    before: Option<Slot>,
}

/// Answer to [`KvStore::next_key`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The key, or none.
    Key(Option<Bytes>),
    /// The environment's least key from here on (inclusive) must be told first ([`KvStore::learn_next`]).
    Ask(Bytes),
}

/// The overlay.
#[derive(Debug, Default)]
pub(crate) struct KvStore {
    slots: Cache<Slot>,
    dirty: BTreeSet<Bytes>,
    journal: Vec<Undo>,
    /// Host-owned values that the environment does not have yet.
    host: BTreeMap<&'static str, Bytes>,
    /// Least kernel key of the environment from a key on, within the kernel's prefix.
    successors: Cache<Option<Bytes>>,
}

/// Net writes of a crank.
pub(crate) type Net = BTreeMap<Bytes, Option<Bytes>>;

impl KvStore {
    /// A value, if it is known: `Some(None)` is a key that is known to be absent.
    pub(crate) fn lookup(&self, key: &[u8]) -> Option<Option<&Bytes>> {
        self.slots.get(key).map(|slot| slot.value.as_ref())
    }

    /// Takes note of a value that the environment has.
    pub(crate) fn learn(&mut self, key: Bytes, value: Option<Bytes>) {
        self.slots.entry(key).or_insert(Slot { value, dirty: false });
    }

    /// Writes a host-owned value, outside of any crank.
    pub(crate) fn set_host_owned(&mut self, key: &'static str, value: Bytes) {
        self.slots.insert(Bytes::from_static(key.as_bytes()), Slot { value: Some(value.clone()), dirty: false });
        self.host.insert(key, value);
    }

    /// Writes or deletes.
    pub(crate) fn put(&mut self, key: &[u8], value: Option<Bytes>) {
        let key = match self.slots.get_key_value(key) {
            Some((known, _)) => known.clone(),
            None => Bytes::copy_from_slice(key),
        };
        let before = self.slots.insert(key.clone(), Slot { value, dirty: true });
        if !before.as_ref().is_some_and(|slot| slot.dirty) {
            self.dirty.insert(key.clone());
        }
        self.journal.push(Undo { key, before });
    }

    /// The present point of the journal.
    pub(crate) fn mark(&self) -> usize {
        self.journal.len()
    }

    /// Undoes all writes since a point.
    pub(crate) fn rollback(&mut self, mark: usize) {
        while self.journal.len() > mark {
            let Some(undo) = self.journal.pop() else { break };
            if !undo.before.as_ref().is_some_and(|slot| slot.dirty) {
                self.dirty.remove(&undo.key);
            }
            match undo.before {
                Some(before) => self.slots.insert(undo.key, before),
                None => self.slots.remove(&undo.key),
            };
        }
    }

    /// The least key above `prior` that begins with `prefix`.
    pub(crate) fn next_key(&self, prior: &[u8], prefix: &[u8]) -> Next {
        let end = prefix_end(prefix);
        let within = |key: &[u8]| end.as_deref().is_none_or(|end| key < end);
        // The least key above `prior` is `prior` and a zero byte.
        let mut from = if prior >= prefix { [prior, &[0]].concat() } else { prefix.to_vec() };
        if !within(&from) {
            return Next::Key(None);
        }
        let written = self
            .dirty
            .range::<[u8], _>((Included(from.as_slice()), end.as_deref().map_or(Unbounded, Excluded)))
            .find(|key| self.slots.get(*key).is_some_and(|slot| slot.value.is_some()));
        loop {
            let Some(successor) = self.successors.get(from.as_slice()) else { return Next::Ask(Bytes::from(from)) };
            let stored = successor.as_ref().filter(|key| within(key));
            let Some(stored) = stored.filter(|key| written.is_none_or(|written| *key < written)) else {
                return Next::Key(written.cloned());
            };
            match self.slots.get(stored) {
                Some(Slot { value: None, dirty: true }) => from = [stored, &[0][..]].concat(),
                _ => return Next::Key(Some(stored.clone())),
            }
        }
    }

    /// Asks the environment for the least kernel key from `from` on.
    pub(crate) fn learn_next(&mut self, env: &dyn Environment, from: Bytes) -> Result<(), EnvError> {
        let end = prefix_end(keys::KERNEL);
        let found = env.next_entry(&keys::kernel(&from), end.as_deref())?;
        let found = found.and_then(|(key, value)| Some((Bytes::copy_from_slice(key.strip_prefix(keys::KERNEL)?), value)));
        if let Some((key, value)) = found.clone() {
            self.learn(key, Some(value));
        }
        self.successors.insert(from, found.map(|(key, _)| key));
        Ok(())
    }

    /// The value of a key, from the environment when it is not known.
    pub(crate) fn get(&mut self, env: &dyn Environment, key: &[u8]) -> Result<Option<Bytes>, EnvError> {
        if let Some(known) = self.lookup(key) {
            return Ok(known.cloned());
        }
        let value = env.get(&keys::seen_by_kernel(key))?;
        self.learn(Bytes::copy_from_slice(key), value.clone());
        Ok(value)
    }

    /// Ends a crank: forgets how to undo it, and gives its net writes.
    pub(crate) fn commit_crank(&mut self, env: &dyn Environment) -> Result<Net, EnvError> {
        let mut first: BTreeMap<Bytes, Option<Slot>> = BTreeMap::new();
        for undo in self.journal.drain(..) {
            first.entry(undo.key).or_insert(undo.before);
        }
        let mut net = Net::new();
        for (key, before) in first {
            let then = match before {
                Some(slot) => slot.value,
                None => env.get(&keys::kernel(&key))?,
            };
            let now = self.slots.get(&key).and_then(|slot| slot.value.clone());
            if now != then {
                net.insert(key, now);
            }
        }
        Ok(net)
    }

    /// Writes everything to the environment and forgets all.
    pub(crate) fn flush(&mut self, env: &mut dyn Environment) -> Result<(), EnvError> {
        for (key, value) in std::mem::take(&mut self.host) {
            env.set(&keys::host(key), value)?;
        }
        for key in std::mem::take(&mut self.dirty) {
            let full = keys::kernel(&key);
            match self.slots.get(&key).and_then(|slot| slot.value.clone()) {
                Some(value) => env.set(&full, value)?,
                None if env.get(&full)?.is_some() => env.delete(&full)?,
                None => {}
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

/// SHA-256 over a crank's net writes in key order: for each the key's length (8 bytes, big-endian) and bytes, 0 for a deletion or 1 and
/// the value's length and bytes.
pub(crate) fn crank_hash(net: &Net) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (key, value) in net {
        hash.update((key.len() as u64).to_be_bytes());
        hash.update(key);
        match value {
            None => hash.update([0]),
            Some(value) => {
                hash.update([1]);
                hash.update((value.len() as u64).to_be_bytes());
                hash.update(value);
            }
        }
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::MemoryEnvironment;

    fn bytes(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    fn env(keys_and_values: &[(&str, &str)]) -> MemoryEnvironment {
        MemoryEnvironment::from_entries(keys_and_values.iter().map(|(k, v)| (keys::kernel(k.as_bytes()), bytes(v))))
    }

    fn next(kv: &mut KvStore, env: &MemoryEnvironment, prior: &str, prefix: &str) -> Option<String> {
        loop {
            match kv.next_key(prior.as_bytes(), prefix.as_bytes()) {
                Next::Key(key) => return key.map(|key| String::from_utf8(key.to_vec()).unwrap()),
                Next::Ask(from) => kv.learn_next(env, from).unwrap(),
            }
        }
    }

    #[test]
    fn walking_sees_stored_and_written_keys_and_skips_deleted_ones() {
        let env = env(&[("a.1", "x"), ("a.3", "x"), ("a.5", "x"), ("b.1", "x")]);
        let mut kv = KvStore::default();
        kv.put(b"a.2", Some(bytes("y")));
        kv.put(b"a.3", None);
        let mut seen = Vec::new();
        let mut at = String::new();
        while let Some(key) = next(&mut kv, &env, &at, "a.") {
            seen.push(key.clone());
            at = key;
        }
        assert_eq!(seen, ["a.1", "a.2", "a.5"]);
        kv.rollback(0);
        assert_eq!(next(&mut kv, &env, "a.2", "a.").as_deref(), Some("a.3"));
        assert_eq!(next(&mut kv, &env, "", "zz"), None);
        assert_eq!(next(&mut kv, &env, "b", "a."), None);
    }

    #[test]
    fn a_cranks_net_writes_are_what_differs_from_its_start() {
        let mut env = env(&[("same", "1"), ("gone", "1")]);
        let mut kv = KvStore::default();
        kv.put(b"same", Some(bytes("2")));
        kv.put(b"same", Some(bytes("1")));
        kv.put(b"gone", None);
        kv.put(b"brief", Some(bytes("1")));
        kv.put(b"brief", None);
        kv.put(b"new", Some(bytes("1")));
        let net = kv.commit_crank(&env).unwrap();
        assert_eq!(net.into_iter().collect::<Vec<_>>(), [(bytes("gone"), None), (bytes("new"), Some(bytes("1")))]);
        kv.put(b"new", Some(bytes("2")));
        kv.rollback(0);
        kv.flush(&mut env).unwrap();
        let entries: Vec<_> = env.entries().map(|(key, value)| (key.to_vec(), value.clone())).collect();
        assert_eq!(entries, [(keys::kernel(b"new"), bytes("1")), (keys::kernel(b"same"), bytes("1"))]);
    }

    #[test]
    fn the_crank_hash_binds_every_byte_and_the_order() {
        let net = |items: &[(&str, Option<&str>)]| -> Net { items.iter().map(|(k, v)| (bytes(k), v.map(bytes))).collect() };
        let hashes = [
            net(&[]),
            net(&[("a", None)]),
            net(&[("a", Some(""))]),
            net(&[("a", Some("b"))]),
            net(&[("ab", Some(""))]),
            net(&[("a", None), ("b", None)]),
        ]
        .map(|net| crank_hash(&net));
        let distinct: BTreeSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
    }
}

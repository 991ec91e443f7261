//! The walk over the kernel's keys: what the environment has and what was written over it, in one order.

use std::ops::Bound::{Excluded, Included, Unbounded};

use bytes::Bytes;

use super::kv::{KvStore, Value};
use crate::{
    env::{EnvError, Environment, prefix_end},
    keys,
};

/// Answer to [`KvStore::next_key`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The key, or none.
    Key(Option<Bytes>),
    /// The environment's least key from here on (inclusive) must be told first ([`KvStore::learn_next`]).
    Ask(Bytes),
}

impl KvStore {
    /// The least key above `prior` that begins with `prefix`.
    pub(crate) fn next_key(&mut self, prior: &[u8], prefix: &[u8]) -> Next {
        let end = prefix_end(prefix);
        let within = |key: &[u8]| end.as_deref().is_none_or(|end| key < end);
        // The least key above `prior` is `prior` and a zero byte.
        let mut from = if prior >= prefix { [prior, &[0]].concat() } else { prefix.to_vec() };
        if !within(&from) {
            return Next::Key(None);
        }
        let entries = &self.entries;
        let all = || {
            entries.iter().filter(|(.., entry)| entry.dirty).map(|(_, key, _)| Bytes::copy_from_slice(key)).collect()
        };
        let written = self
            .written
            .get_or_insert_with(all)
            .range::<[u8], _>((Included(from.as_slice()), end.as_deref().map_or(Unbounded, Excluded)))
            .find(|key| matches!(self.entries.find(key).map(|at| &self.entries.at(at).value), Some(Value::Present(_))));
        loop {
            let Some(successor) = self.gaps.successor(&from) else {
                return Next::Ask(Bytes::from(from));
            };
            let stored = successor.filter(|key| within(key));
            let Some(stored) = stored.filter(|key| written.is_none_or(|written| *key < written)) else {
                return Next::Key(written.cloned());
            };
            match self.entries.find(stored).map(|at| &self.entries.at(at).value) {
                Some(Value::Absent) => from = [stored, &[0][..]].concat(),
                _ => return Next::Key(Some(stored.clone())),
            }
        }
    }

    /// Asks the environment for the least kernel key from `from` on.
    pub(crate) fn learn_next(&mut self, env: &dyn Environment, from: Bytes) -> Result<(), EnvError> {
        let end = prefix_end(keys::KERNEL);
        let found = env.next_entry(&keys::kernel(&from), end.as_deref())?;
        let found =
            found.and_then(|(key, value)| Some((Bytes::copy_from_slice(key.strip_prefix(keys::KERNEL)?), value)));
        if let Some((key, value)) = &found {
            self.learn(key, Some(value));
        }
        self.gaps.learn(from, found.map(|(key, _)| key));
        Ok(())
    }
}

//! The walk over the kernel's keys: what the environment has and what was written over it, in one order.

use std::ops::Bound::{Excluded, Included, Unbounded};

use bytes::Bytes;

use super::kv::KvStore;
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
    /// The least key above `prior` that begins with `prefix`. One step, whatever was written and deleted in this run.
    pub(crate) fn next_key(&mut self, prior: &[u8], prefix: &[u8]) -> Next {
        let end = prefix_end(prefix);
        let within = |key: &[u8]| end.as_deref().is_none_or(|end| key < end);
        // The least key above `prior` is `prior` and a zero byte.
        let from = if prior >= prefix { [prior, &[0]].concat() } else { prefix.to_vec() };
        if !within(&from) {
            return Next::Key(None);
        }
        let entries = &self.entries;
        let all = || {
            let listed = entries.iter().filter(|(.., entry)| entry.is_listed());
            listed.map(|(_, key, _)| Bytes::copy_from_slice(key)).collect()
        };
        let listed = self
            .listed
            .get_or_insert_with(all)
            .range::<[u8], _>((Included(from.as_slice()), end.as_deref().map_or(Unbounded, Excluded)))
            .next();
        match self.gaps.last(&from) {
            None => Next::Ask(Bytes::from(from)),
            Some(Some(last)) if within(last) && listed.is_none_or(|listed| listed > last) => {
                Next::Ask(Bytes::from([last, &[0][..]].concat()))
            }
            Some(_) => Next::Key(listed.cloned()),
        }
    }

    /// Asks the environment for the least kernel key from `from` on.
    pub(crate) fn learn_next(&mut self, env: &dyn Environment, from: Bytes) -> Result<(), EnvError> {
        let end = prefix_end(keys::KERNEL);
        let found = env.next_entry(&keys::kernel(&from), end.as_deref())?;
        let found =
            found.and_then(|(key, value)| Some((Bytes::copy_from_slice(key.strip_prefix(keys::KERNEL)?), value)));
        if let Some((key, value)) = &found {
            self.meet(key, value);
        }
        self.gaps.learn(from, found.map(|(key, _)| key));
        Ok(())
    }
}

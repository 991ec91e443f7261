//! Stretches of keys in which the environment has nothing.
//!
//! Most keys that a kernel writes are new: items of queues, promises, entries of c-lists. They lie close together, and one look for the
//! next key that is there tells of all of them what would take a look each.

use std::{collections::BTreeMap, ops::Bound};

use bytes::Bytes;

/// Of so many absent keys at most one is worth the look for the key after it, which costs some times as much as one for the key.
const ABSENT_KEYS_A_LOOK: u64 = 8;

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// The environment's least kernel key from a key on, none to the end.
    successors: BTreeMap<Bytes, Option<Bytes>>,
    /// Absent keys met, looks that they were worth.
    absent: u64,
    looks: u64,
}

impl Gaps {
    /// The environment's least kernel key from a key on; the outer none when it must be asked.
    pub(super) fn successor(&self, from: &[u8]) -> Option<Option<&Bytes>> {
        // The nearest stretch suffices: one that began before it and reaches this key ends where it ends.
        let (_, next) = self.successors.range::<[u8], _>((Bound::Unbounded, Bound::Included(from))).next_back()?;
        next.as_ref().is_none_or(|next| from <= next).then_some(next.as_ref())
    }

    /// Whether a key is known to be absent.
    pub(super) fn cover(&self, key: &[u8]) -> bool {
        matches!(self.successor(key), Some(next) if next.is_none_or(|next| next != key))
    }

    /// Takes note of what was found.
    pub(super) fn learn(&mut self, from: Bytes, next: Option<Bytes>) {
        self.successors.insert(from, next);
    }

    /// An absent key was met; says whether the key after it is worth a look.
    pub(super) fn met_absent(&mut self, covered: bool) -> bool {
        self.absent = self.absent.saturating_add(1);
        let worth = !covered && self.looks < self.absent / ABSENT_KEYS_A_LOOK;
        self.looks = self.looks.saturating_add(u64::from(worth));
        worth
    }
}

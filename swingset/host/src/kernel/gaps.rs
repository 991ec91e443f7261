//! Stretches of keys of which it is known whether the environment has them.
//!
//! Most keys that a kernel writes are new: items of queues, promises, entries of c-lists. They lie close together, and one look for the
//! next key that is there tells of all of them what would take a look each.
//!
//! # Invariants
//! - Stretches that touch are one: however many keys a walk has met, it finds in one step where what is known ends.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Included, Unbounded},
};

use bytes::Bytes;

/// Of so many absent keys at most one is worth the look for the key after it, which costs some times as much as one for the key.
const ABSENT_KEYS_A_LOOK: u64 = 8;

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// First and last key of each stretch, both of it; a last one of none: to the end. What the environment has in it was met.
    stretches: BTreeMap<Bytes, Option<Bytes>>,
    /// Absent keys met, looks that they were worth.
    absent: u64,
    looks: u64,
}

impl Gaps {
    /// The last key of the stretch that a key is in, none to the end; the outer none when it is in no stretch.
    pub(super) fn last(&self, key: &[u8]) -> Option<Option<&Bytes>> {
        let (_, last) = self.stretches.range::<[u8], _>((Unbounded, Included(key))).next_back()?;
        last.as_ref().is_none_or(|last| key <= last).then_some(last.as_ref())
    }

    /// Takes note that the environment's least kernel key from a key on is this one, or that there is none.
    pub(super) fn learn(&mut self, from: Bytes, next: Option<Bytes>) {
        let (mut first, mut last) = (from.clone(), next);
        if let Some((before, end)) = self.stretches.range::<[u8], _>((Unbounded, Included(&*from))).next_back() {
            match end {
                Some(end) if from.strip_suffix(&[0]) == Some(end) => first = before.clone(),
                Some(end) if *end < from => {}
                // It was known.
                _ => return,
            }
        }
        let beyond = last.as_ref().map(|last| [last, &[0][..]].concat());
        let to = beyond.as_deref().map_or(Unbounded, Included);
        // At most one: it goes on to the key that was found, or begins just behind it.
        let after = self.stretches.range::<[u8], _>((Excluded(&*from), to)).next();
        if let Some(after) = after.map(|(after, _)| after.clone()) {
            last = self.stretches.remove(&after).flatten();
        }
        self.stretches.insert(first, last);
    }

    /// An absent key was met; says whether the key after it is worth a look.
    pub(super) fn met_absent(&mut self, covered: bool) -> bool {
        self.absent = self.absent.saturating_add(1);
        let worth = !covered && self.looks < self.absent / ABSENT_KEYS_A_LOOK;
        self.looks = self.looks.saturating_add(u64::from(worth));
        worth
    }

    #[cfg(test)]
    pub(super) fn stretches(&self) -> usize {
        self.stretches.len()
    }
}

//! Stretches of keys of which none is there, because this block deleted all of them. A walk learns them as it passes deletions, so
//! that the next one does not pass the same ones again.

use std::{
    collections::BTreeMap,
    ops::Bound::{Included, Unbounded},
};

/// Stretches that do not touch: the first key, and the one before which they end.
#[derive(Debug, Default)]
pub(super) struct Dead(BTreeMap<Vec<u8>, Vec<u8>>);

impl Dead {
    /// The end of the stretch in which a key lies.
    pub(super) fn end(&self, key: &[u8]) -> Option<&[u8]> {
        let (_, end) = self.0.range::<[u8], _>((Unbounded, Included(key))).next_back()?;
        Some(end.as_slice()).filter(|end| *end > key)
    }

    /// No key is there from `start` on and before `end`.
    pub(super) fn learn(&mut self, start: Vec<u8>, end: &[u8]) {
        let (mut start, mut end) = (start, end.to_vec());
        while let Some((first, last)) = self.touching(&start, &end) {
            self.0.remove(&first);
            start = start.min(first);
            end = end.max(last);
        }
        if start < end {
            self.0.insert(start, end);
        }
    }

    /// A stretch that overlaps `start..end` or ends where it begins, or the other way round.
    fn touching(&self, start: &[u8], end: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let (first, last) = self.0.range::<[u8], _>((Unbounded, Included(end))).next_back()?;
        (last.as_slice() >= start).then(|| (first.clone(), last.clone()))
    }

    /// A key is there again: the stretch around it falls into two.
    pub(super) fn revive(&mut self, key: &[u8]) {
        let Some(end) = self.end(key).map(<[u8]>::to_vec) else { return };
        if let Some((_, around)) = self.0.range_mut::<[u8], _>((Unbounded, Included(key))).next_back() {
            *around = key.to_vec();
        }
        // A stretch that began with the key is empty now.
        self.0.remove(key);
        let after = [key, &[0]].concat();
        if after < end {
            self.0.insert(after, end);
        }
    }
}

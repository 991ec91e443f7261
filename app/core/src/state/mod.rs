//! State access: reading committed state, and the journaled overlay in which all changes are made.
//!
//! One flat space of byte keys. Names begin with the module (`bank/…`); SwingSet's are `swingset/k/…` (the kernel's own),
//! `swingset/h/…` (the host's: bundle IDs, page roots, engine status) and `swingset/m/…` (the chain module's). Keys that begin
//! with [`UNHASHED`] are kept and versioned like all others, but are not in the tree: their content is bound by a hash that is.
//!
//! # Invariants
//! - An overlay's marks nest; going back to a mark restores values, gas excluded, and events exactly as they were.
//! - Iteration is in byte order of the keys.

mod dead;
mod overlay;
#[cfg(test)]
mod overlay_tests;

pub use overlay::{Changes, Mark, State};

use bytes::Bytes;

/// First byte of keys that stay outside the tree.
pub const UNHASHED: u8 = b'~';

/// Why state could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The gas limit was passed. Deterministic.
    #[error("out of gas in location: {location}; gasWanted: {limit}, gasUsed: {wanted}")]
    OutOfGas {
        /// The transaction's limit.
        limit: u64,
        /// What was asked for in all.
        wanted: u64,
        /// What was about to be done.
        location: &'static str,
    },
    /// Storage failed. Local.
    #[error("storage: {0}")]
    Storage(String),
}

/// An entry of a range.
pub type Entry = Result<(Vec<u8>, Bytes), StateError>;

/// Read access to one version of state. A capability of its own: queries get this and nothing more.
pub trait StateRead {
    /// The value at `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StateError>;

    /// Entries with `start ≤ key` and, if given, `key < end`, in byte order.
    fn range<'a>(&'a self, start: &[u8], end: Option<&[u8]>) -> Box<dyn Iterator<Item = Entry> + 'a>;

    /// Entries whose keys begin with `prefix`.
    fn prefix<'a>(&'a self, prefix: &[u8]) -> Box<dyn Iterator<Item = Entry> + 'a> {
        self.range(prefix, prefix_end(prefix).as_deref())
    }
}

/// The least key above all keys that begin with `prefix`; none when there is no such key.
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix.get(..=last)?.to_vec();
    if let Some(byte) = end.last_mut() {
        *byte = byte.saturating_add(1);
    }
    Some(end)
}

/// Committed state with nothing in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Empty;

impl StateRead for Empty {
    fn get(&self, _key: &[u8]) -> Result<Option<Bytes>, StateError> {
        Ok(None)
    }
    fn range<'a>(&'a self, _start: &[u8], _end: Option<&[u8]>) -> Box<dyn Iterator<Item = Entry> + 'a> {
        Box::new(std::iter::empty())
    }
}

impl StateRead for std::collections::BTreeMap<Vec<u8>, Bytes> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        Ok(std::collections::BTreeMap::get(self, key).cloned())
    }
    fn range<'a>(&'a self, start: &[u8], end: Option<&[u8]>) -> Box<dyn Iterator<Item = Entry> + 'a> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        if end.is_some_and(|end| end <= start) {
            return Box::new(std::iter::empty());
        }
        let bounds = (Included(start.to_vec()), end.map_or(Unbounded, |end| Excluded(end.to_vec())));
        Box::new(std::collections::BTreeMap::range(self, bounds).map(|(key, value)| Ok((key.clone(), value.clone()))))
    }
}

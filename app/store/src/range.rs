//! Range reads of one version, in byte order of the keys.

use std::cmp::Ordering;

use bytes::Bytes;
use rocksdb::DBRawIterator;
use swing_core::state::{Entry, StateError};

use crate::{
    StoreError,
    db::{Column, after_history_key, current, history_key, history_prefix, split_history_key},
    store::Shared,
    view::split,
};

type Found = Option<(Vec<u8>, Bytes)>;

/// The entries of `version` with `start ≤ key < end`.
pub fn entries<'a>(
    shared: &'a Shared,
    version: u64,
    start: &[u8],
    end: Option<&[u8]>,
) -> Result<Box<dyn Iterator<Item = Entry> + 'a>, StoreError> {
    if end.is_some_and(|end| end <= start) {
        return Ok(Box::new(std::iter::empty()));
    }
    let mut latest = shared.db.iterator(Column::Latest, end)?;
    // The iterator stands on the database of its making: when no later version had been begun after that, it shows this one.
    let newest = shared.values.is_newest(version);
    latest.seek(start);
    if newest {
        return Ok(Box::new(Entries { next: move || next_latest(&mut latest), ended: false }));
    }
    let history_end = end.map(history_prefix);
    let mut history = shared.db.iterator(Column::History, history_end.as_deref())?;
    history.seek(history_prefix(start));
    let mut merge = Merge { version, latest, history };
    Ok(Box::new(Entries { next: move || merge.next(), ended: false }))
}

fn next_latest(latest: &mut DBRawIterator<'_>) -> Result<Found, StoreError> {
    let Some((key, bytes)) = current(latest)? else {
        return Ok(None);
    };
    let found = (key.to_vec(), Bytes::copy_from_slice(split(bytes)?.1));
    latest.next();
    Ok(Some(found))
}

/// Latest records that are as old as the version, and for the other keys what history says. The history iterator is the younger
/// of the two, so it has every record that was replaced before the other was made.
struct Merge<'a> {
    version: u64,
    latest: DBRawIterator<'a>,
    history: DBRawIterator<'a>,
}

impl Merge<'_> {
    fn next(&mut self) -> Result<Found, StoreError> {
        loop {
            let replaced = self.history_key()?;
            let latest = match current(&self.latest)? {
                Some((key, bytes)) => {
                    Some((key.to_vec(), split(bytes).map(|(at, value)| (at, Bytes::copy_from_slice(value)))?))
                }
                None => None,
            };
            let order = match (&latest, &replaced) {
                (None, None) => return Ok(None),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((key, _)), Some(replaced)) => key.cmp(replaced),
            };
            let mut found = None;
            if let Some((key, (written, value))) = latest.filter(|_| order.is_le()) {
                found = (written <= self.version).then_some((key, value));
                self.latest.next();
            }
            if let Some(key) = replaced.filter(|_| order.is_ge()) {
                if found.is_none() {
                    found = self.replaced(&key)?;
                }
                self.history.seek(after_history_key(&key));
            }
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// The key whose history comes next.
    fn history_key(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((row, _)) = current(&self.history)? else {
            return Ok(None);
        };
        let (key, _) = split_history_key(row).ok_or_else(|| StoreError::corrupt("a row of the history"))?;
        Ok(Some(key))
    }

    /// What `key` held at the version, if a record of then was replaced later.
    fn replaced(&mut self, key: &[u8]) -> Result<Found, StoreError> {
        self.history.seek(history_key(key, self.version.saturating_add(1)));
        let Some((row, bytes)) = current(&self.history)? else {
            return Ok(None);
        };
        let (written, value) = split(bytes)?;
        let is_of_key = row.starts_with(&history_prefix(key));
        Ok((is_of_key && written <= self.version).then(|| (key.to_vec(), Bytes::copy_from_slice(value))))
    }
}

/// An iterator that ends at its first error.
struct Entries<F> {
    next: F,
    ended: bool,
}

impl<F: FnMut() -> Result<Found, StoreError>> Iterator for Entries<F> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        if self.ended {
            return None;
        }
        let entry = (self.next)().map_err(StateError::from).transpose();
        self.ended = !matches!(entry, Some(Ok(_)));
        entry
    }
}

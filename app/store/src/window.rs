//! Which versions may be read, and which must not be pruned because somebody reads them.
//!
//! # Invariants
//! - `oldest` never goes down, and never above a pinned version or the floor.
//! - A pin is made only for a version that is kept, under the same lock that moves `oldest`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::StoreError;

#[derive(Debug)]
struct Inner {
    oldest: u64,
    floor: Option<u64>,
    pins: BTreeMap<u64, usize>,
}

/// The window of readable versions.
#[derive(Debug)]
pub struct Window(Mutex<Inner>);

impl Window {
    /// A window from `oldest` on.
    pub fn new(oldest: u64) -> Arc<Self> {
        Arc::new(Window(Mutex::new(Inner { oldest, floor: None, pins: BTreeMap::new() })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No code below can panic between two writes, so what a poisoned lock guards is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Versions from `floor` on are kept from now on.
    pub fn set_floor(&self, floor: Option<u64>) {
        self.lock().floor = floor;
    }

    /// Begins the window at the first version of all. A view of the empty state needs no rows, so its pin holds nothing.
    pub fn begin(&self, version: u64) -> u64 {
        self.lock().oldest = version;
        version
    }

    /// Moves `oldest` up to `wanted` as far as it may go. Says where it is.
    pub fn advance(&self, wanted: u64) -> u64 {
        let mut inner = self.lock();
        let pinned = inner.pins.keys().next().copied().unwrap_or(u64::MAX);
        let limit = inner.floor.unwrap_or(u64::MAX).min(pinned);
        inner.oldest = inner.oldest.max(wanted.min(limit));
        inner.oldest
    }

    /// Keeps a version readable for as long as the pin lives.
    pub fn pin(self: &Arc<Self>, version: u64, latest: u64) -> Result<Pin, StoreError> {
        let mut inner = self.lock();
        let oldest = inner.oldest;
        if version < oldest || version > latest {
            return Err(StoreError::NotKept { version, oldest, latest });
        }
        let count = inner.pins.entry(version).or_default();
        *count = count.saturating_add(1);
        Ok(Pin { window: self.clone(), version })
    }
}

/// Holds a version in the window.
#[derive(Debug)]
pub struct Pin {
    window: Arc<Window>,
    version: u64,
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut inner = self.window.lock();
        if let Some(count) = inner.pins.get_mut(&self.version) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                inner.pins.remove(&self.version);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_or_the_floor_holds_the_window_and_letting_go_frees_it() {
        let window = Window::new(1);
        let pin = window.pin(3, 9).expect("kept");
        let twin = window.pin(3, 9).expect("kept");
        assert_eq!(window.advance(7), 3);
        drop(pin);
        assert_eq!(window.advance(7), 3, "the twin still holds it");
        drop(twin);
        window.set_floor(Some(5));
        assert_eq!(window.advance(7), 5);
        window.set_floor(Some(2));
        assert_eq!(window.advance(7), 5, "never down");
        window.set_floor(None);
        assert_eq!(window.advance(7), 7);
        let error = window.pin(6, 9).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(error, Err("version 6 is not kept: this node has versions 7 to 9".to_string()));
        assert!(window.pin(10, 9).is_err());
    }
}

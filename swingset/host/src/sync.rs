//! Locks that are never contended: both sides run on one thread, and a future must be `Send`.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks. A panic elsewhere cannot leave what is inside half-written: it is only ever replaced whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

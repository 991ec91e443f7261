//! Bytes across the boundary: arguments that the host writes into a guest, and answers that a guest leaves for the host.

use alloc::vec::Vec;
use core::cell::UnsafeCell;

/// Room for `length` bytes that the host fills; [`take`] gives them to the guest.
pub fn give(length: usize) -> *mut u8 {
    let mut room: Vec<u8> = Vec::with_capacity(length);
    let start = room.as_mut_ptr();
    core::mem::forget(room);
    start
}

/// The bytes that the host wrote into room from [`give`].
///
/// # Safety
/// `start` came from `give(length)` with this length, the host has written all of it, and nobody took it before.
pub unsafe fn take(start: *mut u8, length: usize) -> Vec<u8> {
    // SAFETY: the caller's promise; `with_capacity` of a byte vector allocates exactly `length`.
    unsafe { Vec::from_raw_parts(start, length, length) }
}

/// An answer kept until the next one, since the host reads it after the guest's function has returned.
pub struct Outgoing(UnsafeCell<Vec<u8>>);

// SAFETY: a guest has one thread.
unsafe impl Sync for Outgoing {}

impl Default for Outgoing {
    fn default() -> Self {
        Self::new()
    }
}

impl Outgoing {
    /// No answer yet.
    pub const fn new() -> Self {
        Outgoing(UnsafeCell::new(Vec::new()))
    }

    /// Keeps `bytes` and gives their address (high half) and length (low half).
    pub fn hand_over(&self, bytes: Vec<u8>) -> u64 {
        // SAFETY: one thread, and the reference ends here.
        let kept = unsafe { &mut *self.0.get() };
        *kept = bytes;
        ((kept.as_ptr() as usize as u64) << 32) | (kept.len() as u64 & 0xffff_ffff)
    }
}

/// An import that answers with bytes: `(out, capacity) → length`, nothing written when the length is above the capacity.
/// Calls `import`, and `fetch` once more when the answer did not fit; the answer is appended to `room`. False when `import` says
/// that there is none (−1).
pub fn receive(
    room: &mut Vec<u8>,
    import: impl FnOnce(*mut u8, usize) -> i32,
    fetch: impl FnOnce(*mut u8, usize) -> i32,
) -> bool {
    if room.capacity() - room.len() < 256 {
        room.reserve(256);
    }
    let free = room.spare_capacity_mut();
    let length = import(free.as_mut_ptr().cast(), free.len());
    let Ok(length) = usize::try_from(length) else {
        return false;
    };
    if length > free.len() {
        room.reserve(length);
        let free = room.spare_capacity_mut();
        fetch(free.as_mut_ptr().cast(), free.len());
    }
    // SAFETY: the host wrote `length` bytes behind the old ones, and the capacity has room for them.
    unsafe { room.set_len(room.len() + length) };
    true
}

//! The vat's imports (`swingset_abi::supervisor::imports`), and the cell that holds the vat's one instance.
#![allow(unsafe_code, reason = "imports and exports of a wasm module are raw pointers")]

use alloc::vec::Vec;
use core::cell::RefCell;

#[cfg(target_arch = "wasm32")]
mod import {
    #[link(wasm_import_module = "vat")]
    unsafe extern "C" {
        pub fn call(request: *const u8, length: usize, out: *mut u8, capacity: usize) -> i32;
        pub fn fetch(out: *mut u8, capacity: usize) -> i32;
        pub fn log(level: i32, text: *const u8, length: usize);
    }
}

/// Gives a request to the supervisor (a raw vat's to the kernel) and takes the answer.
#[cfg(target_arch = "wasm32")]
pub fn exchange(request: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    swingset_guest_rt::buffer::receive(
        &mut answer,
        // SAFETY: the host reads the request and writes at most `room` bytes.
        |at, room| unsafe { import::call(request.as_ptr(), request.len(), at, room) },
        // SAFETY: as above.
        |at, room| unsafe { import::fetch(at, room) },
    );
    answer
}

/// Writes a trace line.
#[cfg(target_arch = "wasm32")]
pub fn log(level: u32, text: &str) {
    // SAFETY: the host reads the text.
    unsafe { import::log(level as i32, text.as_ptr(), text.len()) }
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use super::{RefCell, Vec};

    /// What stands in for the host in native tests.
    pub type Exchange = alloc::boxed::Box<dyn FnMut(&[u8]) -> Vec<u8>>;

    std::thread_local! {
        static HOST: RefCell<Option<Exchange>> = const { RefCell::new(None) };
    }

    /// Natively: whom requests of this thread go to.
    pub fn set_host(host: Exchange) {
        HOST.with(|slot| *slot.borrow_mut() = Some(host));
    }

    /// Gives a request to the host that was set; without one the answer is empty.
    pub fn exchange(request: &[u8]) -> Vec<u8> {
        HOST.with(|slot| slot.borrow_mut().as_mut().map(|host| host(request)).unwrap_or_default())
    }

    /// Natively traces go where a test's output goes.
    pub fn log(level: u32, text: &str) {
        std::eprintln!("vat trace {level}: {text}");
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub use native::{Exchange, exchange, log, set_host};

/// A value that lives as long as the vat. A guest has one thread.
pub struct Cell<T>(RefCell<Option<T>>);

// SAFETY: a guest has one thread; native tests do not share vats between threads.
unsafe impl<T> Sync for Cell<T> {}

impl<T> Default for Cell<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Cell<T> {
    /// Empty until first used.
    pub const fn new() -> Self {
        Cell(RefCell::new(None))
    }

    /// Runs `body` on the value, made by `make` at first.
    pub fn with<R>(&self, make: impl FnOnce() -> T, body: impl FnOnce(&mut T) -> R) -> R {
        let mut slot = self.0.borrow_mut();
        body(slot.get_or_insert_with(make))
    }
}

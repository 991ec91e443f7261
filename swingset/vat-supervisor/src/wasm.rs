//! The wasm build's exports.
#![allow(unsafe_code, reason = "exports of a wasm module are raw pointers")]

use core::cell::UnsafeCell;

use swingset_abi::{
    supervisor::{Input, Output},
    wire::Wire,
};
use swingset_guest_rt::buffer;

use crate::Supervisor;

struct Instance(UnsafeCell<Option<Supervisor>>);

// SAFETY: a guest has one thread.
unsafe impl Sync for Instance {}

static SUPERVISOR: Instance = Instance(UnsafeCell::new(None));
static OUTPUT: buffer::Outgoing = buffer::Outgoing::new();

/// Room for an input.
#[unsafe(no_mangle)]
extern "C" fn supervisor_alloc(length: usize) -> *mut u8 {
    buffer::give(length)
}

/// Takes an `Input`, gives the address and length of an `Output`.
#[unsafe(no_mangle)]
extern "C" fn supervisor_step(start: *mut u8, length: usize) -> u64 {
    // SAFETY: the host got `start` from `supervisor_alloc(length)`, filled it and passes it once.
    let bytes = unsafe { buffer::take(start, length) };
    // SAFETY: one thread, no re-entry: the function calls nothing outside the module.
    let slot = unsafe { &mut *SUPERVISOR.0.get() };
    let output = match Input::from_bytes(&bytes) {
        Ok(input) => slot.get_or_insert_with(Supervisor::default).step(input),
        Err(_) => Output::Failed {
            problem: alloc::string::String::from("the host's input is malformed"),
        },
    };
    OUTPUT.hand_over(output.to_bytes())
}

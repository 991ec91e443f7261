//! The wasm build's boundary: exports and imports as `swingset_abi::kernel` names them.
#![allow(unsafe_code, reason = "imports and exports of a wasm module are raw pointers")]

use alloc::vec::Vec;
use core::cell::UnsafeCell;

use swingset_guest_rt::buffer;

use crate::{
    host::{Change, Host},
    store::Buffers,
};

mod import {
    use crate::host::Change;

    #[link(wasm_import_module = "host")]
    unsafe extern "C" {
        pub fn get(key: *const u8, key_len: usize, out: *mut u8, capacity: usize) -> i32;
        pub fn write(bytes: *const u8, length: usize, changes: *const Change, count: usize);
        pub fn next_key(
            prior: *const u8,
            prior_len: usize,
            prefix: *const u8,
            prefix_len: usize,
            out: *mut u8,
            capacity: usize,
        ) -> i32;
        pub fn deliver(
            vat: *const u8,
            vat_len: usize,
            delivery: *const u8,
            delivery_len: usize,
            limit: i64,
            out: *mut u8,
            capacity: usize,
        ) -> i32;
        pub fn resume(reply: *const u8, reply_len: usize, out: *mut u8, capacity: usize) -> i32;
        pub fn abandon_vat(vat: *const u8, vat_len: usize);
        pub fn replace_vat(vat: *const u8, vat_len: usize);
        pub fn restore_vat(vat: *const u8, vat_len: usize);
        pub fn mark() -> i32;
        pub fn rollback(mark: i32);
        pub fn release(mark: i32);
        pub fn bridge(
            name: *const u8,
            name_len: usize,
            body: *const u8,
            body_len: usize,
            out: *mut u8,
            capacity: usize,
        ) -> i32;
        pub fn fetch(out: *mut u8, capacity: usize) -> i32;
        pub fn log(level: i32, text: *const u8, text_len: usize);
    }
}

fn fetch(out: *mut u8, capacity: usize) -> i32 {
    // SAFETY: `out` has room for `capacity` bytes; so in every call below, with slices for what the host reads.
    unsafe { import::fetch(out, capacity) }
}

struct Imports;

impl Host for Imports {
    fn get(&mut self, key: &[u8], out: &mut Vec<u8>) -> bool {
        // SAFETY: see `fetch`.
        buffer::receive(
            out,
            |at, room| unsafe { import::get(key.as_ptr(), key.len(), at, room) },
            fetch,
        )
    }
    fn write(&mut self, bytes: &[u8], changes: &[Change]) {
        // SAFETY: see `fetch`; the rows are read within their count and lie within `bytes`.
        unsafe { import::write(bytes.as_ptr(), bytes.len(), changes.as_ptr(), changes.len()) }
    }
    fn next_key(&mut self, prior: &[u8], prefix: &[u8], out: &mut Vec<u8>) -> bool {
        buffer::receive(
            out,
            // SAFETY: see `fetch`.
            |at, room| unsafe {
                import::next_key(prior.as_ptr(), prior.len(), prefix.as_ptr(), prefix.len(), at, room)
            },
            fetch,
        )
    }
    fn deliver(&mut self, vat_id: &str, delivery: &[u8], limit: u64, out: &mut Vec<u8>) {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        buffer::receive(
            out,
            // SAFETY: see `fetch`.
            |at, room| unsafe {
                import::deliver(
                    vat_id.as_ptr(),
                    vat_id.len(),
                    delivery.as_ptr(),
                    delivery.len(),
                    limit,
                    at,
                    room,
                )
            },
            fetch,
        );
    }
    fn resume(&mut self, reply: &[u8], out: &mut Vec<u8>) {
        // SAFETY: see `fetch`.
        buffer::receive(
            out,
            |at, room| unsafe { import::resume(reply.as_ptr(), reply.len(), at, room) },
            fetch,
        );
    }
    fn abandon_vat(&mut self, vat_id: &str) {
        // SAFETY: see `fetch`.
        unsafe { import::abandon_vat(vat_id.as_ptr(), vat_id.len()) }
    }
    fn replace_vat(&mut self, vat_id: &str) {
        // SAFETY: see `fetch`.
        unsafe { import::replace_vat(vat_id.as_ptr(), vat_id.len()) }
    }
    fn restore_vat(&mut self, vat_id: &str) {
        // SAFETY: see `fetch`.
        unsafe { import::restore_vat(vat_id.as_ptr(), vat_id.len()) }
    }
    fn mark(&mut self) -> u32 {
        // SAFETY: it takes nothing.
        unsafe { import::mark() }.cast_unsigned()
    }
    fn rollback(&mut self, mark: u32) {
        // SAFETY: a number is all that it takes.
        unsafe { import::rollback(mark.cast_signed()) }
    }
    fn release(&mut self, mark: u32) {
        // SAFETY: a number is all that it takes.
        unsafe { import::release(mark.cast_signed()) }
    }
    fn bridge(&mut self, name: &str, body: &[u8], out: &mut Vec<u8>) -> bool {
        buffer::receive(
            out,
            // SAFETY: see `fetch`.
            |at, room| unsafe { import::bridge(name.as_ptr(), name.len(), body.as_ptr(), body.len(), at, room) },
            fetch,
        )
    }
    fn log(&mut self, level: u32, text: &str) {
        // SAFETY: see `fetch`.
        unsafe { import::log(level as i32, text.as_ptr(), text.len()) }
    }
}

static REPLY: buffer::Outgoing = buffer::Outgoing::new();

/// The buffers of the last command: room, and nothing that the next one reads.
struct Spare(UnsafeCell<Option<Buffers>>);

// SAFETY: a guest has one thread.
unsafe impl Sync for Spare {}

static SPARE: Spare = Spare(UnsafeCell::new(None));

/// Room for an argument.
#[unsafe(no_mangle)]
extern "C" fn kernel_alloc(length: usize) -> *mut u8 {
    buffer::give(length)
}

/// Takes a `Command`, gives the address and length of a `Reply`.
#[unsafe(no_mangle)]
extern "C" fn kernel_call(start: *mut u8, length: usize) -> u64 {
    // SAFETY: the host got `start` from `kernel_alloc(length)`, filled it and passes it once.
    let command = unsafe { buffer::take(start, length) };
    // SAFETY: one thread, and no import calls back into the kernel.
    let spare = unsafe { &mut *SPARE.0.get() };
    let mut buffers = spare.take().unwrap_or_default();
    let reply = crate::call(&mut Imports, &mut buffers, &command);
    *spare = Some(buffers).filter(Buffers::are_small);
    REPLY.hand_over(reply)
}

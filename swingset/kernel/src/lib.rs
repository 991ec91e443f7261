//! The SwingSet kernel: queues, c-lists, promises, garbage collection and the life of vats, over the host's kvStore.
//!
//! One source, several kernels: without features it is `swingset-kernel 1` (schema 1), with `schema-2` it is `swingset-kernel 2`, with
//! `schema-3`, which is in no release yet, `swingset-kernel 3`. Each migrates from every schema before its own.
//! The crate is pure: everything that it asks of the world goes through [`host::Host`], which the wasm build binds to the
//! imports of `swingset_abi::kernel` and tests bind to an in-memory store and scripted vats.
//!
//! # Invariants
//! - Nothing is kept between two calls that is not in the kvStore: what a call remembers of it is used by the next one only when the
//!   host says that nothing else has changed it (held by tests/it, where the kernel is made anew for each command or kept).
//! - A crank's writes are buffered and reach the host at its end, so an aborted crank leaves no trace but what
//!   [`delivery`] writes after the abort.
//! - Every reference that a queue item, a promise's data, a c-list or a pin holds is counted ([`refcount`]).
//! - State that contradicts itself is a [`store::Fault`]: the engine stops, no guess is made.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod admin;
mod backlog;
mod body;
mod buffers;
mod cleanup;
mod clist;
mod command;
mod copy;
mod crank;
pub mod delivery;
mod device;
mod evaluate;
mod event;
mod faults;
mod fresh;
mod gc;
mod hash;
pub mod host;
mod illegal;
mod initialize;
mod json;
pub mod keys;
mod limits;
mod message;
mod meter;
mod migrate;
mod number;
mod objects;
mod operator;
mod options;
mod promise;
mod queue;
mod reap;
mod refcount;
mod references;
mod refs;
mod routing;
mod service;
mod stats;
pub mod store;
mod stored;
mod syscall;
mod syscall_gc;
mod translate;
mod upgrade;
mod vats;
mod waiting;
#[cfg(target_arch = "wasm32")]
mod wasm;

pub use command::call;

/// The schema that this kernel writes.
pub const SCHEMA: u32 = if cfg!(feature = "schema-3") {
    3
} else if cfg!(feature = "schema-2") {
    2
} else {
    1
};
/// The oldest schema that it can wake in.
pub const SCHEMA_FROM_MIN: u32 = 1;
/// What it calls itself.
pub const NAME: &str = match SCHEMA {
    3 => "swingset-kernel 3",
    2 => "swingset-kernel 2",
    _ => "swingset-kernel 1",
};

//! The released bundles as a chain runs them: in the real host, over an in-memory state.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::panic, reason = "a test's helpers fail the test, and say with what")]

extern crate alloc;

mod devices;
mod dynamic;
mod kernels;
mod leak;
mod lock;
mod recorded;
mod stories;
mod trace;
mod tutorial;
mod upgrade;
mod vats;
mod world;

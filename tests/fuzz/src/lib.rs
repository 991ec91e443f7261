//! What must hold of bytes from outside, whatever they are: one function a kind of input. `scripts/fuzz` runs them under libFuzzer,
//! and the tests of this crate run them over the kept corpus and over small changes of it.
//!
//! # Invariants
//! - A target panics when something is broken and for no other reason: refusals are answers.
//! - A target is a function of its input: what it found once it finds again.

#![allow(clippy::panic, reason = "a target tells its fuzzer by a panic")]

mod bundles;
mod hostile;
mod script;
mod transactions;

pub use bundles::bundles;
pub use hostile::{capdata, supervisor, syscalls};
pub use transactions::transactions;

/// A target: its name, which its corpus and its fuzzer have too, and what must hold.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Panics where something does not hold.
    pub check: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "bundles", check: bundles },
    Target { name: "capdata", check: capdata },
    Target { name: "supervisor", check: supervisor },
    Target { name: "syscalls", check: syscalls },
    Target { name: "transactions", check: transactions },
];

//! The SwingSet host: runs a kernel, supervisors and vats that are WebAssembly bundles in state.
//!
//! Usable with no chain around it: everything that it needs of the world is [`env::Environment`].
//!
//! # Invariants
//! - Only this crate names the WebAssembly engine.
//! - What a guest does costs deterministic fuel and leaves deterministic state; no engine message enters state.
//! - Between two calls of [`controller::Controller`] the environment holds everything: a controller may be dropped and built anew.

extern crate alloc;

pub mod admission;
pub mod bundle;
pub mod controller;
pub mod engine;
pub mod env;
pub mod error;
mod guest;
mod installed;
mod kernel;
pub mod keys;
mod pages;
pub mod replay;
mod runner;
pub mod schedule;
mod sync;
pub mod transcript;
mod uses;
mod vats;
pub mod watch;
mod worker;

pub use controller::{Controller, ControllerOptions};
pub use engine::{CodeGenerator, EngineRuntime};
pub use error::{EngineError, Halt, RejectCode, Rejection};
pub use pages::{InstanceMemory, VatMemory, vat_memory, verify_unhashed};
pub use vats::LIVE_VATS_DEFAULT;

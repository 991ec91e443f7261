//! `swingd start`: from a home directory to a running node, and from a reason to stop to an exit code.
//!
//! # Invariants
//! - No port is open before the database said that this release may execute the next block.
//! - What happens on the way out never changes the exit code that the first reason to stop decided.

mod args;
mod clients;
mod cometbft;
mod logging;
mod options;
mod run;
mod signals;
mod solo;

pub use args::{EngineKind, LogFormat, StartArgs};
pub(crate) use run::CODE_CACHE_FOLDER;
pub use run::run;

//! `swingd start`: from a home directory to a running node, and from a reason to stop to an exit code.
//!
//! # Invariants
//! - A binary that stands by has nothing open ([`standby`]).
//! - No port is open before the database said that this release may execute the next block.
//! - What happens on the way out never changes the exit code that the first reason to stop decided.

mod args;
mod clients;
mod cometbft;
mod linger;
mod logging;
mod options;
mod run;
mod signals;
mod slogfile;
mod solo;
mod standby;
mod swingset;

pub use args::{EngineKind, LogFormat, StartArgs};
pub use run::run;
pub use standby::STANDBY_VARIABLE;
pub(crate) use swingset::{CODE_CACHE_FOLDER, runtime};

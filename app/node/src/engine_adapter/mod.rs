//! The contract engine of the chain: `swingset-host`'s controller behind the port that block execution takes.
//!
//! # Invariants
//! - The controller sees the block's own overlay: what is rolled back there is rolled back for the engine, and what an engine
//!   call leaves half-done is undone by it or ends the process.
//! - A refusal stays a refusal, a stop a stop, a halt a halt.

mod ahead;
mod convert;
mod engine;
mod environment;
mod precompile;
pub mod slog;
pub mod vat_json;

pub use ahead::Ahead;
pub use convert::bundles;
pub use engine::SwingsetEngine;
pub use environment::StateEnvironment;
pub use precompile::{floats, precompile};

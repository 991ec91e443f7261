//! SwingSet in one file: what a program that is no chain needs around [`swingset_host`].
//!
//! [`FileEnvironment`] keeps the engine's state in an append-only file of committed batches; [`Machine`] is a small program on top of
//! it: a state of the first release with a counter vat, messages, cranks, and a kernel that can be replaced under the living state.
//! It stands for any embedder: nothing here knows of blocks, consensus or a database.
//!
//! # Invariants
//! - After a crash the file holds a prefix of the committed batches, each whole or absent; a batch whose commit returned is there.

mod batch;
mod env;
mod error;
mod log;
mod machine;
mod transcripts;

pub use batch::BATCH_BYTES_MAX;
pub use env::{Compaction, FileEnvironment};
pub use error::StoreError;
pub use machine::{Machine, MachineError, Outcome, Progress, View};

//! swingvisor: runs a node, and the right binary of it. A drop-in for cosmovisor that decides from committed state.
//!
//! # Invariants
//! - What to do is decided by [`core`], a pure function of a journal and of facts; [`run`] only performs it.
//! - Every file that counts is touched through [`files::Files`]; a crash at any operation is resumed with no operator.
//! - No node runs while its data is backed up or its binary is switched, and no second swingvisor works on one home.
//! - CometBFT is kept waiting between the blocks H−1 and H alone, see [`front`].
//! - A download is nothing until its checksum, its machine and its own answers were verified.

pub mod backup;
pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod core;
pub mod fetch;
pub mod front;
pub mod home;
pub mod layout;
pub mod log;
pub mod probe;
pub mod program;
pub mod report;
pub mod run;
pub mod sockets;
pub mod toml_text;

pub use swing_files as files;

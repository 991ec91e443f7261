//! The solo engine: one validator's chain in the node's own process, for development, with the data that CometBFT 0.38 would make:
//! the same headers, hashes and signatures, so that a light client can verify it.
//!
//! It has no peers, no evidence, no vote extensions, and no recovery beyond executing its own stored blocks again. It is never a way
//! to run a network, and says so at every start.
//!
//! # Invariants
//! - One validator, this home's, and a key that has never signed with another engine.
//! - A block is saved before it is executed, its results before they are committed; at a start the application's height decides
//!   what is executed again ([`handshake`]).
//! - One thread proposes and executes; RPC reads what is committed, and gives transactions to the mempool.

mod chain;
mod clock;
mod config;
mod engine;
mod error;
mod genesis;
mod handshake;
mod hashes;
mod mempool;
mod params;
mod proposer;
#[cfg(test)]
mod recorded;
mod state;
mod store;
mod validator;

pub use config::{MempoolLimits, Pace, SoloConfig};
pub use error::{SoloError, StoreError};
pub use hashes::header_hash;
pub use mempool::{Mempool, MempoolError};
pub use proposer::{Solo, Started, run};
pub use state::{ChainState, DecidedBlock};
pub use store::{BlockStore, FOLDER as SOLO_FOLDER, GenesisRecord, LOG_FILE, Outcome, TxPlace};
pub use validator::{Validator, precommit_sign_bytes, vote_sign_bytes};

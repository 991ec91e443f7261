//! The application: committed state behind CheckTx, Query and Info, and the one thread's half that executes blocks.
//!
//! # Invariants
//! - FinalizeBlock stages and Commit persists: between the two, every read path still answers about the version before.
//! - The upgrade decision is asked before every proposal and every block, and after every commit; none of its refusals is ever an
//!   answer.
//! - Info tells of committed state only: its height, its app hash, its app version.
//! - What CheckTx accepted is forgotten with every commit; what it verified is remembered, which changes no answer.

mod announcing;
mod committed;
mod consensus;
mod convert;
mod mempool;
mod node_app;
mod options;
mod query;
mod read;
mod shared;
pub mod snapshots;
mod store_query;

pub use committed::Committed;
pub use consensus::ConsensusApp;
pub use node_app::{NodeApp, OpenedApp};
pub use options::{AppOptions, DATABASE_FOLDER, OpenError};
pub use query::ServiceError;
pub use read::ReadApp;
pub use store_query::PROOF_TYPE;

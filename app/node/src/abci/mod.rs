//! The ABCI 0.38 socket server.
//!
//! # Invariants
//! - A request that cannot be served as it should is not answered. An exception, a default or a REJECT would be this node's
//!   verdict on a block, or end the engine in the middle of one.
//! - Consensus requests are executed by one thread. CheckTx, Query and Info read committed state and never wait for it.
//! - A lost consensus connection, a local fault and a panic of any thread reach the [`crate::lifecycle::Lifecycle`], which ends
//!   the process. Nothing is caught to go on.

mod application;
mod connection;
mod dispatch;
mod error;
mod frame;
mod net;
mod owner;
mod server;

pub use application::{Committed, ConsensusApplication, ReadApplication};
pub use dispatch::{Answer, ConsensusRequest};
pub use error::{BindError, ConnectionError};
pub use frame::{FRAME_BYTES_MAX_DEFAULT, FrameError, FrameReader, write_frame};
pub use net::{Address, Listener, Stream};
pub use owner::{ConsensusHandle, OwnerEnded, spawn as spawn_owner};
pub use server::{Server, ServerConfig};

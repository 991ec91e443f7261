//! What can go wrong on an ABCI connection.

use super::frame::FrameError;
use crate::lifecycle::StopReason;

/// Why a connection ended. None of these is answered with an ABCI exception: CometBFT would take that for the application's
/// verdict on a block.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// A frame could not be read.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A response could not be written.
    #[error("writing a response: {0}")]
    Write(std::io::Error),
    /// The frame is well formed but names no request of ABCI 0.38.
    #[error("a request without a known method: expected one of ABCI 0.38; is the engine CometBFT 0.38?")]
    UnknownRequest,
    /// The engine asks for vote extensions.
    #[error("vote extensions are asked for, which this chain's consensus parameters never enable: is this its engine?")]
    VoteExtensions,
    /// A second connection asked for consensus while the first one lives.
    #[error("a second consensus connection: another one is open, and two engines must not drive one application")]
    SecondConsensus,
    /// The thread that owns consensus has ended; the lifecycle knows why.
    #[error("the thread that owns consensus has ended")]
    OwnerEnded,
    /// The application stops; nothing was answered.
    #[error("the application stops: {0}")]
    Stopped(StopReason),
}

/// Why the server could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address has no known form.
    #[error("ABCI address `{0}`: expected unix:///path/to/socket or tcp://host:port")]
    Address(String),
    /// Something else listens there.
    #[error("ABCI address `{0}` is in use by another process: is this node running already?")]
    InUse(String),
    /// The path of a unix socket is some other file.
    #[error("ABCI address `{0}`: the path exists and is not a socket; remove it or choose another")]
    NotASocket(String),
    /// The operating system refused.
    #[error("ABCI address `{address}`: {source}")]
    Io {
        /// The address.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
}

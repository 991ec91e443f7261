//! Why a query has no answer, as gRPC statuses. REST and `abci_query` map them as the SDK does.

use crate::{error::Rejected, state::StateError};

/// A gRPC status code; the discriminant is its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    /// Not an answerable question.
    InvalidArgument = 3,
    /// No such object.
    NotFound = 5,
    /// Not now, in this state.
    FailedPrecondition = 9,
    /// No such method.
    Unimplemented = 12,
    /// This node's fault.
    Internal = 13,
}

/// Why a query has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// The gRPC status.
    pub status: Status,
    /// What was wrong, in the SDK's words where it has some.
    pub message: String,
}

impl QueryError {
    /// An error with this status.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        QueryError { status, message: message.into() }
    }

    /// The request is wrong in itself.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Status::InvalidArgument, message)
    }

    /// There is no such object.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Status::NotFound, message)
    }

    /// There is no such method.
    pub fn unimplemented(path: &str) -> Self {
        Self::new(Status::Unimplemented, format!("unknown query path {path}"))
    }

    /// The ABCI code and codespace of `abci_query`. Source: SDK `gRPCErrorToSDKError`.
    pub fn abci_code(&self) -> (&'static str, u32) {
        match self.status {
            Status::NotFound => ("sdk", 22),
            Status::Unimplemented => ("sdk", 6),
            Status::Internal => ("sdk", 35),
            Status::InvalidArgument | Status::FailedPrecondition => ("sdk", 18),
        }
    }
}

impl From<StateError> for QueryError {
    fn from(error: StateError) -> Self {
        Self::new(Status::Internal, error.to_string())
    }
}

impl From<Rejected> for QueryError {
    fn from(error: Rejected) -> Self {
        Self::invalid(error.log)
    }
}

impl From<prost::DecodeError> for QueryError {
    fn from(error: prost::DecodeError) -> Self {
        Self::invalid(format!("the request does not decode: {error}"))
    }
}

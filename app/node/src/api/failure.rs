//! Why a method has no answer: a gRPC status, and what it is over HTTP.

use axum::http::StatusCode;
use swing_core::query::{QueryError, Status};
use swing_proto::json::JsonError;

use crate::client::ClientError;

/// The gRPC status codes that are told here; the discriminant is the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    /// Told by the engine, which has no statuses.
    Unknown = 2,
    /// Not an answerable question.
    InvalidArgument = 3,
    /// It took too long.
    DeadlineExceeded = 4,
    /// No such object.
    NotFound = 5,
    /// Too many requests at once.
    ResourceExhausted = 8,
    /// Not now, in this state.
    FailedPrecondition = 9,
    /// No such method.
    Unimplemented = 12,
    /// This node's fault.
    Internal = 13,
    /// The engine is not there.
    Unavailable = 14,
}

impl Code {
    /// The status over HTTP. Source: grpc-gateway's `HTTPStatusFromCode`.
    #[must_use]
    pub fn http(self) -> StatusCode {
        match self {
            Code::InvalidArgument | Code::FailedPrecondition => StatusCode::BAD_REQUEST,
            Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
            Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
            Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Code::Unknown | Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// Why a method has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The status.
    pub code: Code,
    /// What was wrong.
    pub message: String,
}

impl Failure {
    /// A failure with this status.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Failure { code, message: message.into() }
    }

    /// The request is wrong in itself.
    pub fn invalid(message: impl Into<String>) -> Self {
        Failure::new(Code::InvalidArgument, message)
    }

    /// The node's own fault.
    pub fn internal(message: impl std::fmt::Display) -> Self {
        Failure::new(Code::Internal, message.to_string())
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        let code = match error.status {
            Status::InvalidArgument => Code::InvalidArgument,
            Status::NotFound => Code::NotFound,
            Status::FailedPrecondition => Code::FailedPrecondition,
            Status::Unimplemented => Code::Unimplemented,
            Status::Internal => Code::Internal,
        };
        Failure::new(code, error.message)
    }
}

impl From<prost::DecodeError> for Failure {
    fn from(error: prost::DecodeError) -> Self {
        QueryError::from(error).into()
    }
}

/// What cannot be shown is the node's fault; what cannot be read is said with [`Failure::invalid`].
impl From<JsonError> for Failure {
    fn from(error: JsonError) -> Self {
        Failure::internal(error)
    }
}

/// What the engine answers, or that it does not.
impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let code = match &error {
            ClientError::Input(_) => Code::InvalidArgument,
            ClientError::Unreachable { .. } => Code::Unavailable,
            ClientError::Timeout { .. } => Code::DeadlineExceeded,
            ClientError::Answer { .. } => Code::Internal,
            ClientError::Rpc { .. }
            | ClientError::Query { .. }
            | ClientError::TxFailed { .. }
            | ClientError::Keyring(_) => Code::Unknown,
        };
        Failure::new(code, error.to_string())
    }
}

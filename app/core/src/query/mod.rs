//! Queries: their failures, and the router by gRPC path.

mod error;

pub use error::{QueryError, Status};

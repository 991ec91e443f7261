//! Queries: their failures, pages, and the router by gRPC path.

mod error;
mod page;
mod router;

pub use error::{QueryError, Status};
pub use page::page;
pub use router::query;

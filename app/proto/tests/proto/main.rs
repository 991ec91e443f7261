//! The wire and its texts, held against vectors recorded from a Cosmos SDK chain.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that cannot read its vectors has to fail"
)]

mod json;
mod schema;
mod vectors;
mod wire;

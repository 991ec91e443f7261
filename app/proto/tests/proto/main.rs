//! The wire and its texts, held against vectors recorded from a Cosmos SDK chain.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs, reason = "a test that cannot read its vectors has to fail")]

mod amino;
mod amino_messages;
mod every_message;
mod json;
mod json_recorded;
mod schema;
mod strict;
mod vectors;
mod wire;

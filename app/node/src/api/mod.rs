//! The interfaces for clients, as a Cosmos SDK 0.53 node has them: gRPC with reflection, and the same methods over REST.
//!
//! # Invariants
//! - Both are two encodings of one thing: a method's path, an encoded request, a height, and an encoded response or a gRPC status
//!   ([`Services`]). No message has code of its own in either.
//! - Answers come from committed state, or from what the engine has stored; nothing here waits for a block.
//! - Every request is bounded: its bytes, its time, and how many there are at once.
//! - A caller's mistake is an answer; a local fault ends the process.

mod config;
mod failure;
mod grpc;
mod rest;
mod server;
mod services;

pub use config::{ApiConfig, ApiFlags, ClientsConfig, GrpcConfig};
pub use failure::{Code, Failure};
pub use server::{Clients, ClientsError, Listening};
pub use services::{Answer, NodeSettings, Services};

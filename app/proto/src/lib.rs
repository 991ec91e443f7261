//! The chain's protobuf: messages of the Cosmos SDK 0.53 wire format under their own package names, messages of the
//! swingset module, and what the wire alone does not say: JSON, amino sign bytes, and strict decoding of transactions.
//!
//! # Invariants
//!
//! - A message keeps the package name, field numbers and types that clients of the ecosystem know.
//! - JSON and amino text follow from the descriptors and the options in `proto/swing/options/v1`, never from code for
//!   one message.
//! - Nothing here reads a clock, the environment, a file or the network: the crate builds for `wasm32`.

pub mod amino;
mod any;
mod dynamic;
pub mod json;
mod path;
mod pool;
mod schema;
mod service;
mod signer;
pub mod strict;
mod text;

pub use any::{AnyError, pack, type_name_of_url, type_url, unpack};
pub use pool::{FILE_DESCRIPTOR_SET, descriptor_pool, message_descriptor};
pub use prost_reflect::MethodDescriptor;
pub use service::{method, methods, response_type_url};
pub use signer::{Signer, SignerError, signer_field, signers};
pub use text::TextError;
pub use text::address::ACCOUNT_PREFIX;

/// Generated from `proto/`.
#[allow(missing_docs, clippy::all, rust_2018_idioms)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/packages.rs"));
}

pub use generated::{agoric, cosmos, swing, tendermint};

/// The well-known types that the messages use.
pub mod google {
    /// The package `google.protobuf`.
    pub mod protobuf {
        pub use prost_types::{Any, Duration, Timestamp};
    }
}

pub use prost::{Message, Name};

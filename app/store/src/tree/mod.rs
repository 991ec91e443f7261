//! A Jellyfish Merkle tree with batched updates, on the hash scheme of the `jmt` crate: same keys and values, same root.
//!
//! The tree does no I/O: it asks a [`NodeReader`] for stored nodes and returns a [`TreeBatch`] of new and stale ones.
//!
//! # Invariants
//! - Same set of (key, value), same root, by whatever changes it came about (`tests/it/oracle.rs` holds this against `jmt`).
//! - Nodes are never changed, only replaced: every kept version reads from the same rows.

mod batch;
mod build;
mod child;
pub(crate) mod hash;
mod nibble;
mod node;
mod reader;
mod search;
mod shape;

pub use batch::{TreeBatch, Update, update};
pub use build::{Builder, Built};
pub use child::{Child, Leaf, decode_root, encode_root, root_hash};
pub use hash::{Hash, PLACEHOLDER, sha256};
pub use nibble::NibblePath;
pub use node::{InternalNode, NodeKey};
pub use reader::{NodeReader, TreeError};
pub use search::{Descent, Side, bit_at, count_leaves, descend, neighbour, root_of};

//! A vat's state between deliveries: the memory and mutable globals of its instances, kept by pages.
//!
//! | where | what |
//! |---|---|
//! | `swingset/h/vat/<id>` (hashed) | [`Leaf`]: root, and the block of the last delivery |
//! | `~swingset/vat/<id>` | [`Header`]: pages and globals of each instance |
//! | `~swingset/page/<id>/…` | each page of 4 KiB that is not all zero |
//!
//! The root is SHA-256 over the header's hash and each instance's memory root; a memory root is over the hashes of groups of 64
//! page hashes, so that one changed page costs its own hash, its group's and the list of groups.
//!
//! # Invariants
//! - What is stored after a flush is a function of memory and globals alone: when and how often it was flushed changes nothing
//!   (held by `tests::it::pages`).
//! - A vat is only run on when the root over what was loaded is the one in state.

mod inspect;
mod restore;
mod shadow;
mod verify;

use swingset_abi::{
    wire::{Blob, Wire},
    wire_struct,
};

pub use inspect::{InstanceMemory, VatMemory, vat_memory};
pub(crate) use restore::{InstanceImage, Restore, delete_vat, load, store};
pub(crate) use shadow::{Capture, InstanceState, Shadow};
pub use verify::verify_unhashed;

use crate::error::Halt;

/// Bytes of a page.
pub const PAGE_BYTES: usize = 4096;

/// A vat's record in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// SHA-256 over lengths, globals and pages.
    pub root: [u8; 32],
    /// Height of the block in which a delivery changed it last; that block has charged it for its memory.
    pub height: u64,
}

/// The leaf's encoding.
struct LeafBytes {
    root: Blob,
    height: u64,
}
wire_struct!(LeafBytes { root, height });

impl Leaf {
    /// The bytes in state.
    pub fn to_bytes(&self) -> Vec<u8> {
        LeafBytes { root: Blob(self.root.to_vec()), height: self.height }.to_bytes()
    }

    /// Reads the bytes in state.
    ///
    /// # Errors
    /// When they are damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Halt> {
        let damaged = || Halt::new("a vat's leaf in state is damaged");
        let leaf = LeafBytes::from_bytes(bytes).map_err(|_| damaged())?;
        Ok(Leaf { root: leaf.root.0.try_into().map_err(|_| damaged())?, height: leaf.height })
    }
}

/// What is kept of one instance beside its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InstanceHeader {
    /// Length of its memory, in pages of 4 KiB.
    pub pages: u32,
    /// Its mutable globals, as bits, in the order of their indices.
    pub globals: Vec<u64>,
}
wire_struct!(InstanceHeader { pages, globals });

/// What is kept of a vat beside its pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// The vat's instance, then its supervisor's.
    pub instances: Vec<InstanceHeader>,
}
wire_struct!(Header { instances });

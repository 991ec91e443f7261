//! Where the tree gets its stored nodes.

use super::{Hash, InternalNode, NodeKey};

/// The path of a node ran below the last nibble of a key hash, or led to a node without children: the stored tree is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// Deeper than a key hash is long.
    #[error("a path of more than 64 nibbles")]
    TooDeep,
    /// A neighbour was looked for under a node that has no leaf.
    #[error("an internal node with no leaf under it")]
    NoLeaf,
    /// Leaves to build a tree from came in another order than that of their key hashes.
    #[error("a leaf that does not come after the one before it")]
    NotAscending,
}

/// Gives the tree its stored internal nodes.
pub trait NodeReader {
    /// Why a node could not be had.
    type Error: From<TreeError>;

    /// The node stored under `key`, whose hash is `hash`: an implementation answers with a node of another hash never, but with
    /// an error.
    ///
    /// # Errors
    /// The node is missing, damaged or cannot be read.
    fn node(&self, key: &NodeKey, hash: &Hash) -> Result<InternalNode, Self::Error>;
}

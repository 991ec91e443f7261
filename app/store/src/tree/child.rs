//! Subtrees as their parents see them: leaves, held whole, and internal nodes, by hash and version.
//!
//! # Invariants
//! - A leaf has no row of its own: its parent (or the root record) holds it, which spares a read, a write and a stale marker a
//!   key.

use super::hash::{Hash, PLACEHOLDER, leaf_hash};

/// A key and its value, by their hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// SHA-256 of the key.
    pub key_hash: Hash,
    /// SHA-256 of the committed value.
    pub value_hash: Hash,
}

/// A subtree that is not empty, as its parent sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// One key.
    Leaf {
        /// The leaf.
        leaf: Leaf,
        /// Its hash, kept since every rehash of the parent needs it.
        hash: Hash,
    },
    /// Two keys or more.
    Internal {
        /// The node's hash.
        hash: Hash,
        /// The version that wrote the node.
        version: u64,
    },
}

impl Child {
    /// A leaf with its hash.
    pub fn leaf(leaf: Leaf) -> Self {
        Child::Leaf { leaf, hash: leaf_hash(&leaf.key_hash, &leaf.value_hash) }
    }

    /// The subtree's hash.
    pub fn hash(&self) -> &Hash {
        match self {
            Child::Leaf { hash, .. } | Child::Internal { hash, .. } => hash,
        }
    }

    /// Whether it is one key.
    pub(super) fn is_leaf(&self) -> bool {
        matches!(self, Child::Leaf { .. })
    }

    fn encode_into(&self, out: &mut Vec<u8>) {
        match self {
            Child::Leaf { leaf, .. } => {
                out.extend_from_slice(&leaf.key_hash);
                out.extend_from_slice(&leaf.value_hash);
            }
            Child::Internal { hash, version } => {
                out.extend_from_slice(hash);
                out.extend_from_slice(&version.to_be_bytes());
            }
        }
    }

    fn decode(leaf: bool, bytes: &mut &[u8]) -> Option<Self> {
        if leaf {
            let leaf = Leaf { key_hash: take(bytes)?, value_hash: take(bytes)? };
            Some(Child::leaf(leaf))
        } else {
            Some(Child::Internal { hash: take(bytes)?, version: u64::from_be_bytes(take(bytes)?) })
        }
    }
}

/// The root as a record of its version: 0 for an empty tree, 1 and a leaf, 2 and an internal node.
pub fn encode_root(root: Option<&Child>) -> Vec<u8> {
    let mut out = Vec::with_capacity(65);
    out.push(root.map_or(0, |child| if child.is_leaf() { 1 } else { 2 }));
    if let Some(child) = root {
        child.encode_into(&mut out);
    }
    out
}

/// Decodes a root record; the outer option is none when the bytes are not one.
pub fn decode_root(mut bytes: &[u8]) -> Option<Option<Child>> {
    let [tag] = take(&mut bytes)?;
    let root = match tag {
        0 => None,
        1 => Some(Child::decode(true, &mut bytes)?),
        2 => Some(Child::decode(false, &mut bytes)?),
        _ => return None,
    };
    bytes.is_empty().then_some(root)
}

/// The hash of a tree with this root.
pub fn root_hash(root: Option<&Child>) -> Hash {
    root.map_or(PLACEHOLDER, |child| *child.hash())
}

/// Takes the first bytes off.
pub(super) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = bytes.split_first_chunk::<N>()?;
    *bytes = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_survives_its_encoding_and_other_bytes_are_not_one() {
        let leaf = Child::leaf(Leaf { key_hash: [4; 32], value_hash: [5; 32] });
        let internal = Child::Internal { hash: [1; 32], version: u64::MAX };
        for root in [None, Some(leaf), Some(internal)] {
            assert_eq!(decode_root(&encode_root(root.as_ref())), Some(root));
        }
        for bad in [&[][..], &[3], &[0, 0], &[1, 2, 3]] {
            assert_eq!(decode_root(bad), None, "{bad:?}");
        }
    }
}

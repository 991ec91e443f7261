//! Nodes: a 16-ary internal node that hashes as a binary sparse Merkle subtree of four levels, and leaves held in their parent.
//!
//! # Invariants
//! - The shape is a function of the set of keys alone: an internal node stands at a path exactly when two keys or more begin
//!   with it (so never over a single leaf), and a leaf at the shortest path that is its own.
//! - A leaf has no row of its own: its parent (or the root record) holds it, which spares a read, a write and a stale marker a
//!   key.
//! - Decoding accepts exactly what encoding makes.

use super::{
    NibblePath,
    hash::{Hash, PLACEHOLDER, inner_hash, leaf_hash},
};

/// Names an internal node for ever: the version that wrote it and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeKey {
    /// The version that wrote the node.
    pub version: u64,
    /// Its place.
    pub path: NibblePath,
}

impl NodeKey {
    /// The storage key: version, big-endian, then the path.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + 1 + 4);
        out.extend_from_slice(&self.version.to_be_bytes());
        self.path.encode_into(&mut out);
        out
    }
}

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
        Child::Leaf {
            leaf,
            hash: leaf_hash(&leaf.key_hash, &leaf.value_hash),
        }
    }

    /// The subtree's hash.
    pub fn hash(&self) -> &Hash {
        match self {
            Child::Leaf { hash, .. } | Child::Internal { hash, .. } => hash,
        }
    }

    fn is_leaf(&self) -> bool {
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
            let leaf = Leaf {
                key_hash: take(bytes)?,
                value_hash: take(bytes)?,
            };
            Some(Child::leaf(leaf))
        } else {
            Some(Child::Internal {
                hash: take(bytes)?,
                version: u64::from_be_bytes(take(bytes)?),
            })
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

/// An internal node: up to 16 children, those that are there in nibble order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InternalNode {
    present: u16,
    leaves: u16,
    children: Vec<Child>,
}

impl InternalNode {
    /// An empty node with room for `children`.
    pub fn with_capacity(children: usize) -> Self {
        InternalNode {
            present: 0,
            leaves: 0,
            children: Vec::with_capacity(children),
        }
    }

    /// Adds a child; nibbles come in ascending order.
    pub fn push(&mut self, nibble: u8, child: Child) {
        debug_assert!(nibble < 16 && self.present >> nibble == 0, "children come in order");
        self.present |= 1 << nibble;
        if child.is_leaf() {
            self.leaves |= 1 << nibble;
        }
        self.children.push(child);
    }

    /// The child at a nibble.
    pub fn get(&self, nibble: u8) -> Option<&Child> {
        let bit = 1u16.checked_shl(u32::from(nibble))?;
        if self.present & bit == 0 {
            return None;
        }
        self.children.get((self.present & (bit - 1)).count_ones() as usize)
    }

    /// How many children there are.
    pub fn len(&self) -> usize {
        self.children.len()
    }

    /// The only child, when it is a leaf: such a node must not be, the leaf takes its place.
    pub fn lone_leaf(&self) -> Option<&Child> {
        match self.children.as_slice() {
            [child @ Child::Leaf { .. }] => Some(child),
            _ => None,
        }
    }

    /// The node's hash.
    pub fn hash(&self) -> Hash {
        self.range_hash(0, 16)
    }

    /// The hash of the binary subtree over the `width` (a power of two) nibbles from `start` on. A subtree with no child is the
    /// placeholder; one whose only child is a leaf is that leaf.
    pub fn range_hash(&self, start: u8, width: u8) -> Hash {
        if let Some(settled) = self.settled(start, width) {
            return settled.map_or(PLACEHOLDER, |child| *child.hash());
        }
        let half = width / 2;
        inner_hash(&self.range_hash(start, half), &self.range_hash(start + half, half))
    }

    /// What a range of nibbles holds when no binary node stands over it: nothing, its only leaf, or the one child that it is.
    pub fn settled(&self, start: u8, width: u8) -> Option<Option<&Child>> {
        let mask = u16::MAX >> (16 - width) << start;
        let (present, leaves) = (self.present & mask, self.leaves & mask);
        if present == 0 {
            return Some(None);
        }
        let alone = width == 1 || (present.count_ones() == 1 && leaves != 0);
        alone.then(|| {
            self.children
                .get((self.present & ((1 << present.trailing_zeros()) - 1)).count_ones() as usize)
        })
    }

    /// The encoding: both bitmaps, then the children.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + self.children.len() * 64);
        out.extend_from_slice(&self.present.to_be_bytes());
        out.extend_from_slice(&self.leaves.to_be_bytes());
        for child in &self.children {
            child.encode_into(&mut out);
        }
        out
    }

    /// Decodes a node; none when the bytes are not one.
    pub fn decode(mut bytes: &[u8]) -> Option<Self> {
        let (present, leaves) = (
            u16::from_be_bytes(take(&mut bytes)?),
            u16::from_be_bytes(take(&mut bytes)?),
        );
        if leaves & !present != 0 {
            return None;
        }
        let mut node = InternalNode {
            present,
            leaves,
            children: Vec::with_capacity(present.count_ones() as usize),
        };
        for nibble in (0..16).filter(|nibble| present >> nibble & 1 == 1) {
            node.children
                .push(Child::decode(leaves >> nibble & 1 == 1, &mut bytes)?);
        }
        (bytes.is_empty() && !node.children.is_empty() && node.lone_leaf().is_none()).then_some(node)
    }

    /// Bytes that the node takes in memory, about.
    pub fn footprint(&self) -> usize {
        size_of::<Self>() + self.children.capacity() * size_of::<Child>()
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = bytes.split_first_chunk::<N>()?;
    *bytes = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(byte: u8) -> Child {
        Child::leaf(Leaf {
            key_hash: [byte; 32],
            value_hash: [byte ^ 0xff; 32],
        })
    }

    fn node() -> InternalNode {
        let mut node = InternalNode::default();
        node.push(0, leaf(1));
        node.push(
            3,
            Child::Internal {
                hash: [7; 32],
                version: 9,
            },
        );
        node.push(15, leaf(2));
        node
    }

    #[test]
    fn a_node_survives_its_encoding() {
        assert_eq!(InternalNode::decode(&node().encode()), Some(node()));
        for root in [
            None,
            Some(leaf(4)),
            Some(Child::Internal {
                hash: [1; 32],
                version: u64::MAX,
            }),
        ] {
            assert_eq!(decode_root(&encode_root(root.as_ref())), Some(root));
        }
    }

    #[test]
    fn bytes_that_no_encoding_makes_are_not_a_node() {
        let good = node().encode();
        let mut longer = good.clone();
        longer.push(0);
        let mut lone = InternalNode::default();
        lone.push(5, leaf(1));
        let mut leaf_that_is_not_there = good.clone();
        leaf_that_is_not_there[3] |= 2;
        for bad in [
            &good[..good.len() - 1],
            &longer,
            &[],
            &[0, 0, 0, 0],
            &lone.encode(),
            &leaf_that_is_not_there,
        ] {
            assert_eq!(InternalNode::decode(bad), None, "{bad:?}");
        }
        for bad in [&[][..], &[3], &[0, 0], &[1, 2, 3]] {
            assert_eq!(decode_root(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_child_is_found_by_its_nibble() {
        let node = node();
        assert_eq!([0, 3, 15].map(|n| node.get(n).is_some()), [true; 3]);
        assert_eq!([1, 2, 14, 16, 255].map(|n| node.get(n).is_some()), [false; 5]);
        assert_eq!(node.get(15), Some(&leaf(2)));
    }
}

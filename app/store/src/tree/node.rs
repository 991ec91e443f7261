//! Internal nodes: 16-ary, hashed as a binary sparse Merkle subtree of four levels.
//!
//! # Invariants
//! - The shape is a function of the set of keys alone: an internal node stands at a path exactly when two keys or more begin
//!   with it (so never over a single leaf), and a leaf at the shortest path that is its own.
//! - The hash of each quarter is kept with the node, so a change of one child costs six hashes, not fifteen.
//! - Decoding accepts exactly what encoding makes.

use std::sync::Arc;

use super::{
    Child, Leaf, NibblePath,
    child::take,
    hash::{Hash, PLACEHOLDER},
    shape::{QUARTERS, Shape, WORDS_MAX},
};

/// Names an internal node for ever: the version that wrote it and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
        self.encode_into(&mut out);
        out
    }

    /// Appends the storage key.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.version.to_be_bytes());
        self.path.encode_into(out);
    }
}

impl std::hash::Hash for NodeKey {
    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.version);
        hasher.write_u64(self.path.digest());
    }
}

/// A node's children by nibble, while they are put together.
pub type Slots = [Option<Child>; 16];

/// An internal node, in one piece of memory: the hashes of its quarters and of its children, which every rehash needs, lie
/// together; then its leaves' keys and values; then its internal children's versions, four a word.
///
/// Cheap to clone, and one step away from whoever holds it: an update of a large tree is bound by such steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalNode {
    present: u16,
    leaves: u16,
    words: Arc<[Hash]>,
}

impl InternalNode {
    /// The node of these children.
    pub fn new(slots: &Slots) -> Self {
        let (mut present, mut leaves) = (0u16, 0u16);
        for (nibble, child) in slots.iter().enumerate() {
            present |= u16::from(child.is_some()) << nibble;
            leaves |= u16::from(matches!(child, Some(Child::Leaf { .. }))) << nibble;
        }
        let shape = Shape { present, leaves };
        let mut words = [PLACEHOLDER; WORDS_MAX];
        for (bit, child) in (0..16).zip(slots).filter_map(|(nibble, child)| Some((1u16 << nibble, child.as_ref()?))) {
            shape.write(&mut words, bit, child);
        }
        InternalNode::finish(shape, &mut words, u16::MAX)
    }

    /// The node with some of its children replaced, each by one of its own kind; none when one is not, so that the node has
    /// another shape then. Quarters in which nothing was replaced keep their hashes.
    pub fn with(&self, replaced: &[(u8, Option<Child>)]) -> Option<Self> {
        let shape = Shape { present: self.present, leaves: self.leaves };
        let mut words = [PLACEHOLDER; WORDS_MAX];
        words.get_mut(..self.words.len())?.copy_from_slice(&self.words);
        let mut bits = 0u16;
        for (nibble, child) in replaced {
            let bit = 1u16.checked_shl(u32::from(*nibble))?;
            let child = child.as_ref()?;
            if self.present & bit == 0 || child.is_leaf() != (self.leaves & bit != 0) {
                return None;
            }
            shape.write(&mut words, bit, child);
            bits |= bit;
        }
        Some(InternalNode::finish(shape, &mut words, bits))
    }

    /// The node of these words, once the quarters with changed children are hashed.
    fn finish(shape: Shape, words: &mut [Hash; WORDS_MAX], changed: u16) -> Self {
        shape.hash_quarters(words, changed);
        let words = Arc::from(words.get(..shape.words()).unwrap_or_default());
        InternalNode { present: shape.present, leaves: shape.leaves, words }
    }

    /// The children by nibble.
    pub fn slots(&self) -> Slots {
        let mut slots = Slots::default();
        (0..16).zip(&mut slots).for_each(|(nibble, slot)| *slot = self.get(nibble));
        slots
    }

    fn shape(&self) -> Shape {
        Shape { present: self.present, leaves: self.leaves }
    }

    /// The child at a nibble.
    pub fn get(&self, nibble: u8) -> Option<Child> {
        let bit = 1u16.checked_shl(u32::from(nibble))?;
        if self.present & bit == 0 {
            return None;
        }
        let (shape, words) = (self.shape(), &*self.words);
        let hash = shape.child_hash(words, bit);
        if self.leaves & bit != 0 {
            let [key_hash, value_hash] = *words.get(shape.leaf_at(bit)..)?.first_chunk()?;
            return Some(Child::Leaf { leaf: Leaf { key_hash, value_hash }, hash });
        }
        let (word, byte) = shape.version_at(bit);
        let version = words.get(word)?.get(byte..)?.first_chunk()?;
        Some(Child::Internal { hash, version: u64::from_be_bytes(*version) })
    }

    /// How many children there are.
    pub fn child_count(&self) -> usize {
        self.present.count_ones() as usize
    }

    /// The only child, when it is a leaf: such a node must not be, the leaf takes its place.
    pub fn lone_leaf(&self) -> Option<Child> {
        if self.child_count() != 1 { None } else { self.get(u8::try_from(self.leaves.trailing_zeros()).ok()?) }
    }

    /// The node's hash.
    pub fn hash(&self) -> Hash {
        self.range_hash(0, 16)
    }

    /// The hash of the binary subtree over the `width` (a power of two) nibbles from `start` on. A subtree with no child is the
    /// placeholder; one whose only child is a leaf is that leaf.
    pub fn range_hash(&self, start: u8, width: u8) -> Hash {
        self.shape().range_hash(&self.words, start, width)
    }

    /// What stands for a range of nibbles when no binary node does: nothing, its only leaf, or the one child that it is.
    pub fn settled_child(&self, start: u8, width: u8) -> Option<Option<Child>> {
        let settled = self.shape().settled(start, width)?;
        Some(settled.and_then(|bit| self.get(u8::try_from(bit.trailing_zeros()).ok()?)))
    }

    /// The encoding: both bitmaps, then the children.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + self.words.len() * 32);
        self.encode_into(&mut out);
        out
    }

    /// Appends the encoding: both bitmaps, the hashes of the internal children, the leaves, the versions.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.present.to_be_bytes());
        out.extend_from_slice(&self.leaves.to_be_bytes());
        let children = self.words.get(QUARTERS..).unwrap_or_default();
        let (hashes, rest) = children.split_at(self.child_count().min(children.len()));
        let (leaves, versions) = rest.split_at((2 * self.leaves.count_ones() as usize).min(rest.len()));
        for (nibble, hash) in (0..16).filter(|nibble| self.present >> nibble & 1 == 1).zip(hashes) {
            if self.leaves >> nibble & 1 == 0 {
                out.extend_from_slice(hash);
            }
        }
        out.extend_from_slice(leaves.as_flattened());
        let version_bytes = 8 * (self.present & !self.leaves).count_ones() as usize;
        out.extend(versions.as_flattened().iter().take(version_bytes));
    }

    /// Decodes a node; none when the bytes are not one.
    pub fn decode(mut bytes: &[u8]) -> Option<Self> {
        let (present, leaves) = (u16::from_be_bytes(take(&mut bytes)?), u16::from_be_bytes(take(&mut bytes)?));
        if leaves & !present != 0 {
            return None;
        }
        let internal = (present & !leaves).count_ones() as usize;
        let (mut hashes, rest) = bytes.split_at_checked(32 * internal)?;
        let (mut pairs, mut versions) = rest.split_at_checked(64 * leaves.count_ones() as usize)?;
        let mut slots = Slots::default();
        for (nibble, slot) in slots.iter_mut().enumerate().filter(|(nibble, _)| present >> nibble & 1 == 1) {
            *slot = Some(if leaves >> nibble & 1 == 1 {
                Child::leaf(Leaf { key_hash: take(&mut pairs)?, value_hash: take(&mut pairs)? })
            } else {
                Child::Internal { hash: take(&mut hashes)?, version: u64::from_be_bytes(take(&mut versions)?) }
            });
        }
        let node = InternalNode::new(&slots);
        (versions.is_empty() && present != 0 && node.lone_leaf().is_none()).then_some(node)
    }

    /// Bytes that the node takes in memory, about.
    pub fn footprint(&self) -> usize {
        size_of::<Self>() + self.words.len() * size_of::<Hash>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(byte: u8) -> Child {
        Child::leaf(Leaf { key_hash: [byte; 32], value_hash: [byte ^ 0xff; 32] })
    }

    fn node() -> InternalNode {
        let mut slots = Slots::default();
        slots[0] = Some(leaf(1));
        for nibble in 3..9u8 {
            slots[usize::from(nibble)] = Some(Child::Internal { hash: [nibble; 32], version: u64::from(nibble) * 3 });
        }
        slots[15] = Some(leaf(2));
        InternalNode::new(&slots)
    }

    #[test]
    fn a_node_survives_its_encoding() {
        assert_eq!(InternalNode::decode(&node().encode()), Some(node()));
    }

    #[test]
    fn bytes_that_no_encoding_makes_are_not_a_node() {
        let good = node().encode();
        let mut longer = good.clone();
        longer.push(0);
        let mut lone = Slots::default();
        lone[5] = Some(leaf(1));
        let lone = InternalNode::new(&lone);
        let mut leaf_that_is_not_there = good.clone();
        leaf_that_is_not_there[3] |= 2;
        for bad in [&good[..good.len() - 1], &longer, &[], &[0, 0, 0, 0], &lone.encode(), &leaf_that_is_not_there] {
            assert_eq!(InternalNode::decode(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_child_is_found_by_its_nibble() {
        let node = node();
        assert_eq!([0, 3, 15].map(|n| node.get(n).is_some()), [true; 3]);
        assert_eq!([1, 2, 14, 16, 255].map(|n| node.get(n).is_some()), [false; 5]);
        assert_eq!(node.get(15), Some(leaf(2)));
        assert_eq!(node.get(3), Some(Child::Internal { hash: [3; 32], version: 9 }));
        assert_eq!(node.get(8), Some(Child::Internal { hash: [8; 32], version: 24 }));
    }
}

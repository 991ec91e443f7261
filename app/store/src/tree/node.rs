//! Internal nodes: 16-ary, hashed as a binary sparse Merkle subtree of four levels.
//!
//! # Invariants
//! - The shape is a function of the set of keys alone: an internal node stands at a path exactly when two keys or more begin
//!   with it (so never over a single leaf), and a leaf at the shortest path that is its own.
//! - The hash of each quarter is kept with the node, so a change of one child costs six hashes, not fifteen.
//! - Decoding accepts exactly what encoding makes.

use super::{
    Child, Leaf, NibblePath,
    child::take,
    hash::{Hash, PLACEHOLDER, inner_hash},
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

/// Versions of internal children in one word.
const VERSIONS_A_WORD: usize = 4;

/// Ranges of four nibbles whose hashes are kept.
const QUARTERS: usize = 4;

/// A node's children by nibble, while they are put together.
pub type Slots = [Option<Child>; 16];

/// What an update knows of the node that a new one replaces: the node, and a bitmap of the children that are others now.
pub type Before<'a> = Option<(&'a InternalNode, u16)>;

/// An internal node, in one piece of memory: the hashes of its quarters and of its children, which every rehash needs, lie
/// together; then its leaves' keys and values; then its internal children's versions, four a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternalNode {
    present: u16,
    leaves: u16,
    words: Box<[Hash]>,
}

impl InternalNode {
    /// The node of these children. Quarters that are as they were `before` keep their hashes.
    pub fn new(slots: &Slots, before: Before<'_>) -> Self {
        let (mut present, mut leaves) = (0u16, 0u16);
        for (nibble, child) in slots.iter().enumerate() {
            present |= u16::from(child.is_some()) << nibble;
            leaves |= u16::from(matches!(child, Some(Child::Leaf { .. }))) << nibble;
        }
        let internal = (present & !leaves).count_ones() as usize;
        let count = QUARTERS
            + present.count_ones() as usize
            + 2 * leaves.count_ones() as usize
            + internal.div_ceil(VERSIONS_A_WORD);
        let mut words = Vec::with_capacity(count);
        words.extend([PLACEHOLDER; QUARTERS]);
        words.extend(slots.iter().flatten().map(|child| *child.hash()));
        for child in slots.iter().flatten() {
            if let Child::Leaf { leaf, .. } = child {
                words.extend([leaf.key_hash, leaf.value_hash]);
            }
        }
        let mut versions = slots.iter().flatten().filter_map(|child| match child {
            Child::Internal { version, .. } => Some(*version),
            Child::Leaf { .. } => None,
        });
        while words.len() < count {
            let mut word = [0u8; 32];
            for (place, version) in word.chunks_exact_mut(8).zip(&mut versions) {
                place.copy_from_slice(&version.to_be_bytes());
            }
            words.push(word);
        }
        let mut node = InternalNode { present, leaves, words: words.into_boxed_slice() };
        for quarter in 0..QUARTERS {
            let hash = match before {
                Some((before, changed)) if changed >> (4 * quarter) & 0xf == 0 => before.words.get(quarter).copied(),
                _ => Some(node.quarter_hash(quarter)),
            };
            if let (Some(place), Some(hash)) = (node.words.get_mut(quarter), hash) {
                *place = hash;
            }
        }
        node
    }

    /// The hash of a quarter, from its children.
    fn quarter_hash(&self, quarter: usize) -> Hash {
        let start = u8::try_from(4 * quarter).unwrap_or_default();
        self.settled_hash(start, 4)
            .unwrap_or_else(|| inner_hash(&self.range_hash(start, 2), &self.range_hash(start + 2, 2)))
    }

    /// The child at a nibble.
    pub fn get(&self, nibble: u8) -> Option<Child> {
        let bit = 1u16.checked_shl(u32::from(nibble))?;
        if self.present & bit == 0 {
            return None;
        }
        let hash = self.child_hash(bit);
        let leaves_at = QUARTERS + self.child_count();
        if self.leaves & bit != 0 {
            let at = leaves_at + 2 * before(self.leaves, bit);
            let [key_hash, value_hash] = *self.words.get(at..at + 2)?.first_chunk()?;
            return Some(Child::Leaf { leaf: Leaf { key_hash, value_hash }, hash });
        }
        let place = before(self.present & !self.leaves, bit);
        let word = self.words.get(leaves_at + 2 * self.leaves.count_ones() as usize + place / VERSIONS_A_WORD)?;
        let version = word.get(place % VERSIONS_A_WORD * 8..)?.first_chunk()?;
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
        if width == 4 {
            return self.words.get(usize::from(start / 4)).copied().unwrap_or(PLACEHOLDER);
        }
        self.settled_hash(start, width).unwrap_or_else(|| {
            let half = width / 2;
            inner_hash(&self.range_hash(start, half), &self.range_hash(start + half, half))
        })
    }

    /// The hash of a range over which no binary node stands.
    fn settled_hash(&self, start: u8, width: u8) -> Option<Hash> {
        let settled = self.settled(start, width)?;
        Some(settled.map_or(PLACEHOLDER, |bit| self.child_hash(bit)))
    }

    fn child_hash(&self, bit: u16) -> Hash {
        let place = QUARTERS + before(self.present, bit);
        self.words.get(place).copied().unwrap_or(PLACEHOLDER)
    }

    /// What stands for a range of nibbles when no binary node does: nothing, its only leaf, or the one child that it is.
    pub fn settled_child(&self, start: u8, width: u8) -> Option<Option<Child>> {
        let settled = self.settled(start, width)?;
        Some(settled.and_then(|bit| self.get(u8::try_from(bit.trailing_zeros()).ok()?)))
    }

    /// As [`Self::settled_child`], the child by its bit.
    fn settled(&self, start: u8, width: u8) -> Option<Option<u16>> {
        let mask = u16::MAX >> (16 - width) << start;
        let (present, leaves) = (self.present & mask, self.leaves & mask);
        if present == 0 {
            return Some(None);
        }
        let alone = width == 1 || (present.count_ones() == 1 && leaves != 0);
        alone.then_some(Some(present & present.wrapping_neg()))
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
        let node = InternalNode::new(&slots, None);
        (versions.is_empty() && present != 0 && node.lone_leaf().is_none()).then_some(node)
    }

    /// Bytes that the node takes in memory, about.
    pub fn footprint(&self) -> usize {
        size_of::<Self>() + self.words.len() * size_of::<Hash>()
    }
}

/// How many of a bitmap's bits are below `bit`.
fn before(bitmap: u16, bit: u16) -> usize {
    (bitmap & bit.wrapping_sub(1)).count_ones() as usize
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
        InternalNode::new(&slots, None)
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
        let lone = InternalNode::new(&lone, None);
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

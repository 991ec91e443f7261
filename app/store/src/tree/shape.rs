//! Where in a node's words each child is, and the hashes over them.
//!
//! The hashes of the quarters and of the children, which every rehash needs, come first; then the leaves' keys and values; then the
//! internal children's versions, four a word.

use super::{
    Child,
    hash::{Hash, PLACEHOLDER, inner_hash},
};

/// Ranges of four nibbles whose hashes are kept.
pub const QUARTERS: usize = 4;

/// Words of a node with sixteen leaves, the largest.
pub const WORDS_MAX: usize = QUARTERS + 3 * 16;

/// Versions of internal children in one word.
const VERSIONS_A_WORD: usize = 4;

/// Which children a node has, one bit a nibble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// All of them.
    pub present: u16,
    /// Those that are leaves.
    pub leaves: u16,
}

impl Shape {
    /// Words of a node of this shape.
    pub fn words(self) -> usize {
        self.versions_at() + count(self.present & !self.leaves).div_ceil(VERSIONS_A_WORD)
    }

    fn versions_at(self) -> usize {
        QUARTERS + count(self.present) + 2 * count(self.leaves)
    }

    fn hash_at(self, bit: u16) -> usize {
        QUARTERS + before(self.present, bit)
    }

    /// The word of a leaf's key; that of its value follows.
    pub fn leaf_at(self, bit: u16) -> usize {
        QUARTERS + count(self.present) + 2 * before(self.leaves, bit)
    }

    /// The word of an internal child's version, and the byte in it.
    pub fn version_at(self, bit: u16) -> (usize, usize) {
        let place = before(self.present & !self.leaves, bit);
        (self.versions_at() + place / VERSIONS_A_WORD, place % VERSIONS_A_WORD * 8)
    }

    /// Writes a child of the kind that the shape has there.
    pub fn write(self, words: &mut [Hash; WORDS_MAX], bit: u16, child: &Child) {
        let mut put = |at: usize, word: &Hash| {
            if let Some(place) = words.get_mut(at) {
                *place = *word;
            }
        };
        put(self.hash_at(bit), child.hash());
        match child {
            Child::Leaf { leaf, .. } => {
                let at = self.leaf_at(bit);
                put(at, &leaf.key_hash);
                put(at + 1, &leaf.value_hash);
            }
            Child::Internal { version, .. } => {
                let (word, byte) = self.version_at(bit);
                let place = words.get_mut(word).and_then(|word| word.get_mut(byte..)?.first_chunk_mut());
                if let Some(place) = place {
                    *place = version.to_be_bytes();
                }
            }
        }
    }

    /// Hashes the quarters in which a child is another one.
    pub fn hash_quarters(self, words: &mut [Hash; WORDS_MAX], changed: u16) {
        for (quarter, start) in [0u8, 4, 8, 12].into_iter().enumerate() {
            if changed >> start & 0xf == 0 {
                continue;
            }
            let hash = self.settled_hash(words, start, 4).unwrap_or_else(|| {
                inner_hash(&self.range_hash(words, start, 2), &self.range_hash(words, start + 2, 2))
            });
            if let Some(place) = words.get_mut(quarter) {
                *place = hash;
            }
        }
    }

    /// The hash of a range of nibbles, from the quarters' hashes up and from the children's below.
    pub fn range_hash(self, words: &[Hash], start: u8, width: u8) -> Hash {
        if width == 4 {
            return words.get(usize::from(start / 4)).copied().unwrap_or(PLACEHOLDER);
        }
        self.settled_hash(words, start, width).unwrap_or_else(|| {
            let half = width / 2;
            inner_hash(&self.range_hash(words, start, half), &self.range_hash(words, start + half, half))
        })
    }

    /// The hash of a range over which no binary node stands.
    fn settled_hash(self, words: &[Hash], start: u8, width: u8) -> Option<Hash> {
        let settled = self.settled(start, width)?;
        Some(settled.map_or(PLACEHOLDER, |bit| self.child_hash(words, bit)))
    }

    /// A child's hash.
    pub fn child_hash(self, words: &[Hash], bit: u16) -> Hash {
        words.get(self.hash_at(bit)).copied().unwrap_or(PLACEHOLDER)
    }

    /// What stands for a range of nibbles when no binary node does, by its bit: nothing, its only leaf, or the one child that it
    /// is.
    pub fn settled(self, start: u8, width: u8) -> Option<Option<u16>> {
        let mask = u16::MAX >> (16 - width) << start;
        let (present, leaves) = (self.present & mask, self.leaves & mask);
        if present == 0 {
            return Some(None);
        }
        let alone = width == 1 || (count(present) == 1 && leaves != 0);
        alone.then_some(Some(present & present.wrapping_neg()))
    }
}

fn count(bitmap: u16) -> usize {
    bitmap.count_ones() as usize
}

/// How many of a bitmap's bits are below `bit`.
fn before(bitmap: u16, bit: u16) -> usize {
    count(bitmap & bit.wrapping_sub(1))
}

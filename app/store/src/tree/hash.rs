//! The tree's hashes: SHA-256 with the domain separators of the `jmt` crate, whose roots these are.

use sha2::{Digest, Sha256, compress256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// First bytes of what is hashed for a leaf: then follow the key's and the value's hash.
pub const LEAF_SEPARATOR: &[u8; 13] = b"JMT::LeafNode";
/// First bytes of what is hashed for a binary inner node: then follow both children's hashes. One vowel short, to be 16 bytes.
pub const INNER_SEPARATOR: &[u8; 16] = b"JMT::IntrnalNode";
/// Stands for an empty subtree; the root of an empty tree.
pub const PLACEHOLDER: Hash = *b"SPARSE_MERKLE_PLACEHOLDER_HASH__";

/// Plain SHA-256: of keys and of values.
pub fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// A leaf's hash.
pub fn leaf_hash(key_hash: &Hash, value_hash: &Hash) -> Hash {
    let mut image = [0u8; 77];
    image[..13].copy_from_slice(LEAF_SEPARATOR);
    image[13..45].copy_from_slice(key_hash);
    image[45..].copy_from_slice(value_hash);
    sha256(&image)
}

/// SHA-256's initial state.
#[rustfmt::skip]
const INITIAL: [u32; 8] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
];

/// A binary inner node's hash. Its image is always 80 bytes, so both blocks, padding included, are laid out here.
pub fn inner_hash(left: &Hash, right: &Hash) -> Hash {
    let (mut first, mut second) = ([0u8; 64], [0u8; 64]);
    first[..16].copy_from_slice(INNER_SEPARATOR);
    first[16..48].copy_from_slice(left);
    first[48..].copy_from_slice(&right[..16]);
    second[..16].copy_from_slice(&right[16..]);
    second[16] = 0x80;
    second[62..].copy_from_slice(&(80u16 * 8).to_be_bytes());
    let mut state = INITIAL;
    compress256(&mut state, &[first.into(), second.into()]);
    let mut hash = [0u8; 32];
    for (place, word) in hash.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inner_hash_is_the_sha256_of_separator_left_right() {
        let (left, right) = (sha256(b"left"), sha256(b"right"));
        let image = [INNER_SEPARATOR.as_slice(), &left, &right].concat();
        assert_eq!(inner_hash(&left, &right), sha256(&image));
    }
}

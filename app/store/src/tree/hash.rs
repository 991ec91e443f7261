//! The tree's hashes: SHA-256 with the domain separators of the `jmt` crate, whose roots these are.

use sha2::{Digest, Sha256};

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

/// A binary inner node's hash.
pub fn inner_hash(left: &Hash, right: &Hash) -> Hash {
    let mut image = [0u8; 80];
    image[..16].copy_from_slice(INNER_SEPARATOR);
    image[16..48].copy_from_slice(left);
    image[48..].copy_from_slice(right);
    sha256(&image)
}

//! The hash over what a crank changed.

use sha2::{Digest, Sha256};

/// The hash over a crank's net writes. Short pieces are put together first: each call of the hash costs.
pub(super) struct NetHash<'a> {
    hash: Sha256,
    bytes: &'a mut Vec<u8>,
}

/// Bytes that are put together before they are hashed.
const TOGETHER: usize = 4096;

impl<'a> NetHash<'a> {
    /// Begins one, with a buffer to put pieces together in.
    pub(super) fn new(bytes: &'a mut Vec<u8>) -> Self {
        bytes.clear();
        NetHash { hash: Sha256::new(), bytes }
    }

    /// Adds a write: the key's length (8 bytes, big-endian) and bytes, then 0 for a deletion or 1 and the value's length and bytes.
    pub(super) fn write(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.bytes.extend_from_slice(&(key.len() as u64).to_be_bytes());
        self.bytes.extend_from_slice(key);
        match value {
            Some(value) => {
                self.bytes.push(1);
                self.bytes.extend_from_slice(&(value.len() as u64).to_be_bytes());
                if value.len() < TOGETHER {
                    self.bytes.extend_from_slice(value);
                } else {
                    self.hash_bytes();
                    self.hash.update(value);
                }
            }
            None => self.bytes.push(0),
        }
        if self.bytes.len() >= TOGETHER {
            self.hash_bytes();
        }
    }

    fn hash_bytes(&mut self) {
        self.hash.update(&self.bytes);
        self.bytes.clear();
    }

    /// The hash over all writes.
    pub(super) fn finish(mut self) -> [u8; 32] {
        self.hash_bytes();
        self.hash.finalize().into()
    }
}

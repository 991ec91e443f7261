//! Stored tree nodes, through a cache; each is checked against the hash that its parent has when it comes from disk.

use std::{
    hash::{BuildHasherDefault, Hasher},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Column, Database, generations::Generations};
use crate::{
    StoreError,
    tree::{Hash, InternalNode, NodeKey, NodeReader},
};

/// What an entry costs beside its node: key, pointers, table slack.
const ENTRY_BYTES: usize = 128;

/// Parts of the cache, by the first nibble of the path: an update reads both halves of the tree at once.
const SHARDS: usize = 16;

type Shard = Generations<NodeKey, InternalNode, BuildHasherDefault<NodeKeyHasher>>;

/// Decoded nodes of committed versions. Nodes of a stage that is not committed must never come here: another stage of the same
/// version may give the same key to another node.
#[derive(Debug)]
pub struct NodeCache([Mutex<Shard>; SHARDS]);

impl NodeCache {
    /// An empty cache for at most `budget` bytes.
    pub fn new(budget: usize) -> Self {
        NodeCache(std::array::from_fn(|_| Mutex::new(Generations::new(budget / SHARDS))))
    }

    /// Takes in what a commit has made, and drops what it has replaced.
    pub fn update(&self, stale: &[NodeKey], fresh: Vec<(NodeKey, InternalNode)>) {
        for key in stale {
            self.shard(key).remove(key);
        }
        for (key, node) in fresh {
            let bytes = node.footprint() + ENTRY_BYTES;
            self.shard(&key).insert(key, node, bytes);
        }
    }

    fn shard(&self, key: &NodeKey) -> MutexGuard<'_, Shard> {
        let [first, ..] = &self.0;
        let shard = self.0.get(usize::from(key.path.first_nibble())).unwrap_or(first);
        // Nothing between lock and unlock can panic half-way through a change.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Spreads the one number that a node key hashes to. Paths are heads of SHA-256 digests, so there is little to spread.
#[derive(Debug, Default)]
pub struct NodeKeyHasher(u64);

impl Hasher for NodeKeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        // Both halves of the product: the table takes its place from the low bits and its tag from the high ones.
        let product = u128::from(self.0.rotate_left(32) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let [high, low] = [product >> 64, product & u128::from(u64::MAX)];
        self.0 = u64::try_from(high ^ low).unwrap_or_default();
    }
}

/// Reads nodes of committed versions.
#[derive(Clone, Copy, Debug)]
pub struct Nodes<'a> {
    /// The database.
    pub db: &'a Database,
    /// Decoded nodes.
    pub cache: &'a NodeCache,
}

impl NodeReader for Nodes<'_> {
    type Error = StoreError;

    fn node(&self, key: &NodeKey, hash: &Hash) -> Result<InternalNode, StoreError> {
        if let Some(node) = self.cache.shard(key).get(key) {
            return Ok(node);
        }
        let node = Stored(self.db).node(key, hash)?;
        let bytes = node.footprint() + ENTRY_BYTES;
        self.cache.shard(key).insert(*key, node.clone(), bytes);
        Ok(node)
    }
}

/// Reads nodes of committed versions past the cache, which a walk over all of them would empty of what blocks use.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a>(pub &'a Database);

impl NodeReader for Stored<'_> {
    type Error = StoreError;

    fn node(&self, key: &NodeKey, hash: &Hash) -> Result<InternalNode, StoreError> {
        let bytes = self.0.get(Column::Nodes, &key.encode())?;
        let bytes = bytes.ok_or_else(|| StoreError::corrupt(format!("tree node {key:?} is missing")))?;
        let node = InternalNode::decode(&bytes).filter(|node| node.hash() == *hash);
        node.ok_or_else(|| StoreError::corrupt(format!("tree node {key:?} has other bytes")))
    }
}

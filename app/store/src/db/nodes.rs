//! Stored tree nodes, through a cache; each is checked against the hash that its parent has when it comes from disk.

use std::{
    hash::{BuildHasherDefault, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Column, Database, generations::Generations};
use crate::{
    StoreError,
    tree::{Hash, InternalNode, NodeKey, NodeReader},
};

/// What an entry costs beside its node: key, pointers, table slack.
const ENTRY_BYTES: usize = 128;

/// Decoded nodes of committed versions. Nodes of a stage that is not committed must never come here: another stage of the same
/// version may give the same key to another node.
#[derive(Debug)]
pub struct NodeCache(Mutex<Generations<NodeKey, Arc<InternalNode>, BuildHasherDefault<NodeKeyHasher>>>);

impl NodeCache {
    /// An empty cache for at most `budget` bytes.
    pub fn new(budget: usize) -> Self {
        NodeCache(Mutex::new(Generations::new(budget)))
    }

    /// Takes in what a commit has made, and drops what it has replaced.
    pub fn update(&self, stale: &[NodeKey], fresh: Vec<(NodeKey, Arc<InternalNode>)>) {
        let mut cache = self.lock();
        stale.iter().for_each(|key| cache.remove(key));
        for (key, node) in fresh {
            let bytes = node.footprint() + ENTRY_BYTES;
            cache.insert(key, node, bytes);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Generations<NodeKey, Arc<InternalNode>, BuildHasherDefault<NodeKeyHasher>>> {
        // Nothing between lock and unlock can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn node(&self, key: &NodeKey, hash: &Hash) -> Result<Arc<InternalNode>, StoreError> {
        if let Some(node) = self.cache.lock().get(key) {
            return Ok(node);
        }
        let bytes = self.db.get(Column::Nodes, &key.encode())?;
        let bytes = bytes.ok_or_else(|| StoreError::corrupt(format!("tree node {key:?} is missing")))?;
        let node = InternalNode::decode(&bytes).filter(|node| node.hash() == *hash);
        let node = Arc::new(node.ok_or_else(|| StoreError::corrupt(format!("tree node {key:?} has other bytes")))?);
        let bytes = node.footprint() + ENTRY_BYTES;
        self.cache.lock().insert(*key, node.clone(), bytes);
        Ok(node)
    }
}

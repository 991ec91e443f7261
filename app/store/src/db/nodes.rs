//! Stored tree nodes, through the cache; each is checked against the hash that its parent has when it comes from disk.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Column, Database, NodeCache};
use crate::{
    StoreError,
    tree::{Hash, InternalNode, NodeKey, NodeReader},
};

/// Reads nodes of committed versions.
#[derive(Clone, Copy, Debug)]
pub struct Nodes<'a> {
    /// The database.
    pub db: &'a Database,
    /// Decoded nodes.
    pub cache: &'a Mutex<NodeCache>,
}

impl NodeReader for Nodes<'_> {
    type Error = StoreError;

    fn node(&self, key: &NodeKey, hash: &Hash) -> Result<Arc<InternalNode>, StoreError> {
        // A holder of this lock cannot leave the cache half-changed in a way that matters: it only holds immutable nodes.
        if let Some(node) = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Ok(node);
        }
        let bytes = self.db.get(Column::Nodes, &key.encode())?;
        let bytes = bytes.ok_or_else(|| StoreError::corrupt(format!("tree node {key:?} is missing")))?;
        let node = InternalNode::decode(&bytes).filter(|node| node.hash() == *hash);
        let node = Arc::new(node.ok_or_else(|| StoreError::corrupt(format!("tree node {key:?} has other bytes")))?);
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(*key, node.clone());
        Ok(node)
    }
}

//! A bounded cache of decoded tree nodes: two generations, the older dropped whole when the younger is half the budget.
//! Upper levels, touched in every block, are always in the younger.

#[expect(clippy::disallowed_types, reason = "looked up by key only: its order is never seen")]
use std::collections::HashMap;
use std::sync::Arc;

use crate::tree::{InternalNode, NodeKey};

/// What an entry costs beside its node: key, pointers, table slack.
const ENTRY_BYTES: usize = 96;

/// The cache.
#[derive(Debug)]
#[expect(clippy::disallowed_types, reason = "looked up by key only: its order is never seen")]
pub struct NodeCache {
    young: HashMap<NodeKey, Arc<InternalNode>>,
    old: HashMap<NodeKey, Arc<InternalNode>>,
    young_bytes: usize,
    half_budget: usize,
}

impl NodeCache {
    /// An empty cache for at most `budget` bytes.
    pub fn new(budget: usize) -> Self {
        NodeCache {
            young: Default::default(),
            old: Default::default(),
            young_bytes: 0,
            half_budget: budget / 2,
        }
    }

    /// Looks a node up.
    pub fn get(&mut self, key: &NodeKey) -> Option<Arc<InternalNode>> {
        if let Some(node) = self.young.get(key) {
            return Some(node.clone());
        }
        let node = self.old.remove(key)?;
        self.insert(*key, node.clone());
        Some(node)
    }

    /// Adds a committed node. Nodes of a stage that is not committed must never come here: another stage of the same version
    /// may give the same key to another node.
    pub fn insert(&mut self, key: NodeKey, node: Arc<InternalNode>) {
        let bytes = node.footprint() + ENTRY_BYTES;
        if self.young_bytes + bytes > self.half_budget {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if bytes <= self.half_budget && self.young.insert(key, node).is_none() {
            self.young_bytes += bytes;
        }
    }

    /// Drops a node that the committed version does not use any more.
    pub fn remove(&mut self, key: &NodeKey) {
        if let Some(node) = self.young.remove(key) {
            self.young_bytes = self.young_bytes.saturating_sub(node.footprint() + ENTRY_BYTES);
        } else {
            self.old.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Child, NibblePath};

    fn key(version: u64) -> NodeKey {
        NodeKey {
            version,
            path: NibblePath::default(),
        }
    }

    fn node() -> Arc<InternalNode> {
        let mut node = InternalNode::with_capacity(1);
        node.push(
            0,
            Child::Internal {
                hash: [0; 32],
                version: 0,
            },
        );
        Arc::new(node)
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_goes_within_the_budget() {
        let each = node().footprint() + ENTRY_BYTES;
        let mut cache = NodeCache::new(each * 20);
        for version in 0..100 {
            cache.insert(key(version), node());
            assert!(cache.get(&key(0)).is_some(), "used after every insertion, at {version}");
            assert!(cache.young.len() + cache.old.len() <= 20);
        }
        assert!(cache.get(&key(1)).is_none());
        assert!(cache.get(&key(99)).is_some());
        cache.remove(&key(99));
        assert!(cache.get(&key(99)).is_none());
    }
}

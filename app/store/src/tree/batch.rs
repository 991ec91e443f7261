//! The update of a whole block at once: every changed node is read once, rebuilt once and hashed once.

use std::sync::Arc;

use super::{Child, Hash, InternalNode, Leaf, NibblePath, NodeKey, NodeReader, nibble::nibble_at, node::root_hash};

/// One key's change: a new value hash, or `None` for its deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// SHA-256 of the key.
    pub key_hash: Hash,
    /// SHA-256 of the new value.
    pub value_hash: Option<Hash>,
}

/// What an update makes of a tree.
#[derive(Debug)]
pub struct TreeBatch {
    /// The new root.
    pub root: Option<Child>,
    /// Its hash.
    pub root_hash: Hash,
    /// New nodes, all of the new version.
    pub fresh: Vec<(NodeKey, Arc<InternalNode>)>,
    /// Nodes that the new version does not use any more.
    pub stale: Vec<NodeKey>,
}

/// Applies `updates` (ascending by key hash, each key once) to the tree under `root`, as `version`.
///
/// # Errors
/// The reader's, and those of a damaged tree.
pub fn update<R: NodeReader>(
    reader: &R,
    root: Option<&Child>,
    version: u64,
    updates: &[Update],
) -> Result<TreeBatch, R::Error> {
    debug_assert!(
        updates.is_sorted_by(|a, b| a.key_hash < b.key_hash),
        "updates ascend by key hash, each key once"
    );
    let mut run = Run {
        reader,
        version,
        fresh: Vec::with_capacity(updates.len()),
        stale: Vec::with_capacity(updates.len()),
    };
    let root = run.subtree(root, NibblePath::default(), updates)?;
    Ok(TreeBatch {
        root,
        root_hash: root_hash(root.as_ref()),
        fresh: run.fresh,
        stale: run.stale,
    })
}

struct Run<'a, R> {
    reader: &'a R,
    version: u64,
    fresh: Vec<(NodeKey, Arc<InternalNode>)>,
    stale: Vec<NodeKey>,
}

impl<R: NodeReader> Run<'_, R> {
    fn subtree(
        &mut self,
        old: Option<&Child>,
        path: NibblePath,
        updates: &[Update],
    ) -> Result<Option<Child>, R::Error> {
        match old {
            None => self.build(path, &puts(updates)),
            Some(Child::Leaf { leaf, .. }) => self.beside_leaf(leaf, old, path, updates),
            Some(Child::Internal { hash, version }) => self.internal(
                NodeKey {
                    version: *version,
                    path,
                },
                hash,
                updates,
            ),
        }
    }

    /// Updates where one leaf stands: it is overwritten, deleted, or joined by others.
    fn beside_leaf(
        &mut self,
        leaf: &Leaf,
        old: Option<&Child>,
        path: NibblePath,
        updates: &[Update],
    ) -> Result<Option<Child>, R::Error> {
        if let [only] = updates {
            if only.key_hash == leaf.key_hash {
                return Ok(match only.value_hash {
                    Some(value_hash) if value_hash == leaf.value_hash => old.copied(),
                    Some(value_hash) => Some(Child::leaf(Leaf {
                        key_hash: leaf.key_hash,
                        value_hash,
                    })),
                    None => None,
                });
            }
            if only.value_hash.is_none() {
                return Ok(old.copied());
            }
        }
        let mut leaves = puts(updates);
        if let Err(place) = updates.binary_search_by(|update| update.key_hash.cmp(&leaf.key_hash)) {
            let place = updates
                .iter()
                .take(place)
                .filter(|update| update.value_hash.is_some())
                .count();
            leaves.insert(place, *leaf);
        }
        self.build(path, &leaves)
    }

    fn internal(&mut self, key: NodeKey, hash: &Hash, updates: &[Update]) -> Result<Option<Child>, R::Error> {
        let node = self.reader.node(&key, hash)?;
        let mut rebuilt = InternalNode::with_capacity(node.len() + 1);
        let mut changed = false;
        let mut rest = updates;
        for nibble in 0..16 {
            let (group, after) = split_nibble(rest, key.path.len(), nibble, |update| &update.key_hash)?;
            rest = after;
            let old = node.get(nibble);
            let child = if group.is_empty() {
                old.copied()
            } else {
                self.subtree(old, key.path.child(nibble)?, group)?
            };
            changed |= child.as_ref() != old;
            if let Some(child) = child {
                rebuilt.push(nibble, child);
            }
        }
        if !changed {
            return Ok(Some(Child::Internal {
                hash: *hash,
                version: key.version,
            }));
        }
        self.stale.push(key);
        Ok(self.place(key.path, rebuilt))
    }

    /// The subtree of these leaves (ascending), where nothing stood before.
    fn build(&mut self, path: NibblePath, leaves: &[Leaf]) -> Result<Option<Child>, R::Error> {
        match leaves {
            [] => return Ok(None),
            [leaf] => return Ok(Some(Child::leaf(*leaf))),
            _ => {}
        }
        let mut node = InternalNode::with_capacity(leaves.len().min(16));
        let mut rest = leaves;
        for nibble in 0..16 {
            let (group, after) = split_nibble(rest, path.len(), nibble, |leaf| &leaf.key_hash)?;
            rest = after;
            if !group.is_empty()
                && let Some(child) = self.build(path.child(nibble)?, group)?
            {
                node.push(nibble, child);
            }
        }
        Ok(self.place(path, node))
    }

    /// Keeps a rebuilt node, unless it is empty or over a single leaf.
    fn place(&mut self, path: NibblePath, node: InternalNode) -> Option<Child> {
        if node.len() == 0 {
            return None;
        }
        if let Some(leaf) = node.lone_leaf() {
            return Some(*leaf);
        }
        let child = Child::Internal {
            hash: node.hash(),
            version: self.version,
        };
        self.fresh.push((
            NodeKey {
                version: self.version,
                path,
            },
            Arc::new(node),
        ));
        Some(child)
    }
}

fn puts(updates: &[Update]) -> Vec<Leaf> {
    let put = |update: &Update| {
        update.value_hash.map(|value_hash| Leaf {
            key_hash: update.key_hash,
            value_hash,
        })
    };
    updates.iter().filter_map(put).collect()
}

/// Splits off the leading items whose nibble at `depth` is `nibble`.
fn split_nibble<T>(
    items: &[T],
    depth: u8,
    nibble: u8,
    key_hash: impl Fn(&T) -> &Hash,
) -> Result<(&[T], &[T]), super::TreeError> {
    let mut end = 0;
    for item in items {
        if nibble_at(key_hash(item), depth)? != nibble {
            break;
        }
        end += 1;
    }
    Ok(items.split_at(end))
}

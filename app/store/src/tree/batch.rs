//! The update of a whole block at once: every changed node is read once, rebuilt once and hashed once.

use super::{
    Child, Hash, InternalNode, Leaf, NibblePath, NodeKey, NodeReader, nibble::nibble_at, node::Slots, root_hash,
};

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
    /// New nodes, all of the new version, in the order of their keys.
    pub fresh: Vec<(NodeKey, InternalNode)>,
    /// Nodes that the new version does not use any more, in the order of their paths.
    pub stale: Vec<NodeKey>,
}

/// The least key hash of the root's second half.
const HIGH_HALF: Hash = {
    let mut hash = [0; 32];
    hash[0] = 0x80;
    hash
};

/// From this many updates on, both halves of the tree are worked on at once.
const SPLIT_MIN: usize = 512;

/// Applies `updates` (ascending by key hash, each key once) to the tree under `root`, as `version`. A large update uses two
/// threads; what it makes does not depend on them.
///
/// # Errors
/// The reader's, and those of a damaged tree.
pub fn update<R>(reader: &R, root: Option<&Child>, version: u64, updates: &[Update]) -> Result<TreeBatch, R::Error>
where
    R: NodeReader + Sync,
    R::Error: Send,
{
    debug_assert!(updates.is_sorted_by(|a, b| a.key_hash < b.key_hash), "updates ascend by key hash, each key once");
    let mut run = Run::new(reader, version);
    let root = match root {
        Some(Child::Internal { hash, version }) if updates.len() >= SPLIT_MIN => run.halves(*version, hash, updates)?,
        _ => run.subtree(root, NibblePath::default(), updates)?,
    };
    Ok(TreeBatch {
        root,
        root_hash: root_hash(root.as_ref()),
        fresh: run.fresh.into_vec(),
        stale: run.stale.into_vec(),
    })
}

/// A child that is another one now, by its nibble.
type Changed = (u8, Option<Child>);

struct Run<'a, R> {
    reader: &'a R,
    version: u64,
    fresh: ByDepth<(NodeKey, InternalNode)>,
    stale: ByDepth<NodeKey>,
    /// Changed children of the nodes on the way down, the deepest node's last.
    changed: Vec<Changed>,
}

impl<R> Run<'_, R>
where
    R: NodeReader + Sync,
    R::Error: Send,
{
    /// The root's children 0 to 7 and 8 to 15, each half on its own thread.
    fn halves(&mut self, version: u64, hash: &Hash, updates: &[Update]) -> Result<Option<Child>, R::Error> {
        let key = NodeKey { version, path: NibblePath::default() };
        let node = self.reader.node(&key, hash)?;
        let (low, high) = updates.split_at(updates.partition_point(|update| update.key_hash < HIGH_HALF));
        let mut other = Run::new(self.reader, self.version);
        let (old, path) = (&node, key.path);
        let (in_low, in_high) = std::thread::scope(|scope| {
            let high = scope.spawn(|| other.children(old, path, high));
            let low = self.children(old, path, low);
            // A panic of the other thread is one of this.
            (low, high.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        in_low.and(in_high)?;
        self.fresh.append(other.fresh);
        self.stale.append(other.stale);
        self.changed.append(&mut other.changed);
        Ok(self.replace(key, hash, &node, 0))
    }
}

impl<'a, R: NodeReader> Run<'a, R> {
    fn new(reader: &'a R, version: u64) -> Self {
        Run { reader, version, fresh: ByDepth::default(), stale: ByDepth::default(), changed: Vec::new() }
    }

    fn subtree(
        &mut self,
        old: Option<&Child>,
        path: NibblePath,
        updates: &[Update],
    ) -> Result<Option<Child>, R::Error> {
        match old {
            None => self.build(path, &puts(updates)),
            Some(Child::Leaf { leaf, .. }) => self.beside_leaf(leaf, old, path, updates),
            Some(Child::Internal { hash, version }) => {
                self.internal(NodeKey { version: *version, path }, hash, updates)
            }
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
                    Some(value_hash) => Some(Child::leaf(Leaf { key_hash: leaf.key_hash, value_hash })),
                    None => None,
                });
            }
            if only.value_hash.is_none() {
                return Ok(old.copied());
            }
        }
        let mut leaves = puts(updates);
        if let Err(place) = updates.binary_search_by(|update| update.key_hash.cmp(&leaf.key_hash)) {
            let place = updates.iter().take(place).filter(|update| update.value_hash.is_some()).count();
            leaves.insert(place, *leaf);
        }
        self.build(path, &leaves)
    }

    fn internal(&mut self, key: NodeKey, hash: &Hash, updates: &[Update]) -> Result<Option<Child>, R::Error> {
        let node = self.reader.node(&key, hash)?;
        let start = self.changed.len();
        self.children(&node, key.path, updates)?;
        Ok(self.replace(key, hash, &node, start))
    }

    /// Updates a node's children. Those that are others then are put to the changed ones.
    fn children(&mut self, node: &InternalNode, path: NibblePath, updates: &[Update]) -> Result<(), R::Error> {
        let mut rest = updates;
        while let Some(first) = rest.first() {
            let nibble = nibble_at(&first.key_hash, path.depth())?;
            let (group, after) = split_nibble(rest, path.depth(), nibble, |update| &update.key_hash)?;
            rest = after;
            let old = node.get(nibble);
            let new = self.subtree(old.as_ref(), path.child(nibble)?, group)?;
            if new != old {
                self.changed.push((nibble, new));
            }
        }
        Ok(())
    }

    /// The node at `key` with its children changed as the list has it from `start` on.
    fn replace(&mut self, key: NodeKey, hash: &Hash, node: &InternalNode, start: usize) -> Option<Child> {
        let changed = self.changed.get(start..).unwrap_or_default();
        if changed.is_empty() {
            return Some(Child::Internal { hash: *hash, version: key.version });
        }
        self.stale.push(key.path.depth(), key);
        if let Some(new) = node.with(changed) {
            self.changed.truncate(start);
            return Some(self.keep(key.path, new));
        }
        let mut slots = node.slots();
        for (nibble, child) in self.changed.drain(start..) {
            if let Some(slot) = slots.get_mut(usize::from(nibble)) {
                *slot = child;
            }
        }
        self.place(key.path, &slots)
    }

    /// The subtree of these leaves (ascending), where nothing stood before.
    fn build(&mut self, path: NibblePath, leaves: &[Leaf]) -> Result<Option<Child>, R::Error> {
        match leaves {
            [] => return Ok(None),
            [leaf] => return Ok(Some(Child::leaf(*leaf))),
            _ => {}
        }
        let mut slots = Slots::default();
        let mut rest = leaves;
        for (nibble, slot) in (0..16).zip(&mut slots) {
            let (group, after) = split_nibble(rest, path.depth(), nibble, |leaf| &leaf.key_hash)?;
            rest = after;
            if !group.is_empty() {
                *slot = self.build(path.child(nibble)?, group)?;
            }
        }
        Ok(self.place(path, &slots))
    }

    /// Keeps a node of these children, unless it is empty or over a single leaf.
    fn place(&mut self, path: NibblePath, slots: &Slots) -> Option<Child> {
        let mut children = slots.iter().flatten();
        match (children.next(), children.next()) {
            (None, _) => None,
            (Some(leaf @ Child::Leaf { .. }), None) => Some(*leaf),
            _ => Some(self.keep(path, InternalNode::new(slots))),
        }
    }

    fn keep(&mut self, path: NibblePath, node: InternalNode) -> Child {
        let child = Child::Internal { hash: node.hash(), version: self.version };
        self.fresh.push(path.depth(), (NodeKey { version: self.version, path }, node));
        child
    }
}

/// Items of nodes by the depth of these. Nodes of one depth are come by in the order of their paths, and paths sort by their length
/// first: put one after another, the depths are in order with nothing sorted.
struct ByDepth<T>(Vec<Vec<T>>);

impl<T> Default for ByDepth<T> {
    fn default() -> Self {
        ByDepth(Vec::new())
    }
}

impl<T> ByDepth<T> {
    fn push(&mut self, depth: u8, item: T) {
        let depth = usize::from(depth);
        if self.0.len() <= depth {
            self.0.resize_with(depth + 1, Vec::new);
        }
        if let Some(items) = self.0.get_mut(depth) {
            items.push(item);
        }
    }

    /// Puts items of greater paths behind, depth by depth.
    fn append(&mut self, other: Self) {
        if self.0.len() < other.0.len() {
            self.0.resize_with(other.0.len(), Vec::new);
        }
        for (items, mut more) in self.0.iter_mut().zip(other.0) {
            items.append(&mut more);
        }
    }

    fn into_vec(self) -> Vec<T> {
        let mut all = Vec::with_capacity(self.0.iter().map(Vec::len).sum());
        self.0.into_iter().for_each(|mut items| all.append(&mut items));
        all
    }
}

fn puts(updates: &[Update]) -> Vec<Leaf> {
    let put = |update: &Update| update.value_hash.map(|value_hash| Leaf { key_hash: update.key_hash, value_hash });
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

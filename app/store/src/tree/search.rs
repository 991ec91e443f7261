//! Ways down a stored tree, for proofs: the siblings beside a leaf's path, and a key's neighbours.

use super::{Child, Hash, Leaf, NibblePath, NodeKey, NodeReader, TreeError, hash::inner_hash, nibble::nibble_at};

/// Where the path of a key hash ends, and what stands beside it.
#[derive(Debug)]
pub struct Descent {
    /// The leaf at the end: the key's own, or another's, or none.
    pub leaf: Option<Leaf>,
    /// Hashes beside the path in the binary tree, the root's children first.
    pub siblings: Vec<Hash>,
}

/// Follows a key hash down to where its leaf is or would be.
///
/// # Errors
/// The reader's, and those of a damaged tree.
pub fn descend<R: NodeReader>(reader: &R, root: Option<&Child>, key_hash: &Hash) -> Result<Descent, R::Error> {
    let mut siblings = Vec::new();
    let mut path = NibblePath::default();
    let mut at = root.copied();
    loop {
        let (hash, version) = match at {
            None => return Ok(Descent { leaf: None, siblings }),
            Some(Child::Leaf { leaf, .. }) => {
                return Ok(Descent { leaf: Some(leaf), siblings });
            }
            Some(Child::Internal { hash, version }) => (hash, version),
        };
        let node = reader.node(&NodeKey { version, path }, &hash)?;
        let nibble = nibble_at(key_hash, path.depth())?;
        let mut width = 8;
        at = loop {
            let start = nibble & !(width - 1);
            siblings.push(node.range_hash(start ^ width, width));
            if let Some(child) = node.settled_child(start, width) {
                break child;
            }
            width /= 2;
        };
        path = path.child(nibble)?;
    }
}

/// Which neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The greatest key hash below.
    Left,
    /// The least key hash above.
    Right,
}

/// The leaf next to `key_hash`, on one side, the key's own leaf excluded.
///
/// # Errors
/// The reader's, and those of a damaged tree.
pub fn neighbour<R: NodeReader>(
    reader: &R,
    root: Option<&Child>,
    key_hash: &Hash,
    side: Side,
) -> Result<Option<Leaf>, R::Error> {
    match root {
        Some(root) => beside(reader, root, NibblePath::default(), key_hash, side),
        None => Ok(None),
    }
}

fn beside<R: NodeReader>(
    reader: &R,
    at: &Child,
    path: NibblePath,
    key_hash: &Hash,
    side: Side,
) -> Result<Option<Leaf>, R::Error> {
    let (hash, version) = match at {
        Child::Leaf { leaf, .. } => {
            let beyond = match side {
                Side::Left => leaf.key_hash < *key_hash,
                Side::Right => leaf.key_hash > *key_hash,
            };
            return Ok(beyond.then_some(*leaf));
        }
        Child::Internal { hash, version } => (hash, *version),
    };
    let node = reader.node(&NodeKey { version, path }, hash)?;
    let nibble = nibble_at(key_hash, path.depth())?;
    if let Some(child) = node.get(nibble)
        && let Some(leaf) = beside(reader, &child, path.child(nibble)?, key_hash, side)?
    {
        return Ok(Some(leaf));
    }
    let next = match side {
        Side::Left => (0..nibble).rev().find_map(|n| Some((n, node.get(n)?))),
        Side::Right => (nibble + 1..16).find_map(|n| Some((n, node.get(n)?))),
    };
    match next {
        Some((n, child)) => extreme(reader, &child, path.child(n)?, side).map(Some),
        None => Ok(None),
    }
}

/// The leaf of a subtree that is nearest to a key on the other side of it: its last when the subtree is to the left.
fn extreme<R: NodeReader>(reader: &R, at: &Child, mut path: NibblePath, side: Side) -> Result<Leaf, R::Error> {
    let mut at = *at;
    loop {
        let (hash, version) = match at {
            Child::Leaf { leaf, .. } => return Ok(leaf),
            Child::Internal { hash, version } => (hash, version),
        };
        let node = reader.node(&NodeKey { version, path }, &hash)?;
        let mut nibbles: Box<dyn Iterator<Item = u8>> = match side {
            Side::Left => Box::new((0..16).rev()),
            Side::Right => Box::new(0..16),
        };
        let (nibble, child) = nibbles.find_map(|n| Some((n, node.get(n)?))).ok_or(TreeError::NoLeaf)?;
        path = path.child(nibble)?;
        at = child;
    }
}

/// The keys of a tree, counted leaf by leaf. Every node is read.
///
/// # Errors
/// The reader's, and those of a damaged tree.
pub fn count_leaves<R: NodeReader>(reader: &R, root: Option<&Child>) -> Result<u64, R::Error> {
    let mut leaves = 0u64;
    let mut waiting: Vec<(Child, NibblePath)> = root.map(|root| (*root, NibblePath::default())).into_iter().collect();
    while let Some((child, path)) = waiting.pop() {
        match child {
            Child::Leaf { .. } => leaves = leaves.saturating_add(1),
            Child::Internal { hash, version } => {
                let node = reader.node(&NodeKey { version, path }, &hash)?;
                for nibble in 0..16 {
                    if let Some(child) = node.get(nibble) {
                        waiting.push((child, path.child(nibble)?));
                    }
                }
            }
        }
    }
    Ok(leaves)
}

/// The root that a leaf and the siblings beside its path lead to: what a light client computes.
pub fn root_of(leaf: &Leaf, siblings: &[Hash]) -> Hash {
    let mut hash = *Child::leaf(*leaf).hash();
    for (depth, sibling) in siblings.iter().enumerate().rev() {
        hash = if bit_at(&leaf.key_hash, depth) { inner_hash(sibling, &hash) } else { inner_hash(&hash, sibling) };
    }
    hash
}

/// Bit `depth` of a key hash, the highest first: set when the path goes right.
pub fn bit_at(key_hash: &Hash, depth: usize) -> bool {
    key_hash.get(depth / 8).is_some_and(|byte| byte >> (7 - depth % 8) & 1 == 1)
}

//! A view as the entries of the stream.

use bytes::Bytes;
use swing_core::state::{StateRead, UNHASHED, prefix_end};

use super::SnapshotError;
use crate::{
    StoreError, View,
    db::{Column, Stored},
    proof::committed_value,
    tree::{Child, Leaf, NibblePath, NodeKey, NodeReader, sha256},
};

/// Visits every key of a version: those in the tree in the order of its leaves, each checked against it, then the others in byte
/// order.
pub fn entries(
    view: &View,
    mut visit: impl FnMut(&[u8], &Bytes) -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    let nodes = Stored(&view.shared().db);
    let mut waiting: Vec<(Child, NibblePath)> =
        view.root().map(|root| (*root, NibblePath::default())).into_iter().collect();
    while let Some((child, path)) = waiting.pop() {
        match child {
            Child::Leaf { leaf, .. } => {
                let (key, value) = read(view, &leaf)?;
                visit(&key, &value)?;
            }
            Child::Internal { hash, version } => {
                let node = nodes.node(&NodeKey { version, path }, &hash)?;
                for nibble in (0..16).rev() {
                    if let Some(child) = node.get(nibble) {
                        waiting.push((child, path.child(nibble).map_err(StoreError::from)?));
                    }
                }
            }
        }
    }
    for entry in view.range(&[UNHASHED], prefix_end(&[UNHASHED]).as_deref()) {
        let (key, value) = entry?;
        visit(&key, &value)?;
    }
    Ok(())
}

/// A leaf's key and value, which must be those that its hashes are of.
fn read(view: &View, leaf: &Leaf) -> Result<(Vec<u8>, Bytes), StoreError> {
    let key = view.shared().db.get(Column::Keys, &leaf.key_hash)?.map(|key| key.to_vec());
    let key = key.filter(|key| sha256(key) == leaf.key_hash);
    let key = key.ok_or_else(|| StoreError::corrupt("the key of a leaf of the tree is missing"))?;
    let value = view.read_past_cache(&key)?.filter(|value| sha256(&committed_value(value)) == leaf.value_hash);
    let damaged = || StoreError::corrupt(format!("the value of key {} is not the one in the tree", key.escape_ascii()));
    let value = value.ok_or_else(damaged)?;
    Ok((key, value))
}

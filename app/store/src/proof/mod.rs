//! ICS-23 proofs of presence and absence, made from the tree and checked against the root before they are handed out.
//!
//! # What a light client needs
//! The proof bytes are an `ics23.CommitmentProof` with `exist` or `nonexist`; [`proof_spec`] is the encoded `ics23.ProofSpec` to
//! verify it with, equal to `jmt::ics23_spec()`:
//! - leaf: SHA-256 of `JMT::LeafNode` ‖ SHA-256(key) ‖ SHA-256(value), no length prefix;
//! - inner: SHA-256 of `JMT::IntrnalNode` ‖ left ‖ right, binary, children of 32 bytes; the empty child is
//!   `SPARSE_MERKLE_PLACEHOLDER_HASH__`;
//! - keys are compared by their SHA-256 (`prehash_key_before_comparison`).
//!
//! Committed values: ICS-23 cannot prove an empty value. State can hold one, and it is not absence; in the tree and in proofs it
//! stands as [`EMPTY_VALUE`]. A value that is itself one or more repetitions of [`EMPTY_VALUE`] stands with one repetition more, so
//! no two values share a proof. Every other value stands as it is.

mod messages;

use bytes::Bytes;
use prost::Message;

use crate::{
    StoreError, View,
    db::Column,
    tree::{Descent, Hash, Leaf, NodeReader, Side, bit_at, descend, neighbour, root_of, sha256},
};
use messages::{CommitmentProof, ExistenceProof, InnerOp, NonExistenceProof, Proof};

pub use messages::proof_spec;

/// What stands for the empty value in the tree.
pub const EMPTY_VALUE: &[u8; 20] = b"swing/empty-value/v1";

/// The value as it is hashed and proved.
pub fn committed_value(value: &Bytes) -> Bytes {
    let blocks = value.chunks_exact(EMPTY_VALUE.len());
    if !blocks.remainder().is_empty() || !blocks.clone().all(|block| block == EMPTY_VALUE) {
        return value.clone();
    }
    [value.as_ref(), EMPTY_VALUE].concat().into()
}

/// The value at a key in a view, with the encoded proof.
pub(crate) fn prove(view: &View, key: &[u8]) -> Result<(Option<Bytes>, Vec<u8>), StoreError> {
    let value = view.read(key)?;
    let proof = match &value {
        Some(value) => Proof::Exist(existence(view, key.to_vec(), value)?),
        None => Proof::Nonexist(absence(view, key)?),
    };
    Ok((value, CommitmentProof { proof: Some(proof) }.encode_to_vec()))
}

fn existence(view: &View, key: Vec<u8>, value: &Bytes) -> Result<ExistenceProof, StoreError> {
    let leaf = Leaf { key_hash: sha256(&key), value_hash: sha256(&committed_value(value)) };
    let nodes = view.shared().nodes();
    let Descent { leaf: found, siblings } = descend(&nodes, view.root(), &leaf.key_hash)?;
    if found != Some(leaf) || root_of(&leaf, &siblings) != view.root_hash() {
        let what = format!("the value at {} is not the one in the tree", key.escape_ascii());
        return Err(StoreError::corrupt(what));
    }
    let path = siblings.iter().enumerate().rev().map(|(depth, sibling)| step(&leaf.key_hash, depth, sibling)).collect();
    Ok(ExistenceProof { key, value: committed_value(value).into(), leaf: Some(messages::leaf_op()), path })
}

fn step(key_hash: &Hash, depth: usize, sibling: &Hash) -> InnerOp {
    if bit_at(key_hash, depth) { messages::inner_op(sibling, &[]) } else { messages::inner_op(&[], sibling) }
}

fn absence(view: &View, key: &[u8]) -> Result<NonExistenceProof, StoreError> {
    if view.root().is_none() {
        return Err(StoreError::EmptyTree { version: view.version() });
    }
    let key_hash = sha256(key);
    let nodes = view.shared().nodes();
    if descend(&nodes, view.root(), &key_hash)?.leaf.is_some_and(|leaf| leaf.key_hash == key_hash) {
        let what = format!("{} is in the tree, but has no value", key.escape_ascii());
        return Err(StoreError::corrupt(what));
    }
    let left = beside(view, &nodes, &key_hash, Side::Left)?;
    let right = beside(view, &nodes, &key_hash, Side::Right)?;
    Ok(NonExistenceProof { key: key.to_vec(), left, right })
}

fn beside(
    view: &View,
    nodes: &impl NodeReader<Error = StoreError>,
    key_hash: &Hash,
    side: Side,
) -> Result<Option<ExistenceProof>, StoreError> {
    let Some(leaf) = neighbour(nodes, view.root(), key_hash, side)? else {
        return Ok(None);
    };
    let key = view.shared().db.get(Column::Keys, &leaf.key_hash)?.map(|key| key.to_vec());
    let key = key.ok_or_else(|| StoreError::corrupt("the key of a leaf is missing"))?;
    let value = view.read(&key)?;
    let value =
        value.ok_or_else(|| StoreError::corrupt(format!("{} is in the tree, but has no value", key.escape_ascii())))?;
    existence(view, key, &value).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_values_are_never_empty_and_never_shared() {
        let times = |n: usize| Bytes::from(EMPTY_VALUE.repeat(n));
        assert_eq!(committed_value(&Bytes::new()), times(1));
        assert_eq!(committed_value(&times(1)), times(2));
        assert_eq!(committed_value(&times(7)), times(8));
        for same in [&b"x"[..], &[0], &EMPTY_VALUE[1..], &[EMPTY_VALUE.as_slice(), b"x"].concat()] {
            assert_eq!(committed_value(&Bytes::copy_from_slice(same)), same);
        }
    }
}

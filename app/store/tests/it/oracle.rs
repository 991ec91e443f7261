//! The tree against `jmt`: same keys and values, same root, whatever the history.

use std::{collections::BTreeMap, sync::Mutex};

use jmt::{KeyHash, Sha256Jmt, mock::MockTreeStore};
use proptest::prelude::*;
use swing_store::tree::{
    Child, Hash, InternalNode, NodeKey, NodeReader, PLACEHOLDER, TreeBatch, TreeError, Update, sha256, update,
};

/// Nodes in memory.
#[derive(Default)]
struct Memory(Mutex<BTreeMap<NodeKey, InternalNode>>);

#[derive(Debug)]
struct Lost;

impl From<TreeError> for Lost {
    fn from(_: TreeError) -> Self {
        Lost
    }
}

impl NodeReader for Memory {
    type Error = Lost;
    fn node(&self, key: &NodeKey, hash: &Hash) -> Result<InternalNode, Lost> {
        self.0.lock().expect("no panics").get(key).filter(|node| node.hash() == *hash).cloned().ok_or(Lost)
    }
}

impl Memory {
    /// Stores a batch; stale nodes must have been there, and are forgotten: only the last version stays readable.
    fn store(&self, batch: &TreeBatch) {
        let mut nodes = self.0.lock().expect("no panics");
        for key in &batch.stale {
            assert!(nodes.remove(key).is_some(), "a stale node that was not stored: {key:?}");
        }
        for (key, node) in &batch.fresh {
            let survives = InternalNode::decode(&node.encode());
            assert_eq!(survives.as_ref(), Some(node));
            assert!(nodes.insert(*key, node.clone()).is_none(), "a node written twice: {key:?}");
        }
    }
}

type Block = BTreeMap<Hash, Option<u8>>;

/// Runs blocks through both trees and compares the roots, then deletes everything.
fn check(blocks: &[Block]) -> Result<(), TestCaseError> {
    let (ours, theirs) = (Memory::default(), MockTreeStore::default());
    let mut root: Option<Child> = None;
    let mut live = Block::new();
    let mut all = blocks.to_vec();
    all.push(Block::new());
    for (version, block) in (0u64..).zip(&mut all) {
        if version == blocks.len() as u64 {
            *block = live.keys().map(|key| (*key, None)).collect();
        }
        let updates: Vec<Update> = block
            .iter()
            .map(|(key_hash, value)| Update { key_hash: *key_hash, value_hash: value.map(|value| sha256(&[value])) })
            .collect();
        let batch = update(&ours, root.as_ref(), version, &updates).expect("nodes are in memory");
        ours.store(&batch);
        root = batch.root;
        let set = block.iter().map(|(key, value)| (KeyHash(*key), value.map(|value| vec![value])));
        let (expected, theirs_batch) = Sha256Jmt::new(&theirs).put_value_set(set, version).expect("jmt");
        theirs.write_tree_update_batch(theirs_batch).expect("jmt");
        prop_assert_eq!(batch.root_hash, expected.0, "version {}", version);
        for (key, value) in block.iter() {
            match value {
                Some(_) => live.insert(*key, *value),
                None => live.remove(key),
            };
        }
    }
    prop_assert_eq!((root, ours.0.lock().expect("no panics").len()), (None, 0), "nothing is left of an empty tree");
    Ok(())
}

/// Key hashes that are spread evenly, or share long prefixes, or differ in their last nibble only.
fn key_hash() -> impl Strategy<Value = Hash> {
    let close = (0u8..4, 0usize..32, any::<u8>()).prop_map(|(head, place, byte)| {
        let mut key = [head.wrapping_mul(0x55); 32];
        key[place] = byte;
        key
    });
    let few = (0u8..24).prop_map(|n| sha256(&[n]));
    prop_oneof![2 => close, 2 => few, 1 => any::<[u8; 32]>()]
}

fn block() -> impl Strategy<Value = Block> {
    let change = prop_oneof![3 => (0u8..3).prop_map(Some), 2 => Just(None)];
    proptest::collection::btree_map(key_hash(), change, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn roots_equal_those_of_jmt_over_many_versions_of_puts_and_deletes(
        blocks in proptest::collection::vec(block(), 1..14),
    ) {
        check(&blocks)?;
    }
}

#[test]
fn roots_equal_those_of_jmt_for_blocks_so_large_that_two_threads_share_them() {
    let key = |n: u32| sha256(&n.to_be_bytes());
    let block = |from: u32, to: u32, value| -> Block { (from..to).map(|n| (key(n), value)).collect() };
    let mut mixed = block(0, 2_000, None);
    mixed.extend(block(500, 900, Some(3)));
    let low_half: Block = block(0, 6_000, Some(4)).into_iter().filter(|(key, _)| key[0] < 0x80).collect();
    let blocks = [block(0, 3_000, Some(1)), block(1_000, 5_000, Some(2)), mixed, low_half, block(0, 6_000, None)];
    check(&blocks).expect("equal roots");
}

fn key(head: &[u8], last: u8) -> Hash {
    let mut key = [0u8; 32];
    key[..head.len()].copy_from_slice(head);
    key[31] = last;
    key
}

#[track_caller]
fn cases(blocks: &[&[(Hash, Option<u8>)]]) {
    let blocks: Vec<Block> = blocks.iter().map(|block| block.iter().copied().collect()).collect();
    let outcome = check(&blocks);
    assert!(outcome.is_ok(), "{outcome:?}: {blocks:?}");
}

#[test]
fn roots_equal_those_of_jmt_in_the_corners() {
    let (a, b, c) = (key(&[], 0), key(&[], 1), key(&[0xf0], 0));
    cases(&[&[]]);
    cases(&[&[(a, None)]]);
    cases(&[&[(a, Some(1))], &[(a, Some(1))], &[(a, Some(2))], &[(a, None)], &[]]);
    // A chain of 63 single-child nodes grows, collapses to a leaf from the bottom, and grows again elsewhere.
    cases(&[
        &[(a, Some(1)), (b, Some(1))],
        &[(b, None)],
        &[(c, Some(1))],
        &[(a, None)],
        &[(a, Some(1)), (b, Some(3)), (c, None)],
    ]);
    // A leaf is replaced by another under the same nibble, in one block.
    cases(&[&[(a, Some(1)), (c, Some(1))], &[(a, None), (b, Some(1))], &[(a, Some(1)), (b, None), (c, None)]]);
    // The deletion of an absent key beside a leaf, and under an internal node.
    cases(&[&[(a, Some(1))], &[(b, None)], &[(c, Some(1))], &[(b, None), (key(&[0xf1], 0), None)]]);
}

#[test]
fn the_empty_root_is_the_placeholder() {
    let batch = update(&Memory::default(), None, 1, &[]).expect("nothing to read");
    assert_eq!((batch.root, batch.root_hash), (None, PLACEHOLDER));
}

//! A tree built from its leaves in their order, with nothing read: what a snapshot comes as.
//!
//! # Invariants
//! - Every node is given out once and is final: the rows may be written as they come.
//! - Memory is bound by the depth of a key hash, whatever the number of leaves.

use super::{Child, Hash, InternalNode, Leaf, NibblePath, NodeKey, TreeError, nibble::nibble_at, node::Slots};

/// Builds a tree.
#[derive(Debug)]
pub struct Builder {
    version: u64,
    /// Nodes on the path of the last leaf that are not full yet, the root's first.
    open: Vec<Slots>,
    /// The last leaf, which has no place yet: the next one decides how deep it stands.
    last: Option<Leaf>,
}

/// A finished node.
pub type Built = (NodeKey, InternalNode);

impl Builder {
    /// An empty tree whose nodes will be of this version.
    pub fn new(version: u64) -> Self {
        Builder { version, open: Vec::new(), last: None }
    }

    /// Adds a leaf. Nodes that nothing can be added to any more are put to `built`.
    ///
    /// # Errors
    /// [`TreeError::NotAscending`] when its key hash does not come after that of the leaf before.
    pub fn push(&mut self, leaf: Leaf, built: &mut Vec<Built>) -> Result<(), TreeError> {
        if let Some(last) = self.last {
            if leaf.key_hash <= last.key_hash {
                return Err(TreeError::NotAscending);
            }
            let shared = shared_nibbles(&last.key_hash, &leaf.key_hash);
            if self.open.len() <= shared {
                self.open.resize_with(shared.saturating_add(1), Slots::default);
            }
            self.place(last)?;
            self.close(&last.key_hash, shared, built)?;
        }
        self.last = Some(leaf);
        Ok(())
    }

    /// Ends the tree; gives its root.
    ///
    /// # Errors
    /// Never for what [`Builder::push`] took.
    pub fn finish(mut self, built: &mut Vec<Built>) -> Result<Option<Child>, TreeError> {
        let Some(last) = self.last.take() else { return Ok(None) };
        if self.open.is_empty() {
            return Ok(Some(Child::leaf(last)));
        }
        self.place(last)?;
        self.close(&last.key_hash, 0, built)?;
        let root = self.open.pop().unwrap_or_default();
        Ok(Some(self.keep(NibblePath::default(), &root, built)))
    }

    /// Puts a leaf under the deepest open node.
    fn place(&mut self, leaf: Leaf) -> Result<(), TreeError> {
        self.set(&leaf.key_hash, Child::leaf(leaf))
    }

    /// Closes the nodes below `depth` on the path of a key hash.
    fn close(&mut self, key_hash: &Hash, depth: usize, built: &mut Vec<Built>) -> Result<(), TreeError> {
        while self.open.len() > depth.saturating_add(1) {
            let Some(slots) = self.open.pop() else { break };
            let at = u8::try_from(self.open.len()).map_err(|_| TreeError::TooDeep)?;
            let child = self.keep(NibblePath::head(key_hash, at)?, &slots, built);
            self.set(key_hash, child)?;
        }
        Ok(())
    }

    /// Sets a child of the deepest open node, on the path of a key hash.
    fn set(&mut self, key_hash: &Hash, child: Child) -> Result<(), TreeError> {
        let depth = u8::try_from(self.open.len().saturating_sub(1)).map_err(|_| TreeError::TooDeep)?;
        let nibble = nibble_at(key_hash, depth)?;
        if let Some(slot) = self.open.last_mut().and_then(|slots| slots.get_mut(usize::from(nibble))) {
            *slot = Some(child);
        }
        Ok(())
    }

    fn keep(&self, path: NibblePath, slots: &Slots, built: &mut Vec<Built>) -> Child {
        let node = InternalNode::new(slots);
        let child = Child::Internal { hash: node.hash(), version: self.version };
        built.push((NodeKey { version: self.version, path }, node));
        child
    }
}

/// How many leading nibbles two different hashes share.
fn shared_nibbles(a: &Hash, b: &Hash) -> usize {
    let differ = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().saturating_sub(1));
    let same_high = a.get(differ).zip(b.get(differ)).is_some_and(|(a, b)| a >> 4 == b >> 4);
    differ.saturating_mul(2).saturating_add(usize::from(same_high))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;
    use crate::tree::{NodeReader, Update, update};

    struct Nothing;

    #[derive(Debug)]
    enum Never {
        Tree(#[expect(dead_code, reason = "shown when the test fails")] TreeError),
        #[expect(dead_code, reason = "there is nothing to read")]
        Read(Infallible),
    }

    impl From<TreeError> for Never {
        fn from(error: TreeError) -> Self {
            Never::Tree(error)
        }
    }

    impl NodeReader for Nothing {
        type Error = Never;
        fn node(&self, _: &NodeKey, _: &Hash) -> Result<InternalNode, Never> {
            Err(TreeError::NoLeaf.into())
        }
    }

    /// Key hashes that share long heads, as those of real keys seldom do.
    fn key_hash() -> impl Strategy<Value = Hash> {
        (proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0x10), any::<u8>()], 3), any::<bool>())
            .prop_map(|(head, deep)| {
                let mut hash = [0; 32];
                let at = if deep { 29 } else { 0 };
                hash[at..at + 3].copy_from_slice(&head);
                hash
            })
    }

    proptest! {
        #[test]
        fn leaves_in_order_build_the_tree_that_an_update_makes_of_them(hashes in proptest::collection::btree_set(key_hash(), 0..40)) {
            let leaves: Vec<_> = hashes.iter().map(|key_hash| Leaf { key_hash: *key_hash, value_hash: [7; 32] }).collect();
            let (mut builder, mut built) = (Builder::new(9), Vec::new());
            for leaf in &leaves {
                builder.push(*leaf, &mut built).expect("they ascend");
            }
            let root = builder.finish(&mut built).expect("a tree");
            let puts: Vec<_> =
                leaves.iter().map(|leaf| Update { key_hash: leaf.key_hash, value_hash: Some(leaf.value_hash) }).collect();
            let expected = update(&Nothing, None, 9, &puts).expect("nothing is read");
            built.sort_unstable_by_key(|(key, _)| *key);
            let mut fresh = expected.fresh;
            fresh.sort_unstable_by_key(|(key, _)| *key);
            prop_assert_eq!(root, expected.root);
            prop_assert_eq!(built, fresh);
        }
    }

    #[test]
    fn a_leaf_out_of_order_and_one_that_comes_twice_are_refused() {
        let leaf = |byte| Leaf { key_hash: [byte; 32], value_hash: [0; 32] };
        let mut builder = Builder::new(1);
        builder.push(leaf(5), &mut Vec::new()).expect("the first");
        for byte in [5, 4] {
            assert_eq!(builder.push(leaf(byte), &mut Vec::new()), Err(TreeError::NotAscending));
        }
        builder.push(leaf(6), &mut Vec::new()).expect("it goes on after a refusal");
    }
}

//! Finding what changed: memory is compared with a copy of what was captured last.

use sha2::{Digest, Sha256};
use swingset_abi::wire::Wire;

use super::{Header, InstanceHeader, PAGE_BYTES};

/// Page hashes under one group hash.
pub(super) const GROUP: usize = 64;

type Hash = [u8; 32];

/// An instance as it is now.
pub(crate) struct InstanceState<'a> {
    pub memory: &'a [u8],
    pub globals: Vec<u64>,
}

/// A page that changed; `None` when it is all zero now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PageChange {
    pub instance: u8,
    pub page: u32,
    pub bytes: Option<Vec<u8>>,
}

/// What changed since the last capture, and what all of it amounts to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Capture {
    pub header: Vec<u8>,
    pub root: Hash,
    pub changes: Vec<PageChange>,
}

/// One memory as it was captured last.
#[derive(Debug, Default)]
struct MemoryShadow {
    bytes: Vec<u8>,
    pages: Vec<Hash>,
    groups: Vec<Hash>,
}

/// All memories of a vat as they were captured last.
#[derive(Debug, Default)]
pub(crate) struct Shadow {
    memories: Vec<MemoryShadow>,
}

impl Shadow {
    /// Compares, and takes the present state as what was captured last.
    pub(crate) fn capture(&mut self, instances: Vec<InstanceState<'_>>) -> Capture {
        self.memories.resize_with(instances.len(), MemoryShadow::default);
        let mut changes = Vec::new();
        let mut headers = Vec::with_capacity(instances.len());
        let mut hash = Sha256::new();
        let mut roots = Vec::with_capacity(instances.len());
        for (index, (state, shadow)) in instances.into_iter().zip(&mut self.memories).enumerate() {
            shadow.compare(state.memory, index as u8, &mut changes);
            roots.push(shadow.root());
            headers.push(InstanceHeader { pages: (state.memory.len() / PAGE_BYTES) as u32, globals: state.globals });
        }
        let header = Header { instances: headers }.to_bytes();
        hash.update(Sha256::digest(&header));
        for root in roots {
            hash.update(root);
        }
        Capture { header, root: hash.finalize().into(), changes }
    }
}

/// The hash of a page that is all zero.
pub(super) fn zero_page_hash() -> Hash {
    Sha256::digest([0u8; PAGE_BYTES]).into()
}

impl MemoryShadow {
    fn compare(&mut self, memory: &[u8], instance: u8, changes: &mut Vec<PageChange>) {
        // A memory never shrinks. New pages begin as zero ones, so that only what is in them counts as a change.
        if memory.len() > self.bytes.len() {
            self.bytes.resize(memory.len(), 0);
            let first_new = self.pages.len();
            self.pages.resize(memory.len() / PAGE_BYTES, zero_page_hash());
            self.groups.resize(self.pages.len().div_ceil(GROUP), [0; 32]);
            for group in first_new / GROUP..self.groups.len() {
                self.hash_group(group);
            }
        }
        let mut stale = None;
        for page in 0..self.pages.len() {
            let range = page * PAGE_BYTES..(page + 1) * PAGE_BYTES;
            let (Some(now), Some(before)) = (memory.get(range.clone()), self.bytes.get_mut(range)) else {
                continue;
            };
            if now == &*before {
                continue;
            }
            before.copy_from_slice(now);
            if let Some(hash) = self.pages.get_mut(page) {
                *hash = Sha256::digest(now).into();
            }
            let zero = now.iter().all(|byte| *byte == 0);
            changes.push(PageChange { instance, page: page as u32, bytes: (!zero).then(|| now.to_vec()) });
            let group = page / GROUP;
            if let Some(last) = stale.replace(group).filter(|last| *last != group) {
                self.hash_group(last);
            }
        }
        if let Some(last) = stale {
            self.hash_group(last);
        }
    }

    fn hash_group(&mut self, group: usize) {
        let end = self.pages.len().min((group + 1) * GROUP);
        let Some(pages) = self.pages.get(group * GROUP..end) else {
            return;
        };
        let mut hash = Sha256::new();
        for page in pages {
            hash.update(page);
        }
        if let Some(slot) = self.groups.get_mut(group) {
            *slot = hash.finalize().into();
        }
    }

    fn root(&self) -> Hash {
        let mut hash = Sha256::new();
        for group in &self.groups {
            hash.update(group);
        }
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(memory: &[u8]) -> Vec<InstanceState<'_>> {
        vec![InstanceState { memory, globals: vec![7] }]
    }

    #[test]
    fn only_changed_pages_are_told_and_zero_ones_are_absent() {
        let mut memory = vec![0; 20 * PAGE_BYTES];
        memory[3 * PAGE_BYTES] = 1;
        let mut shadow = Shadow::default();
        let first = shadow.capture(state(&memory));
        assert_eq!(first.changes.iter().map(|change| change.page).collect::<Vec<_>>(), [3]);
        memory[3 * PAGE_BYTES] = 0;
        memory[19 * PAGE_BYTES + 7] = 9;
        let second = shadow.capture(state(&memory));
        assert_eq!(
            second.changes.iter().map(|c| (c.page, c.bytes.is_some())).collect::<Vec<_>>(),
            [(3, false), (19, true)]
        );
        assert!(shadow.capture(state(&memory)).changes.is_empty());
    }

    #[test]
    fn the_root_is_of_the_content_however_often_it_was_captured() {
        let mut memory = vec![0; 100 * PAGE_BYTES];
        let mut often = Shadow::default();
        for page in [0, 63, 64, 99] {
            memory[page * PAGE_BYTES + 1] = page as u8 + 1;
            often.capture(state(&memory));
        }
        memory.resize(200 * PAGE_BYTES, 0);
        memory[150 * PAGE_BYTES] = 5;
        let stepwise = often.capture(state(&memory));
        let at_once = Shadow::default().capture(state(&memory));
        assert_eq!(stepwise.root, at_once.root);
        assert_eq!(stepwise.header, at_once.header);
    }

    #[test]
    fn the_root_binds_length_globals_and_every_page() {
        let memory = vec![0; 70 * PAGE_BYTES];
        let root =
            |memory: &[u8], globals: Vec<u64>| Shadow::default().capture(vec![InstanceState { memory, globals }]).root;
        let base = root(&memory, vec![1]);
        assert_ne!(base, root(&memory, vec![2]));
        assert_ne!(base, root(&memory[..69 * PAGE_BYTES], vec![1]));
        let mut changed = memory.clone();
        changed[69 * PAGE_BYTES + 4095] = 1;
        assert_ne!(base, root(&changed, vec![1]));
    }
}

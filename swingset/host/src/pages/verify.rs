//! What a state keeps outside the tree, held against what the tree has of it: for a state that came from elsewhere.

use std::collections::BTreeSet;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use swingset_abi::wire::Wire;

use super::{
    Header, Leaf, PAGE_BYTES,
    shadow::{GROUP, zero_page_hash},
};
use crate::{
    bundle,
    env::{Environment, for_each_entry, prefix_end},
    error::Halt,
    keys,
};

/// Pages of the largest memory there can be: 4 GiB.
const PAGES_MAX: u32 = 1 << 20;

/// Checks that every bundle and every vat in the tree has outside it exactly what it binds, and that nothing else is there.
///
/// # Errors
/// What is missing, damaged or too much, or the storage's failure.
pub fn verify_unhashed(env: &dyn Environment) -> Result<(), Halt> {
    let mut vats = BTreeSet::new();
    for_each_entry(env, &keys::vat_leaf(""), |vat, leaf| -> Result<(), Halt> {
        let vat = text(vat)?;
        check_vat(env, vat, &leaf)?;
        vats.insert(vat.to_owned());
        Ok(())
    })?;
    for_each_entry(env, &keys::bundle_record(""), |id, _| -> Result<(), Halt> {
        let id = text(id)?;
        let bytes = env.get(&keys::bundle_bytes(id))?;
        let bytes = bytes.ok_or_else(|| Halt::new(format!("the bytes of bundle {id} are missing")))?;
        bundle::verify(&bytes, id).map_err(|error| Halt::new(format!("bundle {id}: {error}")))?;
        Ok(())
    })?;
    no_more(env, &vats)
}

/// Every key outside the tree belongs to a bundle or a vat.
fn no_more(env: &dyn Environment, vats: &BTreeSet<String>) -> Result<(), Halt> {
    let unhashed = keys::UNHASHED.get(..1).unwrap_or_default();
    let end = prefix_end(unhashed);
    let mut from = unhashed.to_vec();
    while let Some((key, _)) = env.next_entry(&from, end.as_deref())? {
        let owner = owner(&key).ok_or_else(|| nobody(&key))?;
        let (known, next) = match owner {
            Owner::Bundle(id) => (env.get(&keys::bundle_record(id))?.is_some(), None),
            Owner::Vat(vat) => (vats.contains(vat), None),
            // The vat's own check has read its pages.
            Owner::Page(vat) => (vats.contains(vat), prefix_end(&keys::vat_pages(vat))),
        };
        if !known {
            return Err(nobody(&key));
        }
        from = next.unwrap_or_else(|| [key.as_slice(), &[0]].concat());
    }
    Ok(())
}

fn nobody(key: &[u8]) -> Halt {
    Halt::new(format!("key {} belongs to no bundle and no vat", key.escape_ascii()))
}

/// Whose a key outside the tree is.
enum Owner<'a> {
    Bundle(&'a str),
    Vat(&'a str),
    Page(&'a str),
}

fn owner(key: &[u8]) -> Option<Owner<'_>> {
    let rest = key.strip_prefix(keys::UNHASHED)?;
    let after = |prefix: &str| rest.strip_prefix(prefix.as_bytes());
    if let Some(id) = after("bundle/") {
        return Some(Owner::Bundle(std::str::from_utf8(id).ok()?));
    }
    if let Some(vat) = after("vat/") {
        return Some(Owner::Vat(std::str::from_utf8(vat).ok()?));
    }
    let page = after("page/")?;
    let slash = page.iter().position(|byte| *byte == b'/')?;
    Some(Owner::Page(std::str::from_utf8(page.get(..slash)?).ok()?))
}

fn text(bytes: &[u8]) -> Result<&str, Halt> {
    std::str::from_utf8(bytes).map_err(|_| Halt::new(format!("{} is no name", bytes.escape_ascii())))
}

/// Header and pages of a vat are those of its leaf.
fn check_vat(env: &dyn Environment, vat: &str, leaf: &[u8]) -> Result<(), Halt> {
    let wrong = |what: &str| Halt::new(format!("vat {vat}: {what}"));
    let leaf = Leaf::from_bytes(leaf)?;
    let bytes = env.get(&keys::vat_header(vat))?.ok_or_else(|| wrong("lengths and globals are missing"))?;
    let header = Header::from_bytes(&bytes).map_err(|_| wrong("lengths and globals are damaged"))?;
    let mut memories = Vec::new();
    for instance in &header.instances {
        if instance.pages > PAGES_MAX {
            return Err(wrong("a memory longer than any can be"));
        }
        memories.push(MemoryRoot { pages: instance.pages, next: 0, group: Sha256::new(), groups: Sha256::new() });
    }
    for_each_entry(env, &keys::vat_pages(vat), |key, page: Bytes| -> Result<(), Halt> {
        let place = key.split_first().and_then(|(instance, page)| Some((*instance, page.try_into().ok()?)));
        let (instance, number) = place.ok_or_else(|| wrong("a key that is no page's"))?;
        let memory = memories.get_mut(usize::from(instance)).ok_or_else(|| wrong("a page of no instance"))?;
        if page.len() != PAGE_BYTES || page.iter().all(|byte| *byte == 0) {
            return Err(wrong("a page of another size, or one that is all zero"));
        }
        memory.put(u32::from_be_bytes(number), &Sha256::digest(&page).into()).ok_or_else(|| wrong("a page too many"))
    })?;
    let mut root = Sha256::new();
    root.update(Sha256::digest(&bytes));
    memories.into_iter().for_each(|memory| root.update(memory.finish()));
    if <[u8; 32]>::from(root.finalize()) == leaf.root {
        Ok(())
    } else {
        Err(wrong("its pages are not those of its leaf"))
    }
}

/// A memory's root from its pages in their order, as [`super::Shadow`] has it of a whole memory.
struct MemoryRoot {
    pages: u32,
    next: u32,
    group: Sha256,
    groups: Sha256,
}

impl MemoryRoot {
    /// The next page that is not all zero; none when it lies outside the memory or before the last one.
    fn put(&mut self, page: u32, hash: &[u8; 32]) -> Option<()> {
        if page >= self.pages || page < self.next {
            return None;
        }
        self.zeros_up_to(page);
        self.add(hash);
        Some(())
    }

    fn zeros_up_to(&mut self, page: u32) {
        let zero = zero_page_hash();
        while self.next < page {
            self.add(&zero);
        }
    }

    fn add(&mut self, hash: &[u8; 32]) {
        self.group.update(hash);
        self.next = self.next.saturating_add(1);
        if (self.next as usize).is_multiple_of(GROUP) || self.next == self.pages {
            self.groups.update(self.group.finalize_reset());
        }
    }

    fn finish(mut self) -> [u8; 32] {
        self.zeros_up_to(self.pages);
        self.groups.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        env::MemoryEnvironment,
        pages::{InstanceState, Shadow, store},
    };

    /// A vat with two memories, each with some pages that are not zero.
    fn vat(env: &mut MemoryEnvironment, vat: &str) {
        let mut memories = [vec![0; 130 * PAGE_BYTES], vec![0; 64 * PAGE_BYTES]];
        for (memory, pages) in memories.iter_mut().zip([&[0, 63, 64, 129][..], &[5]]) {
            pages.iter().for_each(|page| memory[page * PAGE_BYTES + 9] = 7);
        }
        let states = memories.iter().map(|memory| InstanceState { memory, globals: vec![1, 2] }).collect();
        let capture = Shadow::default().capture(states);
        store(env, vat, capture, 3).expect("stored");
    }

    #[track_caller]
    fn check(edit: impl FnOnce(&mut MemoryEnvironment), part: &str) {
        let mut env = MemoryEnvironment::default();
        ["v1", "v10", "v2"].iter().for_each(|name| vat(&mut env, name));
        edit(&mut env);
        match verify_unhashed(&env) {
            Ok(()) => assert!(part.is_empty(), "expected {part:?}"),
            Err(Halt(why)) => assert!(!part.is_empty() && why.contains(part), "{why}"),
        }
    }

    fn set(key: Vec<u8>, value: Vec<u8>) -> impl FnOnce(&mut MemoryEnvironment) {
        move |env| env.set(&key, value.into()).expect("written")
    }

    fn delete(key: Vec<u8>) -> impl FnOnce(&mut MemoryEnvironment) {
        move |env| env.delete(&key).expect("deleted")
    }

    #[test]
    fn pages_that_a_leaf_binds_are_taken_and_every_other_state_of_them_is_not() {
        check(|_| (), "");
        check(set(keys::vat_page("v1", 0, 63), vec![8; PAGE_BYTES]), "v1: its pages are not those of its leaf");
        check(set(keys::vat_page("v1", 1, 6), vec![8; PAGE_BYTES]), "v1: its pages are not those of its leaf");
        check(set(keys::vat_page("v1", 0, 130), vec![8; PAGE_BYTES]), "v1: a page too many");
        check(set(keys::vat_page("v1", 2, 0), vec![8; PAGE_BYTES]), "v1: a page of no instance");
        check(set(keys::vat_page("v1", 0, 1), vec![0; PAGE_BYTES]), "all zero");
        check(set(keys::vat_page("v1", 0, 1), vec![1; 9]), "another size");
        check(delete(keys::vat_page("v10", 0, 0)), "v10: its pages are not those of its leaf");
        check(delete(keys::vat_header("v2")), "v2: lengths and globals are missing");
        check(delete(keys::vat_leaf("v2")), "belongs to no bundle and no vat");
        check(set(keys::vat_page("v3", 0, 0), vec![8; PAGE_BYTES]), "belongs to no bundle and no vat");
        check(set(b"~other".to_vec(), Vec::new()), "belongs to no bundle and no vat");
        check(set([keys::vat_pages("v1"), b"x".to_vec()].concat(), vec![8; PAGE_BYTES]), "no page's");
    }

    #[test]
    fn a_header_that_claims_a_huge_memory_is_refused_before_it_is_hashed() {
        let huge = Header { instances: vec![super::super::InstanceHeader { pages: u32::MAX, globals: Vec::new() }] };
        check(set(keys::vat_header("v1"), huge.to_bytes()), "longer than any can be");
    }

    #[test]
    fn a_bundle_has_the_bytes_of_its_id_and_bytes_have_a_bundle() {
        let id = bundle::bundle_id(b"not these");
        check(set(keys::bundle_record(&id), Vec::new()), "are missing");
        check(set(keys::bundle_bytes(&id), b"x".to_vec()), "belongs to no bundle and no vat");
        let both = |env: &mut MemoryEnvironment| {
            set(keys::bundle_record(&id), Vec::new())(env);
            set(keys::bundle_bytes(&id), b"others".to_vec())(env);
        };
        check(both, &format!("bundle {id}: "));
    }
}

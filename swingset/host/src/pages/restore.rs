//! Pages, header and leaf in the environment.

use bytes::Bytes;
use swingset_abi::wire::Wire;

use super::{Capture, Header, Leaf, PAGE_BYTES};
use crate::{
    env::{Environment, for_each_entry},
    error::Halt,
    keys,
};

/// A stored instance.
#[derive(Debug, Default)]
pub(crate) struct InstanceImage {
    /// Length of its memory, in pages of 4 KiB.
    pub pages: u32,
    /// Its globals' bits.
    pub globals: Vec<u64>,
    /// The pages that are not all zero, ascending.
    pub content: Vec<(u32, Bytes)>,
}

impl InstanceImage {
    /// Length of its memory, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        u64::from(self.pages) * PAGE_BYTES as u64
    }

    /// Overwrites all of a memory, zero pages too.
    pub(crate) fn write_to(&self, memory: &mut [u8]) -> Result<(), Halt> {
        memory.fill(0);
        for (page, bytes) in &self.content {
            let start = *page as usize * PAGE_BYTES;
            let target = memory.get_mut(start..start.saturating_add(PAGE_BYTES));
            let target = target.filter(|target| target.len() == bytes.len());
            let target = target.ok_or_else(|| Halt::new("a vat's stored page does not fit its memory"))?;
            target.copy_from_slice(bytes);
        }
        Ok(())
    }
}

/// A vat's stored state.
#[derive(Debug)]
pub(crate) struct Restore {
    pub root: [u8; 32],
    pub instances: Vec<InstanceImage>,
}

/// A vat's leaf and state, if it has any yet.
pub(crate) fn load(env: &dyn Environment, vat: &str) -> Result<Option<(Leaf, Restore)>, Halt> {
    let Some(leaf) = env.get(&keys::vat_leaf(vat))? else {
        return Ok(None);
    };
    let leaf = Leaf::from_bytes(&leaf)?;
    let missing = || Halt::new(format!("state of vat {vat} is missing or damaged in this node's store"));
    let header = env.get(&keys::vat_header(vat))?.ok_or_else(missing)?;
    let header = Header::from_bytes(&header).map_err(|_| missing())?;
    let images =
        header.instances.into_iter().map(|h| InstanceImage { pages: h.pages, globals: h.globals, content: Vec::new() });
    let mut instances: Vec<InstanceImage> = images.collect();
    let prefix = keys::vat_pages(vat);
    for_each_entry(env, &prefix, |key, bytes| -> Result<(), Halt> {
        let place =
            key.split_first().and_then(|(instance, page)| Some((*instance, u32::from_be_bytes(page.try_into().ok()?))));
        let (instance, page) = place.ok_or_else(missing)?;
        instances.get_mut(instance as usize).ok_or_else(missing)?.content.push((page, bytes));
        Ok(())
    })?;
    Ok(Some((leaf.clone(), Restore { root: leaf.root, instances })))
}

/// Writes what a capture found.
pub(crate) fn store(env: &mut dyn Environment, vat: &str, capture: Capture, height: u64) -> Result<Leaf, Halt> {
    for change in capture.changes {
        let key = keys::vat_page(vat, change.instance, change.page);
        match change.bytes {
            Some(bytes) => env.set(&key, bytes.into())?,
            None => env.delete(&key)?,
        }
    }
    env.set(&keys::vat_header(vat), capture.header.into())?;
    let leaf = Leaf { root: capture.root, height };
    env.set(&keys::vat_leaf(vat), leaf.to_bytes().into())?;
    Ok(leaf)
}

/// Deletes all of a vat's state.
pub(crate) fn delete_vat(env: &mut dyn Environment, vat: &str) -> Result<(), Halt> {
    if env.get(&keys::vat_leaf(vat))?.is_none() {
        return Ok(());
    }
    let prefix = keys::vat_pages(vat);
    let mut pages = Vec::new();
    for_each_entry(env, &prefix, |key, _| -> Result<(), Halt> {
        pages.push([&prefix, key].concat());
        Ok(())
    })?;
    for key in pages {
        env.delete(&key)?;
    }
    env.delete(&keys::vat_header(vat))?;
    env.delete(&keys::vat_leaf(vat))?;
    Ok(())
}

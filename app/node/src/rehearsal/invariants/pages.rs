//! Vats' pages against the roots in the tree, by the documented layout: `swingset/host/src/pages`.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use swing_core::state::{StateError, StateRead};
use swingset_abi::{
    wire::{Blob, Wire},
    wire_struct,
};

use super::Checked;

const PAGE_BYTES: usize = 4096;
/// Page hashes under one group hash.
const GROUP: usize = 64;
const LEAVES: &[u8] = b"swingset/h/vat/";

type Hash = [u8; 32];

/// A vat's leaf.
struct Leaf {
    root: Blob,
    height: u64,
}
wire_struct!(Leaf { root, height });

struct Instance {
    pages: u32,
    globals: Vec<u64>,
}
wire_struct!(Instance { pages, globals });

struct Header {
    instances: Vec<Instance>,
}
wire_struct!(Header { instances });

/// The root over a vat's stored memory and globals is the one in the tree.
pub fn roots_are_those_of_the_pages(state: &dyn StateRead) -> Result<Checked, StateError> {
    let mut checked = Checked::new("vats: page roots are those of the pages");
    for entry in state.prefix(LEAVES) {
        let (key, value) = entry?;
        let vat = String::from_utf8_lossy(key.strip_prefix(LEAVES).unwrap_or_default()).into_owned();
        let leaf = Leaf::from_bytes(&value).ok().map(|leaf| (leaf.root.0, leaf.height));
        let root = root_of(state, &vat)?;
        let holds = leaf.as_ref().zip(root).is_some_and(|((root, _), found)| root.as_slice() == found);
        checked.look(holds, || {
            let found = root.map_or_else(|| "nothing that can be read".to_owned(), hex::encode);
            format!("{vat}: the leaf is {:?}, the pages amount to {found}", leaf.map(|(root, _)| hex::encode(root)))
        });
    }
    Ok(checked)
}

/// The root over what is stored of a vat; none where it is damaged.
fn root_of(state: &dyn StateRead, vat: &str) -> Result<Option<Hash>, StateError> {
    let Some(bytes) = state.get(format!("~swingset/vat/{vat}").as_bytes())? else { return Ok(None) };
    let Ok(header) = Header::from_bytes(&bytes) else { return Ok(None) };
    let prefix = format!("~swingset/page/{vat}/");
    let mut stored: BTreeMap<(usize, usize), Hash> = BTreeMap::new();
    for entry in state.prefix(prefix.as_bytes()) {
        let (key, page) = entry?;
        let place = key.strip_prefix(prefix.as_bytes()).and_then(|place| <[u8; 5]>::try_from(place).ok());
        let Some([instance, number @ ..]) = place.filter(|_| page.len() == PAGE_BYTES) else { return Ok(None) };
        let number = usize::try_from(u32::from_be_bytes(number)).unwrap_or(usize::MAX);
        stored.insert((usize::from(instance), number), Sha256::digest(&page).into());
    }
    let mut root = Sha256::new().chain_update(Sha256::digest(&bytes));
    let zero: Hash = Sha256::digest([0; PAGE_BYTES]).into();
    for (index, instance) in header.instances.iter().enumerate() {
        let length = usize::try_from(instance.pages).unwrap_or(usize::MAX);
        root.update(memory_root(length, |page| stored.remove(&(index, page)).unwrap_or(zero)));
    }
    // What is left lies outside of every memory.
    Ok(stored.is_empty().then(|| root.finalize().into()))
}

fn memory_root(pages: usize, mut hash_of: impl FnMut(usize) -> Hash) -> Hash {
    let mut memory = Sha256::new();
    let mut first = 0;
    while first < pages {
        let end = first.saturating_add(GROUP).min(pages);
        let group = (first..end).fold(Sha256::new(), |group, page| group.chain_update(hash_of(page)));
        memory.update(group.finalize());
        first = end;
    }
    memory.finalize().into()
}

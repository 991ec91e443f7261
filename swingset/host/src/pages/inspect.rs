//! What is stored of a vat, for whoever looks at a state.

use super::load;
use crate::{env::Environment, error::Halt};

/// A vat's stored memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VatMemory {
    /// The root in state.
    pub root: [u8; 32],
    /// Height of the block of the vat's last delivery.
    pub height: u64,
    /// The vat's instance, then its supervisor's, if it has one.
    pub instances: Vec<InstanceMemory>,
}

/// One instance of a vat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceMemory {
    /// Length of its memory.
    pub bytes: u64,
    /// Pages of 4 KiB that are stored: those that are not all zero.
    pub pages_stored: u64,
    /// Mutable globals.
    pub globals: u64,
}

/// What is stored of a vat; none before its first delivery, and of what is no vat.
///
/// # Errors
/// Storage, or what is stored is damaged.
pub fn vat_memory(env: &dyn Environment, vat: &str) -> Result<Option<VatMemory>, Halt> {
    let stored = load(env, vat)?;
    Ok(stored.map(|(leaf, restore)| {
        let instances = restore.instances.iter().map(|instance| InstanceMemory {
            bytes: instance.memory_bytes(),
            pages_stored: instance.content.len() as u64,
            globals: instance.globals.len() as u64,
        });
        VatMemory { root: leaf.root, height: leaf.height, instances: instances.collect() }
    }))
}

//! Vats' options and the kernel's default thresholds. Each delivery asks for them some times; what was read once is remembered as a value.

use alloc::{string::String, vec::Vec};

use swingset_abi::{
    kernel::{ReapThreshold, VatOptions},
    wire::Wire,
};

use crate::{
    crank::Kernel,
    host::Host,
    keys::{self, path},
    store::{Fault, Kept},
};

/// Vats whose options are remembered.
const REMEMBERED_MAX: usize = 32;

/// What is remembered, and is in the store as well.
#[derive(Debug, Default)]
pub struct Options {
    vats: Vec<(String, VatOptions)>,
    reap_default: Option<ReapThreshold>,
}

impl Options {
    fn of(&self, vat_id: &str) -> Option<&VatOptions> {
        self.vats
            .iter()
            .find(|(known, _)| known == vat_id)
            .map(|(_, options)| options)
    }

    fn remember(&mut self, vat_id: &str, options: &VatOptions) {
        if self.vats.len() >= REMEMBERED_MAX {
            self.vats.clear();
        }
        self.vats.push((String::from(vat_id), options.clone()));
    }

    fn forget(&mut self, vat_id: &str) {
        self.vats.retain(|(known, _)| known != vat_id);
    }
}

impl<H: Host> Kernel<'_, H> {
    /// A living vat's options; `None` when it never lived or was terminated.
    pub fn options(&mut self, vat_id: &str) -> Kept<Option<VatOptions>> {
        if let Some(options) = self.store.buffers.known.options.of(vat_id) {
            return Ok(Some(options.clone()));
        }
        let Some(bytes) = self.store.get(path([vat_id, ".options"])) else {
            return Ok(None);
        };
        let options = VatOptions::from_bytes(bytes).map_err(|_| Fault("a vat's options are malformed"))?;
        self.store.buffers.known.options.remember(vat_id, &options);
        Ok(Some(options))
    }

    /// Whether a vat lives.
    pub fn lives(&mut self, vat_id: &str) -> bool {
        self.store.buffers.known.options.of(vat_id).is_some() || self.store.has(path([vat_id, ".options"]))
    }

    /// Whether a vat lives and takes messages to promises that it decides.
    pub fn pipelines(&mut self, vat_id: &str) -> Kept<bool> {
        if let Some(options) = self.store.buffers.known.options.of(vat_id) {
            return Ok(options.pipelining);
        }
        Ok(self.options(vat_id)?.is_some_and(|options| options.pipelining))
    }

    /// Writes a living vat's options.
    pub fn set_options(&mut self, vat_id: &str, options: &VatOptions) {
        self.store.buffers.known.options.forget(vat_id);
        self.store.set(path([vat_id, ".options"]), options.to_bytes());
    }

    /// A vat lives no longer.
    pub fn delete_options(&mut self, vat_id: &str) {
        self.store.buffers.known.options.forget(vat_id);
        self.store.delete(path([vat_id, ".options"]));
    }

    /// The kernel's default thresholds.
    pub fn reap_default(&mut self) -> Kept<ReapThreshold> {
        if let Some(threshold) = &self.store.buffers.known.options.reap_default {
            return Ok(threshold.clone());
        }
        let threshold = match self.store.get(keys::REAP_DEFAULT) {
            None => ReapThreshold::default(),
            Some(bytes) => {
                ReapThreshold::from_bytes(bytes).map_err(|_| Fault("the default reap thresholds are malformed"))?
            }
        };
        self.store.buffers.known.options.reap_default = Some(threshold.clone());
        Ok(threshold)
    }

    /// Writes them.
    pub fn set_reap_default(&mut self, threshold: &ReapThreshold) {
        self.store.buffers.known.options.reap_default = None;
        self.store.set(keys::REAP_DEFAULT, threshold.to_bytes());
    }
}

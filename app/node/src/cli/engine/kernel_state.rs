//! The kernel's keys, read (their table is in `swingset/kernel/src/keys.rs`).

use swing_core::state::{StateError, StateRead};
use swingset_abi::{
    kernel::{VatOptions, VatSource},
    wire::Wire,
};
use swingset_host::keys;

use super::failed;
use crate::cli::Failure;

/// The kernel's part of a state.
#[derive(Clone, Copy)]
pub struct KernelState<'a>(pub &'a dyn StateRead);

/// A living vat.
#[derive(Debug)]
pub struct VatRecord {
    /// `v1`.
    pub id: String,
    /// The name that it was made with.
    pub name: String,
    /// Made by vat administration.
    pub dynamic: bool,
    /// What it is made from.
    pub source: VatSource,
    /// How it is run.
    pub options: VatOptions,
    /// Upgrades so far.
    pub incarnation: u64,
    /// Deliveries so far; none where the kernel does not count them.
    pub deliveries: Option<u64>,
}

impl<'a> KernelState<'a> {
    /// The kernel's state; an error when there is none.
    pub fn of(state: &'a dyn StateRead) -> Result<Self, Failure> {
        let kernel = KernelState(state);
        match kernel.host_text(keys::KERNEL_BUNDLE_ID)? {
            Some(_) => Ok(kernel),
            None => Err(Failure::new("there is no contract engine in this state")),
        }
    }

    /// A kernel's value as text.
    pub fn text(&self, key: &str) -> Result<Option<String>, Failure> {
        let value = self.0.get(&keys::kernel(key.as_bytes())).map_err(failed)?;
        Ok(value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// A kernel's decimal.
    pub fn number(&self, key: &str) -> Result<Option<u64>, Failure> {
        Ok(self.text(key)?.and_then(|text| text.parse().ok()))
    }

    /// A value of the host's as text.
    pub fn host_text(&self, name: &str) -> Result<Option<String>, Failure> {
        let value = self.0.get(&keys::host(name)).map_err(failed)?;
        Ok(value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Visits the kernel's entries under a prefix, in the order of their keys.
    pub fn each(&self, prefix: &str, mut visit: impl FnMut(&str, &[u8])) -> Result<(), Failure> {
        self.each_as_it_is(prefix, |key, value| visit(&String::from_utf8_lossy(key), value))
    }

    /// The same, with keys that need not be text.
    pub fn each_as_it_is(&self, prefix: &str, mut visit: impl FnMut(&[u8], &[u8])) -> Result<(), Failure> {
        for entry in self.0.prefix(&keys::kernel(prefix.as_bytes())) {
            let (key, value) = entry.map_err(failed)?;
            visit(key.strip_prefix(keys::KERNEL).unwrap_or_default(), &value);
        }
        Ok(())
    }

    /// All living vats, in the order in which they were made.
    pub fn vats(&self) -> Result<Vec<VatRecord>, Failure> {
        let mut names = Vec::new();
        self.each("vat.name.", |key, id| {
            let name = key.strip_prefix("vat.name.").unwrap_or_default();
            names.push((String::from_utf8_lossy(id).into_owned(), name.to_owned(), false));
        })?;
        self.each("vat.dynamicIDs.", |key, name| {
            let id = key.strip_prefix("vat.dynamicIDs.").unwrap_or_default();
            names.push((id.to_owned(), String::from_utf8_lossy(name).into_owned(), true));
        })?;
        names.sort_by_key(|(id, ..)| number_of(id));
        let mut vats = Vec::new();
        for (id, name, dynamic) in names {
            vats.extend(self.vat_record(id, name, dynamic)?);
        }
        Ok(vats)
    }

    /// A living vat by ID or name.
    pub fn vat(&self, wanted: &str) -> Result<VatRecord, Failure> {
        let mut vats = self.vats()?;
        let at =
            vats.iter().position(|vat| vat.id == wanted).or_else(|| vats.iter().position(|vat| vat.name == wanted));
        match at {
            Some(at) => Ok(vats.swap_remove(at)),
            None => Err(Failure::new(format!(
                "no living vat has the ID or name {wanted:?}: `swingd engine vat list` shows those that there are"
            ))),
        }
    }

    fn vat_record(&self, id: String, name: String, dynamic: bool) -> Result<Option<VatRecord>, Failure> {
        let read = |part: &str| -> Result<Option<bytes::Bytes>, StateError> {
            self.0.get(&keys::kernel(format!("{id}.{part}").as_bytes()))
        };
        // Its options are there exactly as long as it lives.
        let (Some(options), Some(source)) = (read("options").map_err(failed)?, read("source").map_err(failed)?) else {
            return Ok(None);
        };
        let damaged = || Failure::new(format!("the records of vat {id} are damaged, or of another kernel's form"));
        Ok(Some(VatRecord {
            source: VatSource::from_bytes(&source).map_err(|_| damaged())?,
            options: VatOptions::from_bytes(&options).map_err(|_| damaged())?,
            incarnation: self.number(&format!("{id}.incarnation"))?.unwrap_or(0),
            deliveries: self.number(&format!("{id}.deliveries"))?,
            id,
            name,
            dynamic,
        }))
    }
}

/// The number in `v1`; the greatest for what is no ID.
pub fn number_of(id: &str) -> u64 {
    id.trim_start_matches(|letter: char| letter.is_ascii_alphabetic()).parse().unwrap_or(u64::MAX)
}

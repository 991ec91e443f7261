//! What state keeps of an installed bundle, so that its compatibility can be judged without reading its bytes.

use swingset_abi::wire_struct;

use super::{Bundle, BundleKind, Manifest};

/// The record at `swingset/h/bundle/<id>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleRecord {
    /// What it is for.
    pub kind: BundleKind,
    /// Its name.
    pub name: String,
    /// Its size, in bytes.
    pub size: u64,
    /// As in the manifest.
    pub host_abi: u32,
    /// As in the manifest.
    pub supervisor_abis: Vec<u32>,
    /// As in the manifest.
    pub schema_from: u32,
    /// As in the manifest.
    pub schema_to: u32,
}
wire_struct!(BundleRecord { kind, name, size, host_abi, supervisor_abis, schema_from, schema_to });

impl BundleRecord {
    /// The record of a bundle whose bytes have this size.
    pub fn of(bundle: &Bundle, size: usize) -> Self {
        let Manifest { kind, name, host_abi, supervisor_abis, schema_from, schema_to } = bundle.manifest.clone();
        BundleRecord { kind, name, size: size as u64, host_abi, supervisor_abis, schema_from, schema_to }
    }
}

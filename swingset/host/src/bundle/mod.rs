//! Bundles: content-addressed packages of code or policy, in one canonical form (`docs/adr/0008-bundle-format.md`).
//!
//! # Invariants
//! - One bundle has one encoding: what decodes, encodes to the same bytes (held by the tests of `codec`).
//! - An ID is the hash of the whole bytes, and every part's hash is checked when a bundle is decoded.

mod codec;
mod policy;
mod record;

use sha2::{Digest, Sha512};

pub use codec::{BUNDLE_BYTES_MAX, BundleError, FORMAT, MAGIC};
pub use policy::{CRANK_SYSCALLS_MIN, LockdownPolicy, POLICY_CEILING};
pub use record::BundleRecord;

/// Begins every bundle ID of this format.
pub const ID_PREFIX: &str = "b1-";

/// What a bundle is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BundleKind {
    /// The kernel: part `kernel.wasm`.
    Kernel {},
    /// A lockdown policy: part `policy.json`.
    Lockdown {},
    /// A vat supervisor: part `supervisor.wasm`.
    Supervisor {},
    /// A vat's code: part `vat.wasm`.
    Vat {},
    /// A device's code: part `device.wasm`.
    Device {},
}

impl BundleKind {
    /// Its name in manifests, messages and file names.
    pub fn name(self) -> &'static str {
        match self {
            BundleKind::Kernel {} => "kernel",
            BundleKind::Lockdown {} => "lockdown",
            BundleKind::Supervisor {} => "supervisor",
            BundleKind::Vat {} => "vat",
            BundleKind::Device {} => "device",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            BundleKind::Kernel {},
            BundleKind::Lockdown {},
            BundleKind::Supervisor {},
            BundleKind::Vat {},
            BundleKind::Device {},
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }

    /// The one part that a bundle of this kind must have.
    pub fn part_name(self) -> &'static str {
        match self {
            BundleKind::Kernel {} => "kernel.wasm",
            BundleKind::Lockdown {} => "policy.json",
            BundleKind::Supervisor {} => "supervisor.wasm",
            BundleKind::Vat {} => "vat.wasm",
            BundleKind::Device {} => "device.wasm",
        }
    }
}

/// What a bundle says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// What it is for.
    pub kind: BundleKind,
    /// Its name, for people: `[a-z0-9._-]`, 1 to 64 characters.
    pub name: String,
    /// Host ABI level that it was built for.
    pub host_abi: u32,
    /// Supervisor ABI levels, ascending: those that a kernel can drive, the one that a supervisor or vat speaks.
    pub supervisor_abis: Vec<u32>,
    /// Least schema that a kernel can start from; 0 for other kinds.
    pub schema_from: u32,
    /// The schema that a kernel works with; 0 for other kinds.
    pub schema_to: u32,
}

/// A bundle: its manifest and its parts, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// What it says of itself.
    pub manifest: Manifest,
    parts: Vec<(String, Vec<u8>)>,
}

impl Bundle {
    /// Packs parts under a manifest.
    ///
    /// # Errors
    /// When the manifest or the parts are not those of a well-formed bundle.
    pub fn new(manifest: Manifest, parts: Vec<(String, Vec<u8>)>) -> Result<Self, BundleError> {
        let mut parts = parts;
        parts.sort();
        let bundle = Bundle { manifest, parts };
        codec::check(&bundle)?;
        Ok(bundle)
    }

    /// A bundle of the one part that its kind must have.
    ///
    /// # Errors
    /// As [`Bundle::new`].
    pub fn single(manifest: Manifest, content: Vec<u8>) -> Result<Self, BundleError> {
        let name = manifest.kind.part_name().to_owned();
        Bundle::new(manifest, vec![(name, content)])
    }

    /// The bytes of the part that its kind must have.
    pub fn content(&self) -> &[u8] {
        self.part(self.manifest.kind.part_name()).unwrap_or_default()
    }

    /// A part's bytes.
    pub fn part(&self, name: &str) -> Option<&[u8]> {
        self.parts.iter().find(|(part, _)| part == name).map(|(_, bytes)| bytes.as_slice())
    }

    /// Names and sizes of the parts, for `bundle inspect`.
    pub fn parts(&self) -> impl Iterator<Item = (&str, usize)> {
        self.parts.iter().map(|(name, bytes)| (name.as_str(), bytes.len()))
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// When they would be larger than [`BUNDLE_BYTES_MAX`].
    pub fn encode(&self) -> Result<Vec<u8>, BundleError> {
        codec::encode(self)
    }

    /// Reads canonical bytes; every hash is checked.
    ///
    /// # Errors
    /// When the bytes are not the one encoding of a well-formed bundle.
    pub fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        codec::decode(bytes)
    }
}

/// The ID of these bytes.
pub fn bundle_id(bytes: &[u8]) -> String {
    format!("{ID_PREFIX}{}", hex::encode(Sha512::digest(bytes)))
}

/// Whether this is the form of a bundle ID: `b1-` and 128 lower-case hex digits.
pub fn is_bundle_id(text: &str) -> bool {
    text.strip_prefix(ID_PREFIX).is_some_and(|digits| {
        digits.len() == 128 && digits.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
    })
}

/// Decodes bytes and checks that they are what `id` names (`bundle verify`).
///
/// # Errors
/// When they are not, or are no bundle.
pub fn verify(bytes: &[u8], id: &str) -> Result<Bundle, BundleError> {
    let actual = bundle_id(bytes);
    if actual != id {
        return Err(BundleError::Id { expected: id.to_owned(), actual });
    }
    Bundle::decode(bytes)
}

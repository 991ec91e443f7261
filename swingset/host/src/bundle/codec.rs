//! The exact bytes of a bundle.
//!
//! `SWBUNDLE`, then the manifest in the encoding of [`swingset_abi::wire`], then the parts' bytes in the manifest's order.

use sha2::{Digest, Sha512};
use swingset_abi::{
    wire::{Blob, Reader, Wire, WireError},
    wire_enum, wire_struct,
};

use super::{Bundle, BundleKind, Manifest};

/// First bytes of every bundle.
pub const MAGIC: &[u8; 8] = b"SWBUNDLE";
/// Version of the format.
pub const FORMAT: u32 = 1;
/// Largest bundle, in bytes (SwingSet InstallBundle's cap).
pub const BUNDLE_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Most parts, and most supervisor ABI levels.
const ITEMS_MAX: usize = 16;
const NAME_MAX: usize = 64;

/// Why bytes are no bundle, or parts make none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Larger than [`BUNDLE_BYTES_MAX`].
    #[error("bundle has {size} bytes; the limit is {BUNDLE_BYTES_MAX}")]
    Size {
        /// Its size.
        size: usize,
    },
    /// It does not begin with [`MAGIC`].
    #[error("not a bundle: it must begin with SWBUNDLE")]
    Magic,
    /// The manifest is not in canonical form.
    #[error("manifest is not in its canonical form: {0}")]
    Encoding(#[from] WireError),
    /// Another format version.
    #[error("bundle format {0} is not known; this engine reads format {FORMAT}")]
    Format(u32),
    /// A name is empty, too long or has other characters than `[a-z0-9._-]`.
    #[error("name {0:?} is not 1 to 64 characters of a-z, 0-9, '.', '_' and '-'")]
    Name(String),
    /// Parts or ABI levels are not in strictly ascending order.
    #[error("{0} are not in strictly ascending order")]
    Order(&'static str),
    /// Too many parts or levels, or none.
    #[error("a bundle has 1 to {ITEMS_MAX} parts and at most {ITEMS_MAX} supervisor ABI levels")]
    Count,
    /// The part that this kind must have is missing.
    #[error("a {kind} bundle must have the part {part}")]
    MissingPart {
        /// The kind.
        kind: &'static str,
        /// The part.
        part: &'static str,
    },
    /// Sizes in the manifest do not add up to what follows it.
    #[error("manifest declares {declared} bytes of parts, {actual} follow")]
    PartSizes {
        /// Sum in the manifest.
        declared: u64,
        /// Bytes there.
        actual: usize,
    },
    /// A part is not what its hash names.
    #[error("part {0} does not have the SHA-512 that the manifest names")]
    PartHash(String),
    /// Schema range of a kernel is empty, or another kind has one.
    #[error("schema range {from} to {to} does not fit a {kind} bundle")]
    Schema {
        /// The kind.
        kind: &'static str,
        /// Least.
        from: u32,
        /// Greatest.
        to: u32,
    },
    /// The bytes are not what the ID names.
    #[error("the bytes have the ID {actual}, not {expected}")]
    Id {
        /// The alleged ID.
        expected: String,
        /// The bytes' own.
        actual: String,
    },
}

wire_enum!(BundleKind { 0 => Kernel {}, 1 => Lockdown {}, 2 => Supervisor {}, 3 => Vat {}, 4 => Device {} });

struct PartEntry {
    name: String,
    sha512: Blob,
    size: u64,
}
wire_struct!(PartEntry { name, sha512, size });

struct Encoded {
    format: u32,
    kind: BundleKind,
    name: String,
    host_abi: u32,
    supervisor_abis: Vec<u32>,
    schema_from: u32,
    schema_to: u32,
    parts: Vec<PartEntry>,
}
wire_struct!(Encoded { format, kind, name, host_abi, supervisor_abis, schema_from, schema_to, parts });

fn check_name(name: &str) -> Result<(), BundleError> {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(allowed) {
        return Err(BundleError::Name(name.chars().take(NAME_MAX).collect()));
    }
    Ok(())
}

fn strictly_ascending<T: Ord>(items: &[T]) -> bool {
    items.windows(2).all(|pair| pair[0] < pair[1])
}

/// The rules that a bundle's values must meet, whether packed or read.
pub(super) fn check(bundle: &Bundle) -> Result<(), BundleError> {
    let manifest = &bundle.manifest;
    check_name(&manifest.name)?;
    if bundle.parts.is_empty() || bundle.parts.len() > ITEMS_MAX || manifest.supervisor_abis.len() > ITEMS_MAX {
        return Err(BundleError::Count);
    }
    for (name, _) in &bundle.parts {
        check_name(name)?;
    }
    if !bundle.parts.windows(2).all(|pair| pair[0].0 < pair[1].0) {
        return Err(BundleError::Order("parts"));
    }
    if !strictly_ascending(&manifest.supervisor_abis) {
        return Err(BundleError::Order("supervisor ABI levels"));
    }
    let kind = manifest.kind;
    if bundle.part(kind.part_name()).is_none() {
        return Err(BundleError::MissingPart { kind: kind.name(), part: kind.part_name() });
    }
    let fits = match kind {
        BundleKind::Kernel {} => 0 < manifest.schema_from && manifest.schema_from <= manifest.schema_to,
        _ => manifest.schema_from == 0 && manifest.schema_to == 0,
    };
    if !fits {
        let (from, to) = (manifest.schema_from, manifest.schema_to);
        return Err(BundleError::Schema { kind: kind.name(), from, to });
    }
    Ok(())
}

pub(super) fn encode(bundle: &Bundle) -> Result<Vec<u8>, BundleError> {
    let manifest = &bundle.manifest;
    let parts = bundle.parts.iter().map(|(name, bytes)| PartEntry {
        name: name.clone(),
        sha512: Blob(Sha512::digest(bytes).to_vec()),
        size: bytes.len() as u64,
    });
    let encoded = Encoded {
        format: FORMAT,
        kind: manifest.kind,
        name: manifest.name.clone(),
        host_abi: manifest.host_abi,
        supervisor_abis: manifest.supervisor_abis.clone(),
        schema_from: manifest.schema_from,
        schema_to: manifest.schema_to,
        parts: parts.collect(),
    };
    let mut out = MAGIC.to_vec();
    encoded.encode(&mut out);
    for (_, bytes) in &bundle.parts {
        out.extend_from_slice(bytes);
    }
    if out.len() > BUNDLE_BYTES_MAX { Err(BundleError::Size { size: out.len() }) } else { Ok(out) }
}

pub(super) fn decode(bytes: &[u8]) -> Result<Bundle, BundleError> {
    if bytes.len() > BUNDLE_BYTES_MAX {
        return Err(BundleError::Size { size: bytes.len() });
    }
    let rest = bytes.strip_prefix(MAGIC).ok_or(BundleError::Magic)?;
    let mut reader = Reader::new(rest);
    // The format decides what follows, so it is looked at before anything else.
    let format = u32::decode(&mut Reader::new(rest))?;
    if format != FORMAT {
        return Err(BundleError::Format(format));
    }
    let encoded = Encoded::decode(&mut reader)?;
    let content = reader.rest();
    let declared = encoded.parts.iter().try_fold(0u64, |sum, part| sum.checked_add(part.size));
    if declared != Some(content.len() as u64) {
        return Err(BundleError::PartSizes { declared: declared.unwrap_or(u64::MAX), actual: content.len() });
    }
    let mut parts = Vec::new();
    let mut left = content;
    for part in encoded.parts {
        let size = usize::try_from(part.size).map_err(|_| BundleError::Size { size: usize::MAX })?;
        let (head, tail) = left.split_at_checked(size).ok_or(BundleError::Encoding(WireError::Truncated))?;
        if Sha512::digest(head)[..] != part.sha512.0[..] {
            return Err(BundleError::PartHash(part.name.chars().take(NAME_MAX).collect()));
        }
        parts.push((part.name, head.to_vec()));
        left = tail;
    }
    let manifest = Manifest {
        kind: encoded.kind,
        name: encoded.name,
        host_abi: encoded.host_abi,
        supervisor_abis: encoded.supervisor_abis,
        schema_from: encoded.schema_from,
        schema_to: encoded.schema_to,
    };
    let bundle = Bundle { manifest, parts };
    check(&bundle)?;
    Ok(bundle)
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;

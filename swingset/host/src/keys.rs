//! Every key that the host touches, in one place.
//!
//! | key | holds |
//! |---|---|
//! | `swingset/k/<name>` | the kernel's kvStore |
//! | `swingset/h/<name>` | the host's own: `kernelBundleID`, `lockdownBundleID`, `supervisorBundleID`, `namedBundleID.<name>`, `activityhash`, `hostABI`, `engine` (identity), `status`, `migration`, `installed` |
//! | `swingset/h/bundle/<id>` | what is known of an installed bundle ([`crate::bundle::BundleRecord`]) |
//! | `swingset/h/storedBytesMax.<id>` | bytes that a vat under this lockdown policy may have stored, for the kernel to read |
//! | `swingset/h/uses/<id>` | how many living vats are made of a bundle, in decimal; absent at none ([`crate::uses`]) |
//! | `swingset/h/released/<id>` | there when nobody holds an installed bundle for its own sake |
//! | `swingset/h/freeable/<id>` | there from when a released bundle lost a name until somebody looked whether it was the last |
//! | `swingset/h/vat/<vat>` | a vat's leaf: the root over its memory and globals ([`crate::pages::Leaf`]) |
//! | `~swingset/bundle/<id>` | a bundle's bytes; bound by the ID, which is their hash |
//! | `~swingset/vat/<vat>` | lengths and globals of a vat's instances; bound by the leaf |
//! | `~swingset/page/<vat>/<instance><page>` | 4 KiB of a vat's memory; instance one byte, page four, big-endian; bound by the leaf |

/// Prefix of the kernel's keys.
pub const KERNEL: &[u8] = b"swingset/k/";
/// Prefix of the host's keys.
pub const HOST: &[u8] = b"swingset/h/";
/// Prefix of what is kept outside the tree.
pub const UNHASHED: &[u8] = b"~swingset/";

/// Bundle ID of the kernel.
pub const KERNEL_BUNDLE_ID: &str = "kernelBundleID";
/// Bundle ID of the default lockdown policy.
pub const LOCKDOWN_BUNDLE_ID: &str = "lockdownBundleID";
/// Bundle ID of the default supervisor.
pub const SUPERVISOR_BUNDLE_ID: &str = "supervisorBundleID";
/// Begins the names of named bundles.
pub const NAMED_BUNDLE_PREFIX: &str = "namedBundleID.";
/// Begins the names of installed bundles' records.
pub const BUNDLE_RECORD_PREFIX: &str = "bundle/";
/// Begins the names of what installed lockdown policies say of vats' stored bytes.
pub const STORED_BYTES_MAX_PREFIX: &str = "storedBytesMax.";
/// Bundles that were installed and that the kernel is still to be told of, since someone waits for them.
pub const INSTALLED: &str = "installed";
/// Hash chain over all cranks.
pub const ACTIVITY_HASH: &str = "activityhash";
/// Host ABI level of the state.
pub const HOST_ABI: &str = "hostABI";
/// Engine identity.
pub const ENGINE: &str = "engine";
/// Engine status; absent while it runs.
pub const STATUS: &str = "status";
/// Cursor of a schema migration under way; absent otherwise.
pub const MIGRATION: &str = "migration";

/// The kernel's key for its schema.
pub const KERNEL_SCHEMA: &str = "version";
/// The kernel's count of cranks.
pub const KERNEL_CRANK_NUMBER: &str = "crankNumber";
/// Begins the kernel's keys of bundles that someone waits for.
pub const KERNEL_BUNDLE_WAITS: &str = "bundleWait.";
/// The earliest time for which something waits in the kernel's timer, in seconds.
pub const KERNEL_TIMER_NEXT: &str = "timer.next";
/// Names of the kernel's static vats, comma separated.
pub const KERNEL_VAT_NAMES: &str = "vat.names";
/// Begins the kernel's keys of static vats' IDs, by name.
pub const KERNEL_VAT_NAME_PREFIX: &str = "vat.name.";
/// Begins the kernel's keys of the dynamic vats that live, by ID.
pub const KERNEL_DYNAMIC_VAT_PREFIX: &str = "vat.dynamicIDs.";

/// Whether a kernel key is the host's: readable by the kernel, a write to it traps.
pub fn host_owned(kernel_key: &[u8]) -> bool {
    [KERNEL_BUNDLE_ID, LOCKDOWN_BUNDLE_ID, SUPERVISOR_BUNDLE_ID, ACTIVITY_HASH]
        .iter()
        .any(|name| name.as_bytes() == kernel_key)
        || kernel_key.starts_with(NAMED_BUNDLE_PREFIX.as_bytes())
        || kernel_key.starts_with(BUNDLE_RECORD_PREFIX.as_bytes())
        || kernel_key.starts_with(STORED_BYTES_MAX_PREFIX.as_bytes())
}

fn join(prefix: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(prefix.len().saturating_add(rest.len()));
    key.extend_from_slice(prefix);
    key.extend_from_slice(rest);
    key
}

/// Full key of a kernel key.
pub fn kernel(name: &[u8]) -> Vec<u8> {
    join(KERNEL, name)
}

/// Full key of a host name.
pub fn host(name: &str) -> Vec<u8> {
    join(HOST, name.as_bytes())
}

/// Full key of what the kernel reads as `name`: the host's own for the names that it owns.
pub fn seen_by_kernel(name: &[u8]) -> Vec<u8> {
    join(if host_owned(name) { HOST } else { KERNEL }, name)
}

/// The record of an installed bundle.
pub fn bundle_record(id: &str) -> Vec<u8> {
    host(&format!("{BUNDLE_RECORD_PREFIX}{id}"))
}

/// What a lockdown policy says of vats' stored bytes, where the kernel reads it.
pub fn stored_bytes_max(id: &str) -> Vec<u8> {
    host(&format!("{STORED_BYTES_MAX_PREFIX}{id}"))
}

/// A bundle's bytes.
pub fn bundle_bytes(id: &str) -> Vec<u8> {
    join(UNHASHED, format!("bundle/{id}").as_bytes())
}

/// How many living vats are made of a bundle.
pub fn bundle_uses(id: &str) -> Vec<u8> {
    host(&format!("uses/{id}"))
}

/// The mark of a released bundle.
pub fn bundle_released(id: &str) -> Vec<u8> {
    host(&format!("released/{id}"))
}

/// Prefix of the marks of released bundles that lost a name.
pub const FREEABLE: &[u8] = b"swingset/h/freeable/";

/// The mark of a released bundle that lost a name.
pub fn bundle_freeable(id: &str) -> Vec<u8> {
    join(FREEABLE, id.as_bytes())
}

/// A vat's leaf.
pub fn vat_leaf(vat: &str) -> Vec<u8> {
    host(&format!("vat/{vat}"))
}

/// Lengths and globals of a vat's instances.
pub fn vat_header(vat: &str) -> Vec<u8> {
    join(UNHASHED, format!("vat/{vat}").as_bytes())
}

/// Prefix of a vat's pages.
pub fn vat_pages(vat: &str) -> Vec<u8> {
    join(UNHASHED, format!("page/{vat}/").as_bytes())
}

/// One page.
pub fn vat_page(vat: &str, instance: u8, page: u32) -> Vec<u8> {
    let mut key = vat_pages(vat);
    key.push(instance);
    key.extend_from_slice(&page.to_be_bytes());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_the_golden_ones() {
        assert_eq!(kernel(b"ko20.owner"), b"swingset/k/ko20.owner");
        assert_eq!(host(KERNEL_BUNDLE_ID), b"swingset/h/kernelBundleID");
        assert_eq!(bundle_record("b1-00"), b"swingset/h/bundle/b1-00");
        assert_eq!(bundle_bytes("b1-00"), b"~swingset/bundle/b1-00");
        assert_eq!(bundle_uses("b1-00"), b"swingset/h/uses/b1-00");
        assert_eq!(bundle_released("b1-00"), b"swingset/h/released/b1-00");
        assert_eq!(bundle_freeable("b1-00"), b"swingset/h/freeable/b1-00");
        assert_eq!(vat_leaf("v1"), b"swingset/h/vat/v1");
        assert_eq!(vat_header("v1"), b"~swingset/vat/v1");
        assert_eq!(vat_page("v1", 1, 258), b"~swingset/page/v1/\x01\x00\x00\x01\x02");
    }

    #[test]
    fn the_kernel_reads_host_owned_names_where_the_host_keeps_them() {
        assert_eq!(seen_by_kernel(b"kernelBundleID"), b"swingset/h/kernelBundleID");
        assert_eq!(seen_by_kernel(b"namedBundleID.bank"), b"swingset/h/namedBundleID.bank");
        assert_eq!(seen_by_kernel(b"version"), b"swingset/k/version");
        assert_eq!(seen_by_kernel(b"bundle/b1-00"), bundle_record("b1-00"));
        assert_eq!(seen_by_kernel(b"storedBytesMax.b1-00"), stored_bytes_max("b1-00"));
        assert!(!host_owned(b"kernelBundleIDx"));
        assert!(!host_owned(b"bundleWait.b1-00"));
    }
}

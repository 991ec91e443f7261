//! Who names a bundle: counted for living vats where the kernel's records of them are written, looked up for the rest.
//!
//! # Invariants
//! - `uses/<id>` is the number of `v$N.source` records that name the bundle, as code, supervisor or lockdown policy; a kernel cannot
//!   write it.
//! - What is freed was released, and no living vat, ID or name stands for it.

use bytes::Bytes;
use swingset_abi::{kernel::VatSource, wire::Wire};

use crate::{
    env::{EnvError, Environment, for_each_entry},
    keys,
};

/// Whether a kernel key is a vat's `v$N.source`.
fn is_source(key: &[u8]) -> bool {
    let number = key.strip_prefix(b"v").and_then(|rest| rest.strip_suffix(b".source"));
    number.is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

/// Counts a write of the kernel's, before it is made. `full` is the key in the environment.
pub(crate) fn count(env: &mut dyn Environment, key: &[u8], full: &[u8], after: Option<&[u8]>) -> Result<(), EnvError> {
    if !is_source(key) {
        return Ok(());
    }
    let before = env.get(full)?;
    if before.as_deref() == after {
        return Ok(());
    }
    // The new names first: a bundle that is named before and after never falls to none in between.
    for id in named(after) {
        add(env, &id)?;
    }
    for id in named(before.as_deref()) {
        take(env, &id)?;
    }
    Ok(())
}

/// The bundles that a record names, each once. What is no record names none: the host refuses to run such a vat.
fn named(source: Option<&[u8]>) -> Vec<String> {
    let Some(Ok(source)) = source.map(VatSource::from_bytes) else { return Vec::new() };
    let mut ids = vec![source.bundle_id, source.supervisor_bundle_id, source.lockdown_bundle_id];
    ids.sort();
    ids.dedup();
    ids
}

/// How many living vats are made of a bundle.
pub(crate) fn of(env: &dyn Environment, id: &str) -> Result<u64, EnvError> {
    let count = env.get(&keys::bundle_uses(id))?;
    Ok(count.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok()).unwrap_or(0))
}

fn add(env: &mut dyn Environment, id: &str) -> Result<(), EnvError> {
    let uses = of(env, id)?.saturating_add(1);
    env.set(&keys::bundle_uses(id), Bytes::from(uses.to_string()))
}

fn take(env: &mut dyn Environment, id: &str) -> Result<(), EnvError> {
    match of(env, id)?.saturating_sub(1) {
        0 => {
            env.delete(&keys::bundle_uses(id))?;
            lost_a_name(env, id)
        }
        uses => env.set(&keys::bundle_uses(id), Bytes::from(uses.to_string())),
    }
}

/// A name of a bundle is gone: if it is released, somebody must look whether that was the last one.
pub(crate) fn lost_a_name(env: &mut dyn Environment, id: &str) -> Result<(), EnvError> {
    if env.get(&keys::bundle_released(id))?.is_some() {
        env.set(&keys::bundle_freeable(id), Bytes::from_static(b"1"))?;
    }
    Ok(())
}

/// Whether an ID or a name in state stands for a bundle.
pub(crate) fn is_named(env: &dyn Environment, id: &str) -> Result<bool, EnvError> {
    for name in [keys::KERNEL_BUNDLE_ID, keys::LOCKDOWN_BUNDLE_ID, keys::SUPERVISOR_BUNDLE_ID] {
        if env.get(&keys::host(name))?.as_deref() == Some(id.as_bytes()) {
            return Ok(true);
        }
    }
    // As many as the releases have named vats.
    let mut named = false;
    for_each_entry(env, &keys::host(keys::NAMED_BUNDLE_PREFIX), |_, value| -> Result<(), EnvError> {
        named |= value == id.as_bytes();
        Ok(())
    })?;
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_vats_source_is_counted() {
        for (key, expected) in [
            (&b"v1.source"[..], true),
            (b"v120.source", true),
            (b"v.source", false),
            (b"v1x.source", false),
            (b"v1.sources", false),
            (b"kd1.source", false),
            (b"v1.vs.v2.source", false),
        ] {
            assert_eq!(is_source(key), expected, "{}", String::from_utf8_lossy(key));
        }
    }
}

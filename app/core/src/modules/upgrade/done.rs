//! What an applied plan is recorded with: digests of the handler, of the bundles and of what changed. Two binaries that carry
//! different repairs under one name commit different states in the plan's own block, and the record says in what they differ.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256, Sha512};

use crate::{
    error::{Failure, Rejected},
    ports::{engine::ReleaseBundles, upgrade::Plan},
    sdk_error::SdkError,
    state::Changes,
};

/// SHA-256 over parts, each with its length before it.
pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// SHA-256 over net changes in key order: each key, whether it is there now, and its value.
pub fn of_changes(changes: &Changes) -> [u8; 32] {
    of_parts(changes.iter().flat_map(|(key, value)| match value {
        Some(value) => [key.as_slice(), b"set", value.as_ref()],
        None => [key.as_slice(), b"deleted", b""],
    }))
}

fn bundle_id(bytes: &[u8]) -> String {
    format!("b1-{}", hex::encode(Sha512::digest(bytes)))
}

/// IDs of a release's bundles, by name; a vat's is `vat/` and its name.
pub fn bundle_ids(bundles: &ReleaseBundles) -> BTreeMap<String, String> {
    let engine = [("kernel", &bundles.kernel), ("lockdown", &bundles.lockdown), ("supervisor", &bundles.supervisor)];
    let engine = engine.into_iter().map(|(name, bytes)| (name.to_owned(), bundle_id(bytes)));
    engine.chain(bundles.vats.iter().map(|(name, bytes)| (format!("vat/{name}"), bundle_id(bytes)))).collect()
}

/// SHA-256 over names and IDs of a release's bundles.
pub fn of_bundles(ids: &BTreeMap<String, String>) -> [u8; 32] {
    of_parts(ids.iter().flat_map(|(name, id)| [name.as_bytes(), id.as_bytes()]))
}

/// Refuses a release that carries other bundles than those that the plan names: it is not the one that was agreed on.
///
/// # Errors
/// SDK 35.
pub fn check_bundles(plan: &Plan, ids: &BTreeMap<String, String>) -> Result<(), Failure> {
    for (name, wanted) in super::info::stored(&plan.info).bundles {
        let found = ids.get(&name).map_or("none", String::as_str);
        if found != wanted {
            let reason =
                format!("the plan names the {name} bundle {wanted}, this release carries {found}: it is another build");
            return Err(Rejected::sdk(SdkError::Logic as u32, reason).into());
        }
    }
    Ok(())
}

/// Refuses a release that writes another app version than the plan names: headers carry that one already.
///
/// # Errors
/// SDK 35.
pub fn check_app_version(plan: &Plan, app_version: u64) -> Result<(), Failure> {
    match super::info::stored(&plan.info).app_version {
        Some(wanted) if wanted != app_version => {
            let reason =
                format!("the plan names app version {wanted}, this release writes {app_version}: it is another build");
            Err(Rejected::sdk(SdkError::Logic as u32, reason).into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lists_of_parts_have_one_digest_by_moving_bytes_between_them() {
        let of = |parts: &[&str]| of_parts(parts.iter().map(|part| part.as_bytes()));
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["ab"]), of(&["ab", ""]));
        let set = |value: &str| Changes::from([(b"k".to_vec(), Some(value.to_owned().into_bytes().into()))]);
        assert_ne!(of_changes(&set("")), of_changes(&Changes::from([(b"k".to_vec(), None)])));
        assert_ne!(of_changes(&set("1")), of_changes(&set("2")));
    }

    #[test]
    fn a_release_with_other_bundles_than_the_plan_names_is_refused() {
        let ids = bundle_ids(&ReleaseBundles { kernel: b"k".to_vec(), ..ReleaseBundles::default() });
        let kernel = ids.get("kernel").unwrap();
        let plan = |id: &str| Plan {
            name: "v".to_owned(),
            height: 5,
            info: format!("{{\"bundles\":{{\"kernel\":\"{id}\"}}}}"),
        };
        check_bundles(&plan(kernel), &ids).unwrap();
        let other = format!("b1-{}", "0".repeat(128));
        let refused = check_bundles(&plan(&other), &ids).unwrap_err().to_string();
        assert!(refused.contains("it is another build"), "{refused}");
    }
}

//! `bundles.lock` and the files.

use std::path::Path;

use sha2::{Digest, Sha512};
use swingset_bundles::{RELEASES, TEST, VATS};
use swingset_host::bundle::{Bundle, bundle_id};

#[test]
fn the_lock_names_exactly_the_committed_bundles() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lock: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join("bundles.lock")).unwrap()).unwrap();
    let entries = lock["bundles"].as_array().unwrap();
    for entry in entries {
        let path = entry["path"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(path)).unwrap();
        assert_eq!(entry["id"].as_str().unwrap(), bundle_id(&bytes), "{path}");
        let bundle = Bundle::decode(&bytes).unwrap();
        assert_eq!(entry["content_sha512"].as_str().unwrap(), hex::encode(Sha512::digest(bundle.content())), "{path}");
    }
    assert_eq!(
        entries.len(),
        RELEASES.len() * 3 + VATS.len() + TEST.len(),
        "what is embedded is locked, and nothing else is"
    );
}

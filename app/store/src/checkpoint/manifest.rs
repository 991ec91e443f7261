//! What a checkpoint says of itself, `manifest.json`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use swing_files::{Files, write_synced};

use super::CheckpointError;
use crate::tree::Hash;

/// The manifest's name in a checkpoint.
pub const MANIFEST_FILE: &str = "manifest.json";

/// The one form that is read and written.
const FORMAT: u32 = 1;

/// A manifest is a few hundred bytes; more is not one.
const BYTES_MAX: u64 = 64 << 10;

/// What the store cannot know of a checkpoint by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The chain's ID.
    pub chain_id: String,
    /// The committed app version.
    pub app_version: u64,
    /// The release that made the checkpoint.
    pub release: String,
    /// The block before which it was made.
    pub created_by_height: u64,
}

/// A checkpoint's manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The manifest's own form.
    format: u32,
    /// The checkpoint's ID: `HEIGHT-COUNTER`. No two that exist at one time share a counter.
    pub id: String,
    /// The committed version that it holds.
    pub height: u64,
    /// The app hash of that version, in hexadecimal.
    pub app_hash: String,
    /// What its maker said of it.
    pub label: Label,
}

impl Manifest {
    pub(super) fn new(id: String, height: u64, app_hash: &Hash, label: Label) -> Self {
        Manifest { format: FORMAT, id, height, app_hash: hex(app_hash), label }
    }

    /// Reads the manifest of the checkpoint in `folder`, whose name must be its ID.
    pub(super) fn read(files: &dyn Files, folder: &Path) -> Result<Self, CheckpointError> {
        let path = folder.join(MANIFEST_FILE);
        let text = files.read(&path, BYTES_MAX).map_err(CheckpointError::io(&path))?;
        let bad = |reason: String| CheckpointError::BadManifest { path: path.clone(), reason };
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(bad(format!("format {}, this build reads {FORMAT}", manifest.format)));
        }
        if folder.file_name().is_none_or(|name| name != manifest.id.as_str()) {
            return Err(bad(format!("it is of checkpoint {}", manifest.id)));
        }
        Ok(manifest)
    }

    /// Writes it into a checkpoint's folder, synced.
    pub(super) fn write(&self, files: &dyn Files, folder: &Path) -> Result<(), CheckpointError> {
        let path = folder.join(MANIFEST_FILE);
        let bad =
            |error: serde_json::Error| CheckpointError::BadManifest { path: path.clone(), reason: error.to_string() };
        let mut text = serde_json::to_vec_pretty(self).map_err(bad)?;
        text.push(b'\n');
        write_synced(files, &path, &text).map_err(CheckpointError::io(&path))
    }

    /// Compares a version and root hash with the manifest's.
    pub(super) fn check(&self, height: u64, app_hash: &Hash) -> Result<(), CheckpointError> {
        let mismatch = |what, expected: &dyn ToString, found: &dyn ToString| CheckpointError::Mismatch {
            id: self.id.clone(),
            what,
            expected: expected.to_string(),
            found: found.to_string(),
        };
        if height != self.height {
            return Err(mismatch("height", &self.height, &height));
        }
        if hex(app_hash) != self.app_hash {
            return Err(mismatch("app hash", &self.app_hash, &hex(app_hash)));
        }
        Ok(())
    }

    /// The number that orders checkpoints by when they were made.
    pub(super) fn counter(&self) -> u64 {
        counter_of(&self.id).unwrap_or(0)
    }
}

/// The counter in an ID; none when the text is no ID.
pub(super) fn counter_of(id: &str) -> Option<u64> {
    let (height, counter) = id.split_once('-')?;
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    number(height).and(number(counter))
}

/// Bytes as upper-case hexadecimal, as app hashes are shown everywhere.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use swing_files::Disk;

    use super::*;

    #[track_caller]
    fn check(name: &str, edit: impl FnOnce(String) -> String, part: &str) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let place = folder.path().join(name);
        fs::create_dir(&place).expect("made");
        let label =
            Label { chain_id: "test-1".into(), app_version: 1, release: "version-1".into(), created_by_height: 8 };
        let manifest = Manifest::new("7-3".to_owned(), 7, &[0xab; 32], label);
        manifest.write(&Disk, &place).expect("written");
        let path = place.join(MANIFEST_FILE);
        let text = fs::read_to_string(&path).expect("read");
        fs::write(&path, edit(text)).expect("written");
        match Manifest::read(&Disk, &place) {
            Ok(read) => assert!(part.is_empty() && read == manifest, "{read:?}"),
            Err(error) => assert!(!part.is_empty() && error.to_string().contains(part), "{error}"),
        }
    }

    #[test]
    fn a_manifest_is_read_back_and_one_of_another_folder_form_or_length_is_not() {
        check("7-3", |text| text, "");
        check("7-4", |text| text, "it is of checkpoint 7-3");
        check("7-3", |text| text.replace("\"format\": 1", "\"format\": 2"), "format 2, this build reads 1");
        check("7-3", |text| text[..text.len() / 2].to_owned(), "manifest.json");
        check("7-3", |text| text.replace("\"height\": 7,", "\"height\": 7, \"time\": 1,"), "unknown field");
    }

    #[test]
    fn an_id_is_a_height_and_a_counter_and_nothing_else() {
        assert_eq!(counter_of("120-7"), Some(7));
        for bad in ["", "7", "-7", "7-", "7-x", "7-1-2", ".making-7-1", "+7-1", "../7-1"] {
            assert_eq!(counter_of(bad), None, "{bad}");
        }
    }
}

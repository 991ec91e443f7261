//! `data/skipped-upgrades.json`: which plans this node has skipped, for whoever syncs from before one of them. Advisory: whether a plan
//! is skipped is decided by the flag at the block, and nothing is read here for it.

use std::path::Path;

use serde::{Deserialize, Serialize};
use swing_core::{error::Halt, ports::upgrade::Plan};
use swing_files::{Files, replace_file};

/// The file's name in the data folder.
pub const SKIPPED_FILE: &str = "skipped-upgrades.json";

/// The most of the file that is read.
const BYTES_MAX: u64 = 1 << 20;

/// A plan that was skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedPlan {
    /// Its name.
    pub name: String,
    /// The block in which it was skipped.
    pub height: u64,
}

/// The plans that this node has skipped, oldest first; none where the file cannot be read.
pub fn skipped_plans(files: &dyn Files, data_folder: &Path) -> Vec<SkippedPlan> {
    let text = files.read(&data_folder.join(SKIPPED_FILE), BYTES_MAX);
    text.ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Remembers that a plan was skipped in block `height`.
///
/// # Errors
/// The system's; the file is then as it was.
pub fn note_skipped(files: &dyn Files, data_folder: &Path, plan: &Plan, height: u64) -> Result<(), Halt> {
    let mut all = skipped_plans(files, data_folder);
    let skipped = SkippedPlan { name: plan.name.clone(), height };
    if all.contains(&skipped) {
        return Ok(());
    }
    all.push(skipped);
    let path = data_folder.join(SKIPPED_FILE);
    let failed = |error: &dyn std::fmt::Display| Halt::new(format!("writing {}: {error}", path.display()));
    let text = serde_json::to_vec_pretty(&all).map_err(|error| failed(&error))?;
    replace_file(files, &path, &text).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use swing_files::Disk;

    use super::*;

    #[test]
    fn skipped_plans_are_remembered_once_each_and_a_damaged_file_is_begun_anew() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let plan = |name: &str| Plan { name: name.to_owned(), ..Plan::default() };
        assert!(skipped_plans(&Disk, folder.path()).is_empty());
        for (name, height) in [("version-2", 8), ("version-2", 8), ("version-3", 90)] {
            note_skipped(&Disk, folder.path(), &plan(name), height).expect("written");
        }
        let names = || skipped_plans(&Disk, folder.path()).into_iter().map(|plan| plan.name).collect::<Vec<_>>();
        assert_eq!(names(), ["version-2", "version-3"]);
        fs::write(folder.path().join(SKIPPED_FILE), "[{").expect("written");
        note_skipped(&Disk, folder.path(), &plan("version-4"), 100).expect("written");
        assert_eq!(names(), ["version-4"]);
    }
}

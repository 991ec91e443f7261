//! `data/upgrade-info.json`, which supervisors watch.
//!
//! # Invariants
//! - The file is whole or not there: written beside its place, synced, renamed, and the folder synced.

use std::path::Path;

use swing_core::{error::Halt, ports::upgrade::Plan};
use swing_files::{Files, replace_file};
use swing_upgrades::info;

/// The file's name in the data folder.
pub const INFO_FILE: &str = "upgrade-info.json";

/// Writes the file for a plan that is needed.
///
/// # Errors
/// The system's; the file that was there before is still whole then.
pub fn write_info_file(files: &dyn Files, data_folder: &Path, plan: &Plan) -> Result<(), Halt> {
    let place = data_folder.join(INFO_FILE);
    replace_file(files, &place, &info::encode(plan))
        .map_err(|error| Halt::new(format!("writing {}: {error}", place.display())))
}

#[cfg(test)]
mod tests {
    use swing_core::ports::upgrade::Plan;
    use swing_files::Disk;

    use super::{INFO_FILE, write_info_file};

    fn plan(height: u64) -> Plan {
        Plan { name: "version-2".to_owned(), height, info: "why".to_owned() }
    }

    #[test]
    fn the_file_is_the_sdks_and_a_second_one_replaces_it_whole() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let read = || std::fs::read_to_string(folder.path().join(INFO_FILE)).expect("the file");
        write_info_file(&Disk, folder.path(), &plan(130)).expect("written");
        let first = r#"{"name":"version-2","time":"0001-01-01T00:00:00Z","height":130,"info":"why"}"#;
        assert_eq!(read(), first);
        write_info_file(&Disk, folder.path(), &plan(7)).expect("written");
        assert_eq!(read(), first.replace("130", "7"));
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_leftover_of_a_write_that_was_cut_off_is_no_obstacle() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("upgrade-info.json.tmp"), r#"{"name":"ver"#).expect("a torn file");
        write_info_file(&Disk, folder.path(), &plan(8)).expect("written");
        assert!(std::fs::read_to_string(folder.path().join(INFO_FILE)).expect("the file").contains(r#""height":8"#));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named_in_the_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let missing = folder.path().join("missing");
        let error = write_info_file(&Disk, &missing, &plan(8)).expect_err("no such folder").to_string();
        assert!(error.contains("missing/upgrade-info.json"), "{error}");
    }
}

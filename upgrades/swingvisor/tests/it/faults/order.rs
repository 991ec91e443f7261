//! In which order an upgrade changes files: each is written, synced, given its name, and its folder is synced, before anything is built
//! on it. Some syncs cannot be missed by an outcome, since what is lost is made again; this list misses each.

use super::operations;

/// The journal's next stage.
const STAGE: [&str; 5] = [
    "make_folder cosmovisor/swingvisor",
    "save cosmovisor/swingvisor/journal.json.tmp",
    "sync_file cosmovisor/swingvisor/journal.json.tmp",
    "rename cosmovisor/swingvisor/journal.json",
    "sync_folder cosmovisor/swingvisor",
];
/// The link, of the first binary and of the new one.
const LINK: [&str; 4] = [
    "remove cosmovisor/current.tmp",
    "symlink cosmovisor/current.tmp",
    "rename cosmovisor/current",
    "sync_folder cosmovisor",
];

#[test]
fn everything_is_on_disk_before_the_next_step_is_taken_for_done() {
    let socket = [
        "make_folder cosmovisor/swingvisor",
        "remove cosmovisor/swingvisor/status.sock.tmp",
        "rename cosmovisor/swingvisor/status.sock",
    ];
    let download = [
        "make_folder cosmovisor/swingvisor/downloads",
        "sync_folder cosmovisor/swingvisor",
        "save cosmovisor/swingvisor/downloads/download.part",
        // Its checksum is that of what is on disk.
        "sync_file cosmovisor/swingvisor/downloads/download.part",
        "make_executable cosmovisor/swingvisor/downloads/download.part",
        "make_folder cosmovisor/upgrades/version-2/bin",
        "sync_folder cosmovisor",
        "sync_folder cosmovisor/upgrades",
        "sync_folder cosmovisor/upgrades/version-2",
        "sync_file cosmovisor/swingvisor/downloads/download.part",
        "rename cosmovisor/upgrades/version-2/bin/toyd",
        "sync_folder cosmovisor/upgrades/version-2/bin",
        "remove cosmovisor/swingvisor/downloads/download.part",
        "remove cosmovisor/swingvisor/downloads/binary.part",
    ];
    let backup = [
        "remove data-backup-version-2-7.partial",
        "make_folder data-backup-version-2-7.partial/application.db",
        "hard_link data-backup-version-2-7.partial/application.db/000001.sst",
        "save data-backup-version-2-7.partial/application.db/state.json",
        "sync_file data-backup-version-2-7.partial/application.db/state.json",
        "sync_folder data-backup-version-2-7.partial/application.db",
        "sync_folder data-backup-version-2-7.partial",
        "save data-backup-version-2-7.partial/backup.json",
        "sync_file data-backup-version-2-7.partial/backup.json",
        "sync_folder data-backup-version-2-7.partial",
        "rename data-backup-version-2-7",
        "sync_folder HOME",
    ];
    let note = [
        "save cosmovisor/upgrades/version-2/upgrade-info.json.tmp",
        "sync_file cosmovisor/upgrades/version-2/upgrade-info.json.tmp",
        "rename cosmovisor/upgrades/version-2/upgrade-info.json",
        "sync_folder cosmovisor/upgrades/version-2",
    ];
    let begun = [&socket[..], &LINK, &download, &STAGE].concat();
    let switched = [&backup[..], &STAGE, &STAGE, &note, &LINK, &STAGE, &STAGE].concat();
    let found = operations();
    assert_eq!(found, [&begun[..], &switched, &["remove cosmovisor/swingvisor/status.sock"]].concat());
}

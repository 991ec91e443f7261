//! What makes a file last: it is written, synced, given its name, and its folder is synced, in this order and before anything is built
//! on it. The whole list of what the node does to files around an upgrade and on its ways back.

use swing_tests::faulted::Point;

use super::{
    By,
    back::{ROLLBACK, after_the_upgrade},
    home::{NEW, Place},
    undisturbed,
};

/// What changes something, and the named points that stand for what RocksDB writes.
fn changes<'a>(points: impl IntoIterator<Item = &'a Point>) -> Vec<String> {
    let all = points.into_iter().filter(|point| !matches!(point.name(), "read" | "open_lock"));
    all.map(|point| point.operation.replace("home/", "")).collect()
}

#[track_caller]
fn check(found: &[String], expected: &[&str]) {
    assert_eq!(found, expected, "the order of operations");
}

fn of(by: By) -> Vec<String> {
    changes(undisturbed().points.iter().filter(|(who, _)| *who == by).map(|(_, point)| point))
}

#[test]
fn the_old_release_makes_its_mark_its_checkpoint_and_the_supervisors_file_last_in_this_order() {
    check(
        &of(By::Old),
        &[
            "make_folder data/application.db",
            // The plan is near: it is looked whether a checkpoint can be made.
            "make_folder data/checkpoints",
            "remove data/checkpoints/.unfinished-link",
            "hard_link data/checkpoints/.unfinished-link",
            "remove data/checkpoints/.unfinished-link",
            "save config/priv_validator_high_water.json.tmp",
            "sync_file config/priv_validator_high_water.json.tmp",
            "rename config/priv_validator_high_water.json",
            "sync_folder config",
            "pass after_finalize@7",
            "pass before_commit@7",
            "pass after_commit@7",
            "make_folder data/checkpoints",
            "remove data/checkpoints/.unfinished-link",
            "hard_link data/checkpoints/.unfinished-link",
            "remove data/checkpoints/.unfinished-link",
            "pass before_checkpoint@7",
            "make_folder data/checkpoints/.unfinished-7-2",
            "pass checkpoint_linked@7",
            "save data/checkpoints/.unfinished-7-2/manifest.json",
            "sync_file data/checkpoints/.unfinished-7-2/manifest.json",
            "sync_folder data/checkpoints/.unfinished-7-2",
            "pass checkpoint_described@7",
            "rename data/checkpoints/7-2",
            "sync_folder data/checkpoints",
            "pass after_checkpoint@7",
            "pass before_stop@8",
            "pass before_info_file@8",
            "save data/upgrade-info.json.tmp",
            "sync_file data/upgrade-info.json.tmp",
            "rename data/upgrade-info.json",
            "sync_folder data",
            "pass after_info_file@8",
        ],
    );
}

#[test]
fn the_new_release_removes_no_checkpoint_before_its_name_is_gone_for_good() {
    let beside: Vec<String> = of(By::New).into_iter().filter(|change| change.contains("data/checkpoints")).collect();
    check(
        &beside,
        &[
            "rename data/checkpoints/.unfinished-5-1",
            "sync_folder data/checkpoints",
            "remove data/checkpoints/.unfinished-5-1",
            "save data/checkpoints/7-2/verified",
            "sync_file data/checkpoints/7-2/verified",
        ],
    );
}

#[test]
fn a_rollback_has_all_of_the_old_database_on_disk_before_it_takes_its_place() {
    let place: Place = after_the_upgrade().copy();
    let run = place.run(NEW, None, ROLLBACK);
    assert!(run.status.success(), "{}", run.output);
    let found = changes(&run.points);
    let at = |change: &str| found.iter().position(|found| found == change);
    let taken = at("exchange data/application.db.restoring").expect("it takes its place");
    let (before, after) = found.split_at(taken);
    assert_eq!(before.first().map(String::as_str), Some("remove data/application.db.restoring"));
    assert_eq!(before.get(1).map(String::as_str), Some("make_folder data/application.db.restoring"));
    for (number, change) in before.iter().enumerate().filter(|(_, change)| change.starts_with("copy ")) {
        let synced = change.replace("copy", "sync_file");
        assert_eq!(before.get(number + 1), Some(&synced), "a copy is synced at once");
    }
    let linked = before.iter().rposition(|change| change.starts_with("copy ") || change.starts_with("hard_link "));
    let named = at("sync_folder data/application.db.restoring").expect("its names are synced");
    assert!(linked.expect("it is linked") < named, "{before:#?}");
    check(
        after,
        &[
            "exchange data/application.db.restoring",
            "sync_folder data",
            "rename data/application.db.replaced",
            "sync_folder data",
        ],
    );
}

#[test]
fn a_rollback_of_a_lost_database_has_its_name_on_disk_before_it_says_that_it_is_there() {
    let place: Place = after_the_upgrade().copy();
    place.lose_database();
    let run = place.run(NEW, None, ROLLBACK);
    assert!(run.status.success(), "{}", run.output);
    let found = changes(&run.points);
    let named = found.iter().position(|change| change == "rename data/application.db").expect("it gets its name");
    check(
        &found[named - 1..],
        &["sync_folder data/application.db.restoring", "rename data/application.db", "sync_folder data"],
    );
}

#[test]
fn a_snapshot_gets_its_name_when_all_of_it_is_on_disk() {
    let place: Place = after_the_upgrade().copy();
    let deleted = place.run(NEW, None, &["snapshots", "delete", "8"]);
    assert!(deleted.status.success(), "{}", deleted.output);
    check(
        &changes(&deleted.points),
        &[
            "rename data/snapshots/.unfinished-8-1",
            "sync_folder data/snapshots",
            "remove data/snapshots/.unfinished-8-1",
        ],
    );
    let run = place.run(NEW, None, &["snapshots", "export"]);
    assert!(run.status.success(), "{}", run.output);
    check(
        &changes(&run.points),
        &[
            "make_folder data/application.db",
            "make_folder data/snapshots",
            "make_folder data/snapshots/.unfinished-8-1",
            "save data/snapshots/.unfinished-8-1/0",
            "sync_file data/snapshots/.unfinished-8-1/0",
            "save data/snapshots/.unfinished-8-1/metadata",
            "sync_file data/snapshots/.unfinished-8-1/metadata",
            "sync_folder data/snapshots/.unfinished-8-1",
            "rename data/snapshots/8-1",
            "sync_folder data/snapshots",
        ],
    );
}

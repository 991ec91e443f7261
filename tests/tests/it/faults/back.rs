//! The two ways back, `swingd rollback` and `swingd snapshots restore`: cut off at any operation and run again, they come to the same.

use std::{collections::BTreeMap, sync::OnceLock};

use swing_files::faults::Fault;
use swing_tests::{faulted::Point, script::UPGRADE_HEIGHT};

use super::{
    check_hashes_of, check_struck,
    home::{CHECKPOINT, LAST_HEIGHT, NEW, Place, Run},
    snapshots::large,
    try_all, undisturbed,
};

pub const ROLLBACK: &[&str] = &["rollback", "--to", CHECKPOINT];
const RESTORE: &[&str] = &["snapshots", "restore", "8"];

/// A way back to a height from a home on which block H is committed.
struct Way<'a> {
    from: &'a Place,
    /// The app hashes of its chain.
    hashes: &'a BTreeMap<u64, String>,
    arguments: &'static [&'static str],
    /// The database is gone before it is gone.
    lost: bool,
    height: u64,
}

/// Block H is committed by version-2, nothing above it was signed, and there is a snapshot of it.
pub fn after_the_upgrade() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let place = undisturbed().stopped.copy();
        place.sign(UPGRADE_HEIGHT);
        let run = place.start(NEW, None, UPGRADE_HEIGHT, |place, _| place.is_tidy());
        assert_eq!(run.status.code(), Some(0), "{}", run.output);
        let exported = place.run(NEW, None, &["snapshots", "export"]);
        assert!(exported.status.success(), "{}", exported.output);
        place
    })
}

impl Way<'_> {
    fn begin(&self) -> Place {
        let place = self.from.copy();
        if self.lost {
            place.lose_database();
        }
        place
    }

    #[track_caller]
    fn arrives(&self, place: &Place, case: &str) -> Run {
        let run = place.run(NEW, None, self.arguments);
        assert!(run.status.success(), "{case}: {}", run.output);
        assert_eq!(place.committed(), Some(self.height), "{case}");
        let on = place.start(NEW, None, LAST_HEIGHT, |_, _| true);
        assert_eq!(on.status.code(), Some(0), "{case}: {}", on.output);
        check_hashes_of(&on, self.hashes, case);
        assert!(on.hashes.contains_key(&LAST_HEIGHT), "{case}: {:?}", on.hashes);
        place.check_whole(case);
        run
    }

    fn try_everywhere(&self, what: &str, least: usize) {
        let points: Vec<Point> = self.arrives(&self.begin(), "undisturbed").points;
        assert!(points.len() >= least, "it has more operations than {points:#?}");
        let faults = [Fault::Fail, Fault::KillBefore, Fault::Tear, Fault::PowerCut];
        try_all(
            what,
            &faults,
            &points,
            |point| point,
            |fault, point| {
                let case = format!("{what}: {fault:?} at {point}");
                let place = self.begin();
                let struck = place.run(NEW, Some((fault, point)), self.arguments);
                check_struck(&struck, fault, point, &case);
                // At every moment there is a whole database, or none where there was none.
                let committed = place.committed();
                assert!(committed.is_some() || self.lost, "{case}: the database is gone");
                if self.arguments == RESTORE && committed == Some(self.height) {
                    // It had come to its end.
                    return;
                }
                self.arrives(&place, &case);
            },
        );
    }
}

fn rollback(lost: bool) -> Way<'static> {
    Way {
        from: after_the_upgrade(),
        hashes: &undisturbed().hashes,
        arguments: ROLLBACK,
        lost,
        height: UPGRADE_HEIGHT - 1,
    }
}

#[test]
fn a_rollback_cut_off_at_any_operation_is_run_again_and_comes_to_the_same() {
    rollback(false).try_everywhere("a rollback", 15);
}

#[test]
fn a_rollback_of_a_lost_database_cut_off_at_any_operation_is_run_again_and_comes_to_the_same() {
    rollback(true).try_everywhere("a rollback of a lost database", 10);
}

#[test]
fn a_snapshots_restoring_cut_off_at_any_operation_is_run_again_and_comes_to_the_same() {
    let large = large();
    let way = Way { from: &large.place, hashes: &large.hashes, arguments: RESTORE, lost: true, height: UPGRADE_HEIGHT };
    way.try_everywhere("a snapshot's restoring", 7);
}

//! Two ways through H in one process: with a release that was installed early, and past a plan that is skipped. The checkpoint before H
//! and the record of what was skipped are made by a process that goes on; cut off at any operation on them, the next start has both.

use std::collections::BTreeMap;

use swing_files::faults::Fault;
use swing_node::lifecycle::{SKIPPED_FILE, SkippedPlan};
use swing_tests::{faulted::Point, script::UPGRADE_HEIGHT};

use super::{
    check_hashes_of,
    home::{LAST_HEIGHT, NEW, OLD, Place, Run, before_the_upgrade},
    try_all, undisturbed,
};

/// A way through.
struct Way {
    what: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// What the path of an operation has in it that is tried.
    at: &'static str,
    faults: &'static [Fault],
    /// What must be true of the home afterwards.
    holds: fn(&Place) -> bool,
}

const EARLY: Way = Way {
    what: "a checkpoint of a release that was installed early",
    program: NEW,
    arguments: &[],
    at: "7-2",
    // Where it cannot be made at all, the chain goes on without the way back.
    faults: &[Fault::KillBefore, Fault::Tear, Fault::PowerCut],
    holds: |_| true,
};

const SKIP: Way = Way {
    what: "the record of a skipped plan",
    program: OLD,
    arguments: &["--unsafe-skip-upgrades", "8"],
    at: SKIPPED_FILE,
    faults: &[Fault::Fail, Fault::KillBefore, Fault::Tear, Fault::PowerCut],
    holds: is_recorded,
};

fn is_recorded(place: &Place) -> bool {
    let text = std::fs::read(place.home().data_folder().join(SKIPPED_FILE)).unwrap_or_default();
    let plans: Vec<SkippedPlan> = serde_json::from_slice(&text).unwrap_or_default();
    plans == [SkippedPlan { name: "version-2".into(), height: UPGRADE_HEIGHT }]
}

impl Way {
    fn run(&self, place: &Place, fault: Option<(Fault, &Point)>, done: impl Fn(&Place, &str) -> bool) -> Run {
        place.sign(UPGRADE_HEIGHT - 1);
        place.start_with(self.program, self.arguments, fault, LAST_HEIGHT, done)
    }

    /// Whatever is there, the process goes through H to the last block; gives its operations.
    #[track_caller]
    fn goes_through(&self, place: &Place, hashes: Option<&BTreeMap<u64, String>>, case: &str) -> Run {
        let run = self.run(place, None, |place, _| place.is_tidy());
        assert_eq!(run.status.code(), Some(0), "{case}: {}", run.output);
        assert!(run.hashes.contains_key(&LAST_HEIGHT), "{case}: {:?}", run.hashes);
        hashes.into_iter().for_each(|hashes| check_hashes_of(&run, hashes, case));
        assert!((self.holds)(place), "{case}: {}", run.output);
        place.check_whole(case);
        place.check_no_leftovers(case);
        run
    }

    fn try_everywhere(&self, expected: Option<&BTreeMap<u64, String>>, least: usize) {
        let undisturbed = self.goes_through(&before_the_upgrade().copy(), expected, "undisturbed");
        let points: Vec<Point> =
            undisturbed.points.iter().filter(|point| point.operation.contains(self.at)).cloned().collect();
        assert!(points.len() >= least, "it has more operations than {points:#?}");
        try_all(
            self.what,
            self.faults,
            &points,
            |point| point,
            |fault, point| {
                let case = format!("{}: {fault:?} at {point}", self.what);
                let place = before_the_upgrade().copy();
                let line = format!("operation {point}");
                let struck = self.run(&place, Some((fault, point)), |_, said| said.lines().any(|said| said == line));
                assert!(struck.points.contains(point), "{case}: it never came to it: {}", struck.output);
                assert!(struck.was_killed() || fault == Fault::Fail, "{case}: {:?} {}", struck.status, struck.output);
                check_hashes_of(&struck, &undisturbed.hashes, &case);
                self.goes_through(&place, Some(&undisturbed.hashes), &case);
            },
        );
    }
}

#[test]
fn a_release_installed_early_goes_through_h_whichever_operation_on_its_checkpoint_is_cut_off() {
    EARLY.try_everywhere(Some(&undisturbed().hashes), 6);
}

#[test]
fn a_plan_that_was_skipped_is_remembered_whichever_operation_on_its_record_is_cut_off() {
    SKIP.try_everywhere(None, 4);
}

//! A fault at every operation on files of the node's upgrade path, each in turn, on the real process: it fails, it is torn by a kill, the
//! process is killed before it, or the power is cut after it. A plain restart of whichever binary is right comes to the same app
//! hashes, with no operator. What RocksDB writes is RocksDB's promise: the moments before and after it are points too.

mod back;
mod home;
mod order;
mod snapshots;
mod through;

use std::{
    collections::BTreeMap,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use home::{LAST_HEIGHT, NEW, OLD, Place, Run, before_the_upgrade};
use swing_files::faults::Fault;
use swing_tests::{faulted::Point, script::UPGRADE_HEIGHT};

/// Exit code of a node that another release must follow.
const UPGRADE_NEEDED: i32 = 40;

/// Stories at one time.
const HANDS: usize = 2;

/// Operations that change nothing: no power cut undoes them.
fn only_looks(point: &Point) -> bool {
    matches!(point.name(), "read" | "open_lock")
}

/// Whether this fault says something at this point that no other one says.
fn applies(fault: Fault, point: &Point) -> bool {
    match fault {
        Fault::Fail => point.name() != "pass",
        // Between the reading of one part of a snapshot and the next, the database is written.
        Fault::KillBefore => !only_looks(point) || point.operation.contains("/snapshots/"),
        // As a kill before the next one.
        Fault::KillAfter => false,
        Fault::Tear => matches!(point.name(), "save" | "create" | "copy" | "remove"),
        Fault::PowerCut => !only_looks(point) && point.name() != "pass",
    }
}

/// Tries `story` with each of the faults at each of the points. Says how many there were.
fn try_all<P: Sync>(
    what: &str,
    faults: &[Fault],
    points: &[P],
    of: impl Fn(&P) -> &Point + Sync,
    story: impl Fn(Fault, &P) + Sync,
) {
    let cases: Vec<(Fault, &P)> = points
        .iter()
        .flat_map(|point| faults.iter().map(move |fault| (*fault, point)))
        .filter(|(fault, point)| applies(*fault, of(point)))
        .collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((fault, point)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
            story(*fault, point);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..HANDS {
            scope.spawn(work);
        }
    });
    println!("{what}, {faults:?}: {} points tried of {} operations", cases.len(), points.len());
}

/// Which of the two processes does an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Old,
    New,
}

/// An upgrade with nothing in its way: its operations and its app hashes.
struct Undisturbed {
    points: Vec<(By, Point)>,
    hashes: BTreeMap<u64, String>,
    /// The home as version-1 leaves it.
    stopped: Place,
}

fn undisturbed() -> &'static Undisturbed {
    static UNDISTURBED: OnceLock<Undisturbed> = OnceLock::new();
    UNDISTURBED.get_or_init(|| {
        let place = before_the_upgrade().copy();
        let [old, new] = place.upgrade();
        place.check_no_leftovers("undisturbed");
        let points = |by, run: &Run| run.points.iter().map(|point| (by, point.clone())).collect::<Vec<_>>();
        let points = [points(By::Old, &old), points(By::New, &new)].concat();
        let mut hashes = old.hashes;
        hashes.extend(new.hashes);
        let stopped = before_the_upgrade().copy();
        stopped.sign(UPGRADE_HEIGHT - 1);
        let run = stopped.start(OLD, None, LAST_HEIGHT, |_, _| true);
        assert_eq!(run.status.code(), Some(UPGRADE_NEEDED), "{}", run.output);
        Undisturbed { points, hashes, stopped }
    })
}

#[track_caller]
fn check_hashes(run: &Run, case: &str) {
    check_hashes_of(run, &undisturbed().hashes, case);
}

#[track_caller]
fn check_hashes_of(run: &Run, undisturbed: &BTreeMap<u64, String>, case: &str) {
    for (height, hash) in &run.hashes {
        assert_eq!(Some(hash), undisturbed.get(height), "{case}: the app hash after block {height}");
    }
}

/// The run with the fault: it must have come to it, and died of it where that is its nature.
#[track_caller]
fn check_struck(run: &Run, fault: Fault, point: &Point, case: &str) {
    assert!(run.points.contains(point), "{case}: it never came to it: {}", run.output);
    assert_eq!(run.was_killed(), fault != Fault::Fail, "{case}: {:?} {}", run.status, run.output);
    check_hashes(run, case);
}

/// Version-2 from whatever is there to the last block, and everything in order then.
#[track_caller]
fn finish(place: &Place, case: &str) {
    place.sign(UPGRADE_HEIGHT);
    let run = place.start(NEW, None, LAST_HEIGHT, |place, _| place.is_tidy());
    assert_eq!(run.status.code(), Some(0), "{case}: {}", run.output);
    check_hashes(&run, case);
    assert!(run.hashes.contains_key(&LAST_HEIGHT), "{case}: {:?}", run.hashes);
    place.check_whole(case);
    place.check_no_leftovers(case);
}

fn story(fault: Fault, (by, point): &(By, Point)) {
    let case = format!("{fault:?} at {point}");
    let place = match by {
        By::Old => before_the_upgrade().copy(),
        By::New => undisturbed().stopped.copy(),
    };
    if *by == By::Old {
        place.sign(UPGRADE_HEIGHT - 1);
        let struck = place.start(OLD, Some((fault, point)), LAST_HEIGHT, |_, _| true);
        check_struck(&struck, fault, point, &case);
        place.check_whole(&case);
        // Whatever became of it, the next start says the same as the one that was not disturbed.
        let again = place.start(OLD, None, LAST_HEIGHT, |_, _| true);
        assert_eq!(again.status.code(), Some(UPGRADE_NEEDED), "{case}: {}", again.output);
        assert!(place.home().upgrade_info().exists(), "{case}");
        check_hashes(&again, &case);
        return finish(&place, &case);
    }
    place.sign(UPGRADE_HEIGHT);
    let line = format!("operation {point}");
    let struck = place.start(NEW, Some((fault, point)), LAST_HEIGHT, |_, said| said.lines().any(|said| said == line));
    check_struck(&struck, fault, point, &case);
    place.check_whole(&case);
    finish(&place, &case);
}

fn try_everywhere(faults: &[Fault]) {
    let points = &undisturbed().points;
    assert!(points.len() > 40, "an upgrade has more operations than {points:#?}");
    try_all("an upgrade", faults, points, |(_, point)| point, story);
}

#[test]
fn a_node_goes_through_its_upgrade_whichever_operation_on_files_fails() {
    try_everywhere(&[Fault::Fail]);
}

#[test]
fn a_node_killed_before_or_in_the_middle_of_any_operation_is_followed_by_one_that_goes_through() {
    try_everywhere(&[Fault::KillBefore, Fault::Tear]);
}

#[test]
fn a_power_cut_at_any_operation_of_a_nodes_upgrade_costs_nothing_that_a_restart_does_not_do_again() {
    try_everywhere(&[Fault::PowerCut]);
}

//! Snapshots of several chunks, made and deleted: cut off at any operation, nothing that is not whole stands under a snapshot's name,
//! and the next one is made as if nothing had been. Their restoring is one of the ways back.

use std::{collections::BTreeMap, sync::OnceLock};

use serde_json::json;
use swing_files::faults::Fault;
use swing_store::snapshot::{CHUNK_BYTES, FORMAT, Listed};
use swing_tests::{
    faulted::Point,
    script::{self, UPGRADE_HEIGHT},
};

use super::{
    check_struck,
    home::{LAST_HEIGHT, NEW, Place, executed_to},
    try_all,
};

const EXPORT: &[&str] = &["snapshots", "export"];
const DELETE: &[&str] = &["snapshots", "delete", "8"];
const FAULTS: [Fault; 4] = [Fault::Fail, Fault::KillBefore, Fault::Tear, Fault::PowerCut];

/// Values in the genesis that are as long as a chunk, so that each of them is in two.
const LONG_VALUES: usize = 3;

/// A home whose state is some chunks long.
pub struct Large {
    /// Block H is committed, nothing above it was signed, and there is a snapshot of it.
    pub place: Place,
    /// The app hashes of its chain from there on.
    pub hashes: BTreeMap<u64, String>,
}

/// The script's genesis with denominations that are described at length.
fn long_app_state() -> Vec<u8> {
    let mut state = script::app_state_of(script::CONSENSUS_KEY);
    let described = |number: usize| {
        let base = format!("ulong{number}");
        // Not one byte again and again: the database keeps it as it is.
        let description: String = (number..).map(|word| format!("{word:x} ")).take(CHUNK_BYTES / 5).collect();
        json!({ "description": &description[..CHUNK_BYTES], "denom_units": [{ "denom": base, "exponent": 0, "aliases": [] }],
                "base": base, "display": base, "name": "long", "symbol": "LONG", "uri": "", "uri_hash": "" })
    };
    state["bank"]["denom_metadata"] = (0..LONG_VALUES).map(described).collect();
    serde_json::to_vec(&state).expect("JSON of JSON")
}

pub fn large() -> &'static Large {
    static LARGE: OnceLock<Large> = OnceLock::new();
    LARGE.get_or_init(|| {
        let place = executed_to(UPGRADE_HEIGHT - 1, &long_app_state());
        place.sign(UPGRADE_HEIGHT);
        let upgraded = place.start(NEW, None, UPGRADE_HEIGHT, |_, _| true);
        assert_eq!(upgraded.status.code(), Some(0), "{}", upgraded.output);
        let exported = place.run(NEW, None, EXPORT);
        assert!(exported.status.success(), "{}", exported.output);
        let on = place.copy().start(NEW, None, LAST_HEIGHT, |_, _| true);
        assert_eq!(on.status.code(), Some(0), "{}", on.output);
        let large = Large { place, hashes: on.hashes };
        assert!(snapshot(&large.place).metadata.chunks() > 3, "{:?}", snapshot(&large.place));
        large
    })
}

fn snapshot(place: &Place) -> Listed {
    place.snapshots().find(UPGRADE_HEIGHT, FORMAT).expect("there is a snapshot")
}

fn without_snapshot() -> Place {
    let place = large().place.copy();
    place.snapshots().delete(UPGRADE_HEIGHT, FORMAT).expect("deleted");
    place
}

/// What stands under a snapshot's name is whole. Says whether there is one.
#[track_caller]
fn check_whole(place: &Place, case: &str) -> bool {
    let snapshots = place.snapshots();
    let found = snapshots.list().expect("the folder");
    for listed in &found {
        let listed = listed.as_ref().unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(*listed, snapshot(&large().place), "{case}");
        for index in 0..listed.metadata.chunks() {
            let chunk = snapshots.chunk(listed.height, listed.format, index);
            assert!(chunk.as_ref().is_ok_and(Option::is_some), "{case}: chunk {index}: {:?}", chunk.err());
        }
    }
    !found.is_empty()
}

/// Whatever is there: the snapshot is made, the same as ever, and nothing else is left in the folder.
#[track_caller]
fn make(place: &Place, case: &str) -> Vec<Point> {
    let run = place.run(NEW, None, EXPORT);
    assert!(run.status.success(), "{case}: {}", run.output);
    assert!(check_whole(place, case), "{case}: none is there");
    let folder = place.snapshots().folder().to_owned();
    let names: Vec<_> =
        std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("one").file_name()).collect();
    assert_eq!(names, ["8-1"], "{case}");
    run.points
}

#[test]
fn a_snapshots_making_cut_off_at_any_operation_leaves_no_half_of_one_and_is_done_again() {
    let what = "a snapshot's making";
    let points = make(&without_snapshot(), "undisturbed");
    assert!(points.len() > 15, "it has more operations than {points:#?}");
    try_all(
        what,
        &FAULTS,
        &points,
        |point| point,
        |fault, point| {
            let case = format!("{what}: {fault:?} at {point}");
            let place = without_snapshot();
            let struck = place.run(NEW, Some((fault, point)), EXPORT);
            check_struck(&struck, fault, point, &case);
            assert!(!struck.status.success(), "{case}: {}", struck.output);
            check_whole(&place, &case);
            make(&place, &case);
        },
    );
}

#[test]
fn a_snapshots_deleting_cut_off_at_any_operation_leaves_all_of_it_or_none() {
    let what = "a snapshot's deleting";
    let undisturbed = large().place.copy().run(NEW, None, DELETE);
    assert!(undisturbed.status.success(), "{}", undisturbed.output);
    try_all(
        what,
        &FAULTS,
        &undisturbed.points,
        |point| point,
        |fault, point| {
            let case = format!("{what}: {fault:?} at {point}");
            let place = large().place.copy();
            let struck = place.run(NEW, Some((fault, point)), DELETE);
            check_struck(&struck, fault, point, &case);
            if check_whole(&place, &case) {
                let again = place.run(NEW, None, DELETE);
                assert!(again.status.success(), "{case}: {}", again.output);
            }
            assert!(!check_whole(&place, &case), "{case}: it is still there");
            make(&place, &case);
        },
    );
}

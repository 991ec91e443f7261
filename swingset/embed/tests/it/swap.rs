//! The program from its command line: messages, results, and another kernel under the living state.

use std::fs;

use swingset_bundles::{release, test_bundle};

use crate::support::{Place, entries, queue, reading, run};

#[test]
fn a_message_is_delivered_and_its_result_shown() {
    let place = Place::new();
    let made = place.program("state", &["init"]);
    assert!(made.contains("schema   1\n") && made.contains("no message yet"), "{made}");
    assert!(!place.command("state", &["init"]).output().unwrap().status.success(), "a state is made once");
    place.program("state", &["send", "counter", "increment", "[5]"]);
    assert!(place.program("state", &["show"]).contains(" pending\n"));
    let ran = place.program("state", &["run"]);
    assert!(ran.contains("committed crank "), "{ran}");
    assert!(place.program("state", &["show"]).contains(" fulfilled #\"+5\"\n"));
    place.program("state", &["send", "counter", "increment", "[\"five\"]"]);
    place.program("state", &["run"]);
    assert!(place.program("state", &["show"]).contains(" rejected "));
    assert!(!place.command("state", &["send", "nobody", "hello", "[]"]).output().unwrap().status.success());
}

#[test]
fn a_kernel_swap_loses_no_message_and_a_refused_one_changes_nothing() {
    let place = Place::new();
    let kernel = |version: &str| {
        let path = place.file(version);
        fs::write(&path, release(version).unwrap().kernel).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (older, newer) = (kernel("version-1"), kernel("version-2"));
    let mut machine = place.with_queue("state", 0..5);
    run(&mut machine);
    queue(&mut machine, 5..10);
    drop(machine);
    fs::copy(place.file("state"), place.file("unswapped")).unwrap();

    let swapped = place.program("state", &["swap", &newer]);
    assert!(swapped.contains(" schema 1\n") && swapped.contains(" schema 2\n"), "{swapped}");
    assert!(place.program("state", &["show"]).contains("schema   2\n"));
    let mut machine = place.open("state");
    run(&mut machine);
    let counted = reading(&mut machine);
    assert!(counted.contains("\"count\":\"+10\",\"distinct\":\"+10\""), "{counted}");
    let mut unswapped = place.open("unswapped");
    run(&mut unswapped);
    assert_eq!(reading(&mut unswapped), counted, "the same messages in the same order");

    let before = entries(machine.environment());
    drop(machine);
    fs::write(place.file("garbage"), "no bundle").unwrap();
    let garbage = place.file("garbage").to_str().unwrap().to_owned();
    for refused in [older, garbage] {
        assert!(!place.command("state", &["swap", &refused]).output().unwrap().status.success(), "{refused}");
    }
    assert!(entries(place.open("state").environment()) == before);
}

#[test]
fn a_kernel_that_stops_the_engine_is_replaced_and_each_message_arrives_once() {
    let place = Place::new();
    let mut machine = place.with_queue("state", 0..4);
    run(&mut machine);
    queue(&mut machine, 4..8);
    machine.swap_kernel(test_bundle("kernel-trap").unwrap()).unwrap();
    run(&mut machine);
    drop(machine);
    let shown = place.program("state", &["show"]);
    assert!(shown.contains("stopped  ") && shown.contains(" unknown while the engine is stopped\n"), "{shown}");
    assert!(!place.command("state", &["send", "counter", "read", "[]"]).output().unwrap().status.success());

    let mut machine = place.open("state");
    machine.swap_kernel(release("version-2").unwrap().kernel).unwrap();
    run(&mut machine);
    let counted = reading(&mut machine);
    assert!(counted.contains("\"count\":\"+8\",\"distinct\":\"+8\""), "{counted}");
}

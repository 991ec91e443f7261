//! Transcripts in the state's own file.

use crate::support::{Place, entries};

fn increment(place: &Place, arguments: &[&str]) {
    place.program("state", &["send", "counter", "increment", "[1]"]);
    place.program("state", &[&["run"], arguments].concat());
}

fn file(place: &Place) -> Vec<(Vec<u8>, Vec<u8>)> {
    use swingset_embed::{Compaction, FileEnvironment};
    entries(&FileEnvironment::open(&place.file("state"), Compaction::default()).unwrap())
}

#[test]
fn a_vat_is_replayed_from_them_and_a_turn_without_one_is_a_gap() {
    let place = Place::new();
    place.program("state", &["init"]);
    for _ in 0..3 {
        increment(&place, &["--transcript-mib", "1"]);
    }
    let before = file(&place);
    let said = place.program("state", &["replay", "v1"]);
    assert!(said.starts_with("4 deliveries, "), "startVat and three messages: {said}");
    assert!(before == file(&place), "nothing is written");
    increment(&place, &[]);
    increment(&place, &["--transcript-mib", "1"]);
    let output = place.command("state", &["replay", "v1"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("the transcript has a gap before block 5"), "{said}");
}

//! All reference counts of a state, computed from what refers: c-lists, queues, promises' data, pins, interest.

use std::collections::{BTreeMap, BTreeSet};

use swingset_abi::{
    vat::CapData,
    wire::{Reader, Wire},
};

use crate::{tally, world::World};

/// Krefs that a queued event names: messages and notifies, which are all that random programs queue.
fn named_by(event: &[u8]) -> Vec<String> {
    let mut reader = Reader::new(tally::charge_of(event).1);
    match reader.u8().expect("an event has a tag") {
        0 => {
            let target = String::decode(&mut reader).unwrap();
            let result = Option::<String>::decode(&mut reader).unwrap();
            let methargs = CapData::decode(&mut reader).unwrap();
            [vec![target], result.into_iter().collect(), methargs.slots].concat()
        }
        1 => {
            String::decode(&mut reader).unwrap();
            vec![String::decode(&mut reader).unwrap()]
        }
        7 => vec![String::decode(&mut reader).unwrap()],
        _ => Vec::new(),
    }
}

fn list(text: &str) -> impl Iterator<Item = String> {
    text.split(',').filter(|item| !item.is_empty()).map(str::to_owned)
}

/// Compares every count in state with the references that are there, and every vat's stored bytes with what is stored.
#[track_caller]
pub fn check(world: &World) {
    tally::check(world);
    let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut importers: BTreeSet<String> = BTreeSet::new();
    let pending = world.text("gcActions").as_deref() != Some("0");
    let mut count = |kref: &str, reachable: bool| {
        let counts = counts.entry(kref.to_owned()).or_default();
        counts.0 += u64::from(reachable);
        counts.1 += 1;
    };
    for (key, value) in &world.kv {
        let key = String::from_utf8_lossy(key).into_owned();
        let text = String::from_utf8_lossy(value).into_owned();
        let parts: Vec<&str> = key.split('.').collect();
        match parts.as_slice() {
            [vat, "c", kref] if vat.starts_with('v') && kref.starts_with('k') => {
                let (flag, vref) = text.split_once(' ').expect("a c-list entry has a flag");
                assert_eq!(
                    world.text(&format!("{vat}.c.{vref}")).as_deref(),
                    Some(*kref),
                    "both views agree"
                );
                // What is gone for ever counts nowhere, though the vat is still to be told.
                let is_gone = pending && world.text(&format!("gcActions.{vat}.retireImport.{kref}")).is_some();
                if !is_gone && (kref.starts_with("kp") || vref.as_bytes()[1] == b'-') {
                    count(kref, flag == "R");
                    if kref.starts_with("ko") {
                        importers.insert(format!("{kref}.importer.{vat}"));
                    }
                }
            }
            ["runQueue" | "acceptanceQueue", number] if number.parse::<u64>().is_ok() => {
                named_by(value).iter().for_each(|kref| count(kref, true));
            }
            [kp, "queue", number] if kp.starts_with("kp") && *number != "nextID" => {
                named_by(value).iter().for_each(|kref| count(kref, true));
            }
            [_, "data", "slots"] | ["pinnedObjects"] => list(&text).for_each(|kref| count(&kref, true)),
            ["vatAdminRootKref"] => count(&text, true),
            [d, "deviceState", "handler"] if d.starts_with('d') => count(&text, true),
            [d, "deviceState", "wake", ..] if d.starts_with('d') => {
                let mut reader = Reader::new(value);
                String::decode(&mut reader).expect("who set it");
                count(&String::decode(&mut reader).expect("its handler"), true);
            }
            [kp, "interest"] => (0..text.parse::<u64>().unwrap()).for_each(|_| count(kp, true)),
            _ => {}
        }
    }
    for (key, value) in &world.kv {
        let key = String::from_utf8_lossy(key).into_owned();
        // A meter's users are counted, not references to it.
        if let Some(kref) = key.strip_suffix(".refCount").filter(|kref| kref.starts_with('k')) {
            let found = counts.remove(kref).unwrap_or_default();
            let text = String::from_utf8_lossy(value).into_owned();
            let expected = if kref.starts_with("kp") {
                found.1.to_string()
            } else {
                format!("{},{}", found.0, found.1)
            };
            assert_eq!(text, expected, "{kref}");
        }
        if key.contains(".importer.") {
            assert!(importers.remove(&key), "{key} imports nothing");
        }
    }
    assert!(
        counts.keys().all(|kref| kref.starts_with("kd")),
        "no counts for {counts:?}"
    );
    assert!(importers.is_empty(), "not indexed: {importers:?}");
}

//! Vats' stored bytes: what each living vat is charged is what lies in the kvStore in its name (`docs/adr/0036-stored-bytes.md`).

use std::collections::BTreeMap;

use swing_core::state::{StateError, StateRead};
use swingset_abi::wire::Reader;

use super::{Checked, entries};

/// Queues whose items may be charged to the sender.
const QUEUES: [&str; 2] = ["runQueue.", "acceptanceQueue."];
/// Tag of a charged item.
const CHARGED: u8 = 255;

/// Every living vat's `v$N.stored` is the sum of what is charged to it, and no other vat has one.
pub fn stored_bytes_are_what_is_stored(state: &dyn StateRead) -> Result<Checked, StateError> {
    let mut checked = Checked::new("kernel: stored bytes by vat are what is stored");
    let mut counted = BTreeMap::new();
    // In key order a vat's `options` come before its `stored`.
    let mut figures = BTreeMap::new();
    for entry in entries::bytes_under(state, "v") {
        let (key, value) = entry?;
        let Some((vat, rest)) = key.split_once('.') else { continue };
        if rest.starts_with("c.") || rest.starts_with("vs.") {
            add(&mut counted, vat, size(&key, &value));
        } else if rest == "options" {
            figures.insert(vat.to_owned(), None);
        } else if rest == "stored" {
            let figure = String::from_utf8_lossy(&value).into_owned();
            let lives = figures.insert(vat.to_owned(), Some(figure)).is_some();
            checked.look(lives, || format!("{key} is there, and {vat} does not live"));
        }
    }
    promises(state, &mut counted)?;
    for queue in QUEUES {
        for entry in entries::bytes_under(state, queue) {
            add_charge(&mut counted, &entry?.1);
        }
    }
    for (vat, figure) in figures {
        let stored = counted.get(&vat).copied().unwrap_or(0);
        let bytes = figure.as_deref().and_then(|figure| figure.split_once(',')?.0.parse().ok());
        checked.look(bytes == Some(stored), || format!("{vat}.stored is {figure:?}, and {stored} bytes are there"));
    }
    Ok(checked)
}

/// Data of promises that a vat settled, and messages that wait for promises.
fn promises(state: &dyn StateRead, counted: &mut BTreeMap<String, u64>) -> Result<(), StateError> {
    let mut data: BTreeMap<String, u64> = BTreeMap::new();
    let mut deciders = Vec::new();
    for entry in entries::bytes_under(state, "kp") {
        let (key, value) = entry?;
        let Some((kpid, rest)) = key.split_once('.') else { continue };
        if rest.starts_with("data.") {
            add(&mut data, kpid, size(&key, &value));
        } else if rest == "decider" {
            deciders.push((kpid.to_owned(), String::from_utf8_lossy(&value).into_owned()));
        } else if rest.starts_with("queue.") {
            add_charge(counted, &value);
        }
    }
    for (kpid, vat) in deciders {
        add(counted, &vat, data.get(&kpid).copied().unwrap_or(0));
    }
    Ok(())
}

fn size(key: &str, value: &[u8]) -> u64 {
    u64::try_from(key.len().saturating_add(value.len())).unwrap_or(u64::MAX)
}

fn add(counted: &mut BTreeMap<String, u64>, whom: &str, bytes: u64) {
    let sum = counted.entry(whom.to_owned()).or_default();
    *sum = sum.saturating_add(bytes);
}

/// Adds what a queued item is charged, if somebody is.
fn add_charge(counted: &mut BTreeMap<String, u64>, item: &[u8]) {
    let Some((&CHARGED, rest)) = item.split_first() else { return };
    let mut reader = Reader::new(rest);
    if let Ok(Ok(vat)) = reader.slice().map(std::str::from_utf8)
        && let Ok(bytes) = reader.u64()
    {
        add(counted, vat, bytes);
    }
}

//! What vats take of the store, counted again over the whole kvStore.

use std::collections::BTreeMap;

use swingset_abi::wire::Reader;

use crate::world::World;

/// Who is charged for a queued item, if somebody is, and how much; and the event.
pub fn charge_of(item: &[u8]) -> (Option<(String, u64)>, &[u8]) {
    if item.first() != Some(&255) {
        return (None, item);
    }
    let mut reader = Reader::new(&item[1..]);
    let vat = String::from_utf8(reader.slice().unwrap().to_vec()).unwrap();
    let bytes = reader.u64().unwrap();
    (Some((vat, bytes)), reader.rest())
}

/// Bytes by vat, counted over everything.
fn counted(world: &World) -> BTreeMap<String, u64> {
    let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
    for (key, value) in &world.kv {
        let size = (key.len() + value.len()) as u64;
        let key = String::from_utf8_lossy(key).into_owned();
        let parts: Vec<&str> = key.splitn(3, '.').collect();
        let item = |number: &str| number.parse::<u64>().is_ok();
        match parts.as_slice() {
            [vat, "c" | "vs", _] if vat.starts_with('v') => *bytes.entry((*vat).to_owned()).or_default() += size,
            [kpid, "data", _] => {
                if let Some(payer) = world.text(&format!("{kpid}.decider")) {
                    *bytes.entry(payer).or_default() += size;
                }
            }
            ["runQueue" | "acceptanceQueue", number] | [_, "queue", number] if item(number) => {
                if let (Some((vat, charged)), _) = charge_of(value) {
                    *bytes.entry(vat).or_default() += charged;
                }
            }
            _ => {}
        }
    }
    bytes
}

/// A vat's figure: bytes and cap.
pub fn figure(world: &World, vat: &str) -> Option<(u64, u64)> {
    let text = world.text(&format!("{vat}.stored"))?;
    let (bytes, max) = text.split_once(',').expect("bytes and cap");
    Some((bytes.parse().unwrap(), max.parse().unwrap()))
}

/// Every living vat's figure is what is there, and others have none.
#[track_caller]
pub fn check(world: &World) {
    let counted = counted(world);
    let next = world.text("vat.nextID").unwrap().parse::<u64>().unwrap();
    for number in 1..next {
        let vat = format!("v{number}");
        let lives = world.text(&format!("{vat}.options")).is_some();
        let expected = lives.then(|| counted.get(&vat).copied().unwrap_or(0));
        assert_eq!(figure(world, &vat).map(|(bytes, _)| bytes), expected, "{vat}");
        if cfg!(feature = "schema-3") && world.text(&format!("{vat}.source")).is_some() {
            check_references(world, &vat);
        }
    }
}

fn check_references(world: &World, vat: &str) {
    let mut counts = [0; 4];
    for key in world.keys(&format!("{vat}.c.")) {
        match &key[vat.len() + 3..] {
            vref if vref.starts_with("o+") => counts[0] += 1,
            vref if vref.starts_with("o-") => counts[1] += 1,
            vref if vref.starts_with('p') => counts[2] += 1,
            vref if vref.starts_with('d') => counts[3] += 1,
            _ => {}
        }
    }
    let text = counts.map(|count: u64| count.to_string()).join(",");
    let found = world.text(&format!("{vat}.references"));
    // Of a vat that ended it is deleted after the entries, and before the last of the vat.
    let deleted = found.is_none() && world.text(&format!("{vat}.options")).is_none() && counts == [0; 4];
    assert!(deleted || found.as_ref() == Some(&text), "{vat}: {found:?}, not {text}");
}

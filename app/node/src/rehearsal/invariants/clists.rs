//! C-lists and reference counts. The kernel's own references (queued messages, data, pins) are not counted again here, so that a count
//! may be higher than what c-lists explain, and never lower.

use std::collections::BTreeMap;

use swing_core::state::{StateError, StateRead};

use super::{Checked, entries};

/// References that c-lists hold on one kref.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    reachable: u64,
    recognizable: u64,
    promises: u64,
}

/// Entries of a vat's table come in pairs, imports are in the index of importers, and counts cover what c-lists hold.
pub fn entries_come_in_pairs_and_are_counted(state: &dyn StateRead) -> Result<Checked, StateError> {
    let mut checked = Checked::new("kernel: c-lists come in pairs and reference counts cover them");
    let mut held: BTreeMap<String, Held> = BTreeMap::new();
    for entry in entries::under(state, "v") {
        let (key, value) = entry?;
        let Some((vat, reference)) = key.split_once(".c.").filter(|(vat, _)| is_vat(vat)) else { continue };
        if reference.starts_with('k') {
            look_at_kref(state, &mut checked, &mut held, vat, reference, &value)?;
        } else {
            let forward = entries::get(state, &format!("{vat}.c.{value}"))?;
            let pairs = forward.as_deref().and_then(|entry| entry.get(2..)) == Some(reference);
            checked.look(pairs, || format!("{key} is {value}, whose entry is {forward:?}"));
        }
    }
    for entry in entries::under(state, "k") {
        let (key, _) = entry?;
        if let Some(kref) = key.strip_suffix(".refCount") {
            held.entry(kref.to_owned()).or_default();
        }
        let Some((kref, vat)) = key.split_once(".importer.") else { continue };
        let imports = entries::get(state, &format!("{vat}.c.{kref}"))?.is_some();
        checked.look(imports, || format!("{key} is in the index, and {vat} has no entry for it"));
    }
    for (kref, held) in held {
        look_at_counts(state, &mut checked, &kref, held)?;
    }
    Ok(checked)
}

fn is_vat(text: &str) -> bool {
    let number = text.strip_prefix('v').unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn look_at_kref(
    state: &dyn StateRead,
    checked: &mut Checked,
    held: &mut BTreeMap<String, Held>,
    vat: &str,
    kref: &str,
    value: &str,
) -> Result<(), StateError> {
    let Some((flag @ ("R" | "_"), vref)) = value.split_once(' ') else {
        checked.look(false, || format!("{vat}.c.{kref} is {value:?}"));
        return Ok(());
    };
    let back = entries::get(state, &format!("{vat}.c.{vref}"))?;
    checked.look(back.as_deref() == Some(kref), || format!("{vat}.c.{kref} is {value:?}, {vref} stands for {back:?}"));
    let mine = held.entry(kref.to_owned()).or_default();
    let is_import = vref.as_bytes().get(1) == Some(&b'-');
    if kref.starts_with("kp") {
        mine.promises = mine.promises.saturating_add(1);
    } else if kref.starts_with("ko") && is_import {
        mine.recognizable = mine.recognizable.saturating_add(1);
        mine.reachable = mine.reachable.saturating_add(u64::from(flag == "R"));
        look_at_import(state, checked, vat, kref)?;
    } else if kref.starts_with("ko") {
        // An object whose vat was terminated has no owner any more.
        let owner = entries::get(state, &format!("{kref}.owner"))?;
        checked.look(owner.as_deref().is_none_or(|owner| owner == vat), || {
            format!("{vat} exports {kref}, whose owner is {owner:?}")
        });
    }
    Ok(())
}

/// An import of an object that is there is in the index; of one that is gone, the vat is about to be told.
fn look_at_import(state: &dyn StateRead, checked: &mut Checked, vat: &str, kref: &str) -> Result<(), StateError> {
    let there = entries::get(state, &format!("{kref}.refCount"))?.is_some();
    let expected =
        if there { format!("{kref}.importer.{vat}") } else { format!("gcActions.{vat}.retireImport.{kref}") };
    let found = entries::get(state, &expected)?.is_some();
    checked.look(found, || format!("{vat} imports {kref}, and {expected} is missing"));
    Ok(())
}

fn look_at_counts(state: &dyn StateRead, checked: &mut Checked, kref: &str, held: Held) -> Result<(), StateError> {
    let count = entries::get(state, &format!("{kref}.refCount"))?;
    let numbers: Option<Vec<u64>> =
        count.as_deref().map(|text| text.split(',').map_while(|part| part.parse().ok()).collect());
    let holds = match numbers.as_deref() {
        Some([promises]) => kref.starts_with("kp") && *promises >= held.promises,
        Some([reachable, recognizable]) => {
            kref.starts_with("ko")
                && reachable <= recognizable
                && *reachable >= held.reachable
                && *recognizable >= held.recognizable
        }
        // Devices are not counted; a retired object has no count, and nobody may reach it.
        None => !kref.starts_with("kp") && held.reachable == 0,
        Some(_) => false,
    };
    checked.look(holds, || format!("{kref} has count {count:?}, its c-list entries are {held:?}"));
    Ok(())
}

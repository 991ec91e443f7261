//! The kernel's own queues.

use std::collections::BTreeSet;

use swing_core::state::{StateError, StateRead};

use super::{Checked, entries};

/// Queues with bounds `[head,tail]`.
const QUEUES: [&str; 3] = ["runQueue", "acceptanceQueue", "reapQueue"];
/// A count, and as many keys under it.
const GC_ACTIONS: &str = "gcActions";

/// Between head and tail every item is there, and nothing else is; as many GC actions wait as are counted.
pub fn queues_have_what_their_bounds_say(state: &dyn StateRead) -> Result<Checked, StateError> {
    let mut checked = Checked::new("kernel: queues have what their bounds say");
    // A chain may have no kernel.
    if entries::get(state, "version")?.is_none() {
        return Ok(checked);
    }
    for queue in QUEUES {
        let bounds = entries::get(state, queue)?.unwrap_or_default();
        let Some((head, tail)) = read_bounds(&bounds) else {
            checked.look(false, || format!("{queue} is {bounds:?}"));
            continue;
        };
        let prefix = format!("{queue}.");
        let mut items = BTreeSet::new();
        for entry in entries::under(state, &prefix) {
            let (key, _) = entry?;
            let number = key.strip_prefix(&prefix).and_then(|number| number.parse::<u64>().ok());
            let inside = number.is_some_and(|number| head <= number && number < tail);
            checked.look(inside, || format!("{key} is outside of {bounds}"));
            items.extend(number);
        }
        let length = u64::try_from(items.len()).unwrap_or(u64::MAX);
        checked.look(length == tail.saturating_sub(head), || format!("{queue} is {bounds} and has {length} items"));
    }
    let counted = entries::get(state, GC_ACTIONS)?.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let found = entries::under(state, &format!("{GC_ACTIONS}.")).count() as u64;
    checked.look(counted == found, || format!("{counted} GC actions are counted, {found} are there"));
    Ok(checked)
}

fn read_bounds(text: &str) -> Option<(u64, u64)> {
    let (head, tail) = text.strip_prefix('[')?.strip_suffix(']')?.split_once(',')?;
    let (head, tail) = (head.parse().ok()?, tail.parse().ok()?);
    (head <= tail).then_some((head, tail))
}

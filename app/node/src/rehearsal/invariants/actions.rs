//! The chain's queues of actions.

use swing_core::{
    modules::swingset::{
        keys,
        queue::{self, Queue},
    },
    state::{StateError, StateRead},
};

use super::Checked;

/// Every number between first and next is queued, and nothing else is.
pub fn queues_have_what_their_numbers_say(state: &dyn StateRead) -> Result<Checked, StateError> {
    let mut checked = Checked::new("swingset: the action queues have what their numbers say");
    look_at(state, &mut checked, Queue::HighPriority, keys::HIGH_PRIORITY_QUEUE, keys::high_priority)?;
    look_at(state, &mut checked, Queue::Actions, keys::ACTION_QUEUE, keys::action)?;
    Ok(checked)
}

fn look_at(
    state: &dyn StateRead,
    checked: &mut Checked,
    queue: Queue,
    prefix: &[u8],
    key_of: fn(u64) -> Vec<u8>,
) -> Result<(), StateError> {
    let numbers = queue::numbers(state, queue)?;
    checked
        .look(numbers.first <= numbers.next, || format!("{queue:?}: first {}, next {}", numbers.first, numbers.next));
    let mut expected = numbers.first;
    for entry in state.prefix(prefix) {
        let (key, _) = entry?;
        checked.look(key == key_of(expected), || {
            format!("{queue:?}: action {expected} was expected, key {} is there", key.escape_ascii())
        });
        expected = expected.saturating_add(1);
    }
    checked.look(expected == numbers.next, || {
        let queued = expected.saturating_sub(numbers.first);
        format!("{queue:?}: {queued} actions are queued, {} by the numbers", numbers.length())
    });
    Ok(())
}

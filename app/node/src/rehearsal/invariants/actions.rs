//! The chain's queue of inbound actions.

use swing_core::{
    modules::swingset::{keys, queue},
    state::{StateError, StateRead},
};

use super::Checked;

/// Every number between first and next is queued, and nothing else is.
pub fn queue_has_what_its_numbers_say(state: &dyn StateRead) -> Result<Checked, StateError> {
    let numbers = queue::numbers(state)?;
    let mut checked = Checked::new("swingset: the action queue has what its numbers say");
    checked.look(numbers.first <= numbers.next, || format!("first {}, next {}", numbers.first, numbers.next));
    let mut expected = numbers.first;
    for entry in state.prefix(keys::ACTION_QUEUE) {
        let (key, _) = entry?;
        checked.look(key == keys::action(expected), || {
            format!("action {expected} was expected, key {} is there", key.escape_ascii())
        });
        expected = expected.saturating_add(1);
    }
    checked.look(expected == numbers.next, || {
        format!("{} actions are queued, {} by the numbers", expected.saturating_sub(numbers.first), numbers.length())
    });
    Ok(checked)
}

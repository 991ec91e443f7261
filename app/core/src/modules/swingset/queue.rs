//! The queues of actions: transactions and governance put in, the block's end takes out.

use prost::Message;
use swing_proto::swing::swingset::v1::InboundAction;

use super::{Refusal, keys};
use crate::{
    error::Failure,
    state::{State, StateError, StateRead},
};

/// Results of that many actions of each queue are kept; older ones are forgotten.
pub const RESULTS_KEPT: u64 = 10_000;

/// One of the queues. Each has numbers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// What governance decided. It goes before everything that is new.
    HighPriority,
    /// What transactions left.
    Actions,
}

impl Queue {
    fn numbers_key(self) -> &'static [u8] {
        match self {
            Queue::HighPriority => keys::HIGH_PRIORITY_NUMBERS,
            Queue::Actions => keys::ACTION_NUMBERS,
        }
    }

    fn item_key(self, number: u64) -> Vec<u8> {
        match self {
            Queue::HighPriority => keys::high_priority(number),
            Queue::Actions => keys::action(number),
        }
    }

    fn result_key(self, number: u64) -> Vec<u8> {
        match self {
            Queue::HighPriority => keys::governed_result(number),
            Queue::Actions => keys::result(number),
        }
    }
}

/// Numbers of a queue: `first` is the one to be delivered next, `next` the one that the next action gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Of the first queued action.
    pub first: u64,
    /// Of the next action.
    pub next: u64,
}

impl Numbers {
    /// How many are queued.
    pub fn length(self) -> u64 {
        self.next.saturating_sub(self.first)
    }
}

/// A queue's numbers. The first action of a chain has number 1.
///
/// # Errors
/// Storage, out of gas.
pub fn numbers(state: &dyn StateRead, queue: Queue) -> Result<Numbers, StateError> {
    let Some(bytes) = state.get(queue.numbers_key())? else { return Ok(Numbers { first: 1, next: 1 }) };
    let parts =
        bytes.split_at_checked(8).and_then(|(first, next)| Some((first.try_into().ok()?, next.try_into().ok()?)));
    let (first, next) =
        parts.ok_or_else(|| StateError::Storage("numbers of the action queue are not 16 bytes".into()))?;
    Ok(Numbers { first: u64::from_be_bytes(first), next: u64::from_be_bytes(next) })
}

fn set_numbers(state: &mut State<'_>, queue: Queue, numbers: Numbers) -> Result<(), StateError> {
    state.set(queue.numbers_key(), [numbers.first.to_be_bytes(), numbers.next.to_be_bytes()].concat())
}

/// Queues an action and gives it its number.
///
/// # Errors
/// swingset 6 when the queue is full; storage, out of gas.
pub fn push(state: &mut State<'_>, queue: Queue, mut action: InboundAction, length_max: u64) -> Result<u64, Failure> {
    let mut numbers = numbers(state, queue)?;
    if numbers.length() >= length_max {
        let reason = format!("{} actions are waiting, {length_max} may: try again later", numbers.length());
        return Refusal::QueueFull.fail(reason);
    }
    action.number = numbers.next;
    numbers.next = numbers.next.saturating_add(1);
    state.set(queue.item_key(action.number), action.encode_to_vec())?;
    set_numbers(state, queue, numbers)?;
    Ok(action.number)
}

/// Takes the first action out.
///
/// # Errors
/// Storage.
pub fn pop(state: &mut State<'_>, queue: Queue) -> Result<Option<InboundAction>, StateError> {
    let mut numbers = numbers(state, queue)?;
    if numbers.length() == 0 {
        return Ok(None);
    }
    let action = read(state, queue, numbers.first)?;
    state.delete(queue.item_key(numbers.first))?;
    numbers.first = numbers.first.saturating_add(1);
    set_numbers(state, queue, numbers)?;
    Ok(Some(action))
}

/// A queued action.
///
/// # Errors
/// Storage; a number that is not queued.
pub fn read(state: &dyn StateRead, queue: Queue, number: u64) -> Result<InboundAction, StateError> {
    let bytes = state.get(&queue.item_key(number))?;
    let bytes = bytes.ok_or_else(|| StateError::Storage(format!("action {number} is not in the queue")))?;
    InboundAction::decode(bytes).map_err(|error| StateError::Storage(format!("action {number}: {error}")))
}

/// Keeps the result promise of a delivered action: its kpid, empty when it has none.
///
/// # Errors
/// Storage.
pub fn record_result(state: &mut State<'_>, queue: Queue, number: u64, kpid: &str) -> Result<(), StateError> {
    state.set(queue.result_key(number), kpid.as_bytes().to_vec())
}

/// The result promise of a delivered action; empty when it had none, none when it is unknown or forgotten.
///
/// # Errors
/// Storage.
pub fn result(state: &dyn StateRead, queue: Queue, number: u64) -> Result<Option<String>, StateError> {
    Ok(state.get(&queue.result_key(number))?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Forgets a result.
///
/// # Errors
/// Storage.
pub fn forget_result(state: &mut State<'_>, queue: Queue, number: u64) -> Result<(), StateError> {
    state.delete(queue.result_key(number))
}

/// Results that are kept no longer once the action of this number is delivered, numbers and kpids. The one before goes with its
/// successor when it could not go in its turn: the engine may have been stopped.
///
/// # Errors
/// Storage.
pub fn outlived(state: &dyn StateRead, queue: Queue, number: u64) -> Result<Vec<(u64, String)>, StateError> {
    let Some(last) = number.checked_sub(RESULTS_KEPT) else { return Ok(Vec::new()) };
    let mut outlived = Vec::new();
    for old in last.saturating_sub(1)..=last {
        if let Some(kpid) = result(state, queue, old)? {
            outlived.push((old, kpid));
        }
    }
    Ok(outlived)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Empty;

    #[test]
    fn actions_come_out_in_order_each_once_and_a_full_queue_refuses() {
        let mut state = State::new(&Empty);
        for number in 1..=3 {
            assert_eq!(push(&mut state, Queue::Actions, InboundAction::default(), 3).unwrap(), number);
        }
        let Err(Failure::Rejected(refused)) = push(&mut state, Queue::Actions, InboundAction::default(), 3) else {
            panic!("a full queue took an action")
        };
        assert_eq!((refused.codespace, refused.code), ("swingset", 6));
        for number in 1..=3 {
            assert_eq!(pop(&mut state, Queue::Actions).unwrap().map(|action| action.number), Some(number));
        }
        assert_eq!(pop(&mut state, Queue::Actions).unwrap(), None);
        assert_eq!(push(&mut state, Queue::Actions, InboundAction::default(), 3).unwrap(), 4);
        assert_eq!(
            push(&mut state, Queue::HighPriority, InboundAction::default(), 3).unwrap(),
            1,
            "a queue of its own"
        );
        assert_eq!(pop(&mut state, Queue::Actions).unwrap().map(|action| action.number), Some(4));
    }

    #[test]
    fn a_result_is_outlived_by_as_many_as_are_kept_in_its_own_queue() {
        let mut state = State::new(&Empty);
        for (number, kpid) in [(1, "kp40"), (2, ""), (3, "kp42")] {
            record_result(&mut state, Queue::Actions, number, kpid).unwrap();
        }
        let told = |state: &State<'_>, number| {
            let outlived = outlived(state, Queue::Actions, number).unwrap();
            outlived.into_iter().map(|(number, _)| number).collect::<Vec<_>>()
        };
        assert_eq!(told(&state, RESULTS_KEPT), [0u64; 0]);
        assert_eq!(told(&state, 1 + RESULTS_KEPT), [1]);
        assert!(outlived(&state, Queue::HighPriority, 1 + RESULTS_KEPT).unwrap().is_empty());
        assert_eq!(told(&state, 2 + RESULTS_KEPT), [1, 2], "what stayed behind goes with the next");
        forget_result(&mut state, Queue::Actions, 1).unwrap();
        assert_eq!(result(&state, Queue::Actions, 1).unwrap(), None);
        assert_eq!(told(&state, 2 + RESULTS_KEPT), [2]);
    }
}

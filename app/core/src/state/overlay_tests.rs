//! The overlay against a model that copies its map at every mark.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use super::{Changes, Mark, State, StateError, StateRead};
use crate::{event::Event, state::prefix_end};

type Map = BTreeMap<Vec<u8>, Bytes>;

/// What a test does to both.
#[derive(Clone, Debug)]
enum Step {
    Set(u8, u8),
    Delete(u8),
    Mark,
    Rollback,
    Release,
    Emit(u8),
    /// Looks for the first key from here on.
    First(u8),
}

fn key(number: u8) -> Vec<u8> {
    // Few keys, some of them prefixes of others, so that steps meet.
    vec![number % 5; usize::from(number % 3) + 1]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (any::<u8>(), any::<u8>()).prop_map(|(key, value)| Step::Set(key, value)),
        2 => any::<u8>().prop_map(Step::Delete),
        2 => Just(Step::Mark),
        1 => Just(Step::Rollback),
        1 => Just(Step::Release),
        1 => any::<u8>().prop_map(Step::Emit),
        4 => any::<u8>().prop_map(Step::First),
    ];
    proptest::collection::vec(step, 0..60)
}

fn base(entries: &[(u8, u8)]) -> Map {
    entries.iter().map(|(number, value)| (key(*number), Bytes::from(vec![*value]))).collect()
}

fn contents(state: &dyn StateRead) -> Map {
    state.range(&[], None).map(|entry| entry.expect("a map does not fail")).collect()
}

fn difference(before: &Map, after: &Map) -> Changes {
    let changed = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
    let set = changed.map(|(key, value)| (key.clone(), Some(value.clone())));
    let deleted = before.keys().filter(|key| !after.contains_key(*key)).map(|key| (key.clone(), None));
    set.chain(deleted).collect()
}

proptest! {
    #[test]
    fn marks_rollbacks_ranges_and_net_changes_are_those_of_a_copied_map(
        entries in proptest::collection::vec((any::<u8>(), any::<u8>()), 0..8),
        steps in steps(),
    ) {
        let base = base(&entries);
        let mut state = State::new(&base);
        let start = state.mark();
        let mut model = base.clone();
        let mut events: Vec<Event> = Vec::new();
        let mut marks: Vec<(Mark, Map, usize)> = Vec::new();
        for step in steps {
            match step {
                Step::Set(number, value) => {
                    state.set(key(number), vec![value]).unwrap();
                    model.insert(key(number), Bytes::from(vec![value]));
                }
                Step::Delete(number) => {
                    state.delete(key(number)).unwrap();
                    model.remove(&key(number));
                }
                Step::Mark => marks.push((state.mark(), model.clone(), events.len())),
                Step::Rollback => if let Some((mark, map, emitted)) = marks.pop() {
                    state.rollback(mark);
                    model = map;
                    events.truncate(emitted);
                },
                Step::Release => drop(marks.pop()),
                Step::First(number) => {
                    let first = state.range(&key(number), None).next().map(|entry| entry.unwrap().0);
                    prop_assert_eq!(first.as_ref(), model.range(key(number)..).next().map(|(key, _)| key));
                }
                Step::Emit(kind) => {
                    state.emit(Event::new(kind.to_string()));
                    events.push(Event::new(kind.to_string()));
                }
            }
            // Not at each step, or it would be the only walk that learns.
            if marks.len().is_multiple_of(2) {
                prop_assert_eq!(&contents(&state), &model);
            }
            for (mark, map, _) in &marks {
                prop_assert_eq!(state.net_changes(*mark).unwrap(), difference(map, &model));
            }
        }
        for number in 0..15 {
            prop_assert_eq!(state.get(&key(number)).unwrap(), model.get(&key(number)).cloned());
            let prefix = key(number);
            let under: Map = state.prefix(&prefix).map(|entry| entry.unwrap()).collect();
            let expected: Map = model.iter().filter(|(key, _)| key.starts_with(&prefix)).map(|(key, value)| (key.clone(), value.clone())).collect();
            prop_assert_eq!(under, expected);
        }
        prop_assert_eq!(state.take_events(start), events);
        // What the store is given makes the model of the base.
        let mut applied = base.clone();
        for (key, value) in state.into_changes() {
            match value {
                Some(value) => drop(applied.insert(key, value)),
                None => drop(applied.remove(&key)),
            }
        }
        prop_assert_eq!(applied, model);
    }

    #[test]
    fn a_prefix_ends_before_the_first_key_that_does_not_have_it(prefix in proptest::collection::vec(any::<u8>(), 0..4), tail in proptest::collection::vec(any::<u8>(), 0..4)) {
        let key = [prefix.as_slice(), &tail].concat();
        match prefix_end(&prefix) {
            Some(end) => prop_assert!(key < end && !end.starts_with(&prefix)),
            None => prop_assert!(prefix.iter().all(|byte| *byte == 0xff)),
        }
    }
}

/// A version that counts the entries that were read.
struct Counted(Map, std::cell::Cell<usize>);

impl StateRead for Counted {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StateError> {
        StateRead::get(&self.0, key)
    }
    fn range<'a>(&'a self, start: &[u8], end: Option<&[u8]>) -> Box<dyn Iterator<Item = super::Entry> + 'a> {
        Box::new(StateRead::range(&self.0, start, end).inspect(|_| self.1.set(self.1.get() + 1)))
    }
}

#[test]
fn deletions_that_a_walk_passed_are_not_passed_again() {
    const KEYS: usize = 2_000;
    let name = |number: usize| format!("k{number:05}").into_bytes();
    let base = Counted((0..=KEYS).map(|number| (name(number), Bytes::from_static(b"v"))).collect(), Default::default());
    let mut state = State::new(&base);
    for number in 0..KEYS {
        state.delete(name(number)).unwrap();
    }
    let first = |state: &State<'_>, number: usize| state.range(&name(number), None).next().unwrap().unwrap().0;
    for number in (0..KEYS).rev() {
        assert_eq!(first(&state, number), name(KEYS));
    }
    assert!(base.1.get() <= 8 * KEYS, "{} entries were read", base.1.get());
    // One that comes back is met from both sides, and its deletion is undone with the rest.
    let mark = state.mark();
    state.set(name(1_000), "v").unwrap();
    assert_eq!([first(&state, 3), first(&state, 1_001)], [name(1_000), name(KEYS)]);
    state.rollback(mark);
    assert_eq!(first(&state, 3), name(KEYS));
    assert!(base.1.get() <= 8 * KEYS + 20, "{} entries were read", base.1.get());
}

#[test]
fn an_empty_or_reversed_range_has_nothing() {
    let base = base(&[(0, 1), (1, 2)]);
    let state = State::new(&base);
    assert_eq!(state.range(b"b", Some(b"a")).count(), 0);
    assert_eq!(state.range(b"a", Some(b"a")).count(), 0);
}

#[test]
fn gas_is_charged_as_the_sdk_charges_it_and_stays_used_after_a_rollback() {
    let base = Map::from([(b"key".to_vec(), Bytes::from_static(b"value"))]);
    let mut state = State::new(&base);
    state.meter(100_000);
    let mark = state.mark();
    state.get(b"key").unwrap();
    assert_eq!(state.gas_used(), 1000 + 3 * 8);
    state.set("key", "val").unwrap();
    assert_eq!(state.gas_used(), 1024 + 2000 + 30 * 6);
    state.delete("key").unwrap();
    assert_eq!(state.gas_used(), 3204 + 1000);
    state.rollback(mark);
    assert_eq!(state.unmeter(), 4204);
    state.get(b"key").unwrap();
    assert_eq!(state.gas_used(), 0);
}

#[test]
fn a_write_beyond_the_limit_is_not_done_and_its_gas_is_recorded() {
    let base = Map::new();
    let mut state = State::new(&base);
    state.meter(2000);
    let refused = state.set("k", "v").unwrap_err();
    assert_eq!(refused, StateError::OutOfGas { limit: 2000, wanted: 2060, location: "WriteFlat" });
    assert_eq!(state.unmeter(), 2060);
    assert_eq!(state.get(b"k").unwrap(), None);
}

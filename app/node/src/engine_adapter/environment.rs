//! A block's overlay as the environment that the engine works on.

use std::cell::RefCell;

use bytes::Bytes;
use swing_core::{
    modules::swingset::bridge,
    state::{Mark, State, StateError, StateRead},
};
use swingset_host::env::{BridgeAnswer, Entry, EnvError, EnvMark, Environment, NetWrites};

/// The overlay for the time of one engine call.
#[derive(Debug)]
pub struct StateEnvironment<'a, 'base> {
    state: &'a mut State<'base>,
    marks: Vec<Mark>,
    /// The limit of a metered transaction was passed: a refusal, which the engine can only see as a failure of storage.
    out_of_gas: RefCell<Option<StateError>>,
}

impl<'a, 'base> StateEnvironment<'a, 'base> {
    /// An environment over `state`.
    pub fn new(state: &'a mut State<'base>) -> Self {
        StateEnvironment { state, marks: Vec::new(), out_of_gas: RefCell::new(None) }
    }

    /// The overlay's own refusal during the call, when there was one.
    pub fn out_of_gas(&self) -> Option<StateError> {
        self.out_of_gas.borrow().clone()
    }

    fn failed(&self, error: StateError) -> EnvError {
        let text = error.to_string();
        if matches!(error, StateError::OutOfGas { .. }) {
            self.out_of_gas.replace(Some(error));
        }
        EnvError(text)
    }

    /// The overlay's mark, and the number of marks that are older.
    fn resolve(&self, mark: EnvMark) -> Result<(usize, Mark), EnvError> {
        let position = usize::try_from(mark.0).unwrap_or(usize::MAX);
        let known = self.marks.get(position).copied();
        known
            .map(|mark| (position, mark))
            .ok_or_else(|| EnvError(format!("mark {} was never given, or is forgotten", mark.0)))
    }
}

impl Environment for StateEnvironment<'_, '_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EnvError> {
        self.state.get(key).map_err(|error| self.failed(error))
    }

    fn next_entry(&self, start: &[u8], end: Option<&[u8]>) -> Result<Option<Entry>, EnvError> {
        self.state.range(start, end).next().transpose().map_err(|error| self.failed(error))
    }

    fn set(&mut self, key: &[u8], value: Bytes) -> Result<(), EnvError> {
        self.state.set(key, value).map_err(|error| self.failed(error))
    }

    fn delete(&mut self, key: &[u8]) -> Result<(), EnvError> {
        self.state.delete(key).map_err(|error| self.failed(error))
    }

    fn mark(&mut self) -> EnvMark {
        self.marks.push(self.state.mark());
        EnvMark(self.marks.len() as u64 - 1)
    }

    fn rollback(&mut self, mark: EnvMark) -> Result<(), EnvError> {
        let (older, mark) = self.resolve(mark)?;
        self.state.rollback(mark);
        self.marks.truncate(older);
        Ok(())
    }

    fn release(&mut self, mark: EnvMark) -> Result<(), EnvError> {
        let (older, _) = self.resolve(mark)?;
        self.marks.truncate(older);
        Ok(())
    }

    fn net_writes(&self, mark: EnvMark) -> Result<NetWrites, EnvError> {
        let (_, mark) = self.resolve(mark)?;
        let net = self.state.net_changes(mark).map_err(|error| self.failed(error))?;
        Ok(net.into_iter().collect())
    }

    fn bridge(&mut self, name: &str, body: &[u8]) -> Result<Option<BridgeAnswer>, EnvError> {
        match bridge::call(self.state, name, body) {
            Ok(answer) => Ok(answer.map(|answer| match answer {
                Ok(body) => BridgeAnswer::Value { body },
                Err(problem) => BridgeAnswer::Refused { problem },
            })),
            Err(halt) => Err(EnvError(halt.reason)),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use swing_core::state::{Empty, State, StateRead};
    use swingset_host::env::{EnvMark, Environment};

    use super::StateEnvironment;

    fn set(environment: &mut StateEnvironment<'_, '_>, key: &str, value: &'static str) {
        environment.set(key.as_bytes(), Bytes::from_static(value.as_bytes())).expect("written");
    }

    #[test]
    fn marks_nest_and_a_mark_that_is_forgotten_is_refused() {
        let mut state = State::new(&Empty);
        let mut environment = StateEnvironment::new(&mut state);
        set(&mut environment, "a", "0");
        let outer = environment.mark();
        set(&mut environment, "a", "1");
        let inner = environment.mark();
        set(&mut environment, "b", "2");
        environment.rollback(inner).expect("a known mark");
        assert_eq!(environment.get(b"b"), Ok(None));
        assert_eq!(environment.get(b"a"), Ok(Some(Bytes::from_static(b"1"))));
        assert!(environment.rollback(inner).is_err(), "a mark is used once");
        let writes = environment.net_writes(outer).expect("a known mark");
        assert_eq!(writes, vec![(b"a".to_vec(), Some(Bytes::from_static(b"1")))]);
        environment.release(outer).expect("a known mark");
        assert!(environment.net_writes(outer).is_err());
        assert!(environment.rollback(EnvMark(7)).is_err());
        assert_eq!(state.get(b"a"), Ok(Some(Bytes::from_static(b"1"))), "released writes stay");
    }

    #[test]
    fn entries_come_in_byte_order_from_any_start() {
        let mut state = State::new(&Empty);
        let mut environment = StateEnvironment::new(&mut state);
        for key in ["k/b", "k/a", "l"] {
            set(&mut environment, key, "x");
        }
        let next = |from: &[u8]| environment.next_entry(from, Some(b"l")).expect("read").map(|(key, _)| key);
        assert_eq!(next(b"k/"), Some(b"k/a".to_vec()));
        assert_eq!(next(b"k/a\0"), Some(b"k/b".to_vec()));
        assert_eq!(next(b"k/b\0"), None);
    }

    #[test]
    fn running_out_of_gas_is_told_apart_from_storage() {
        let mut state = State::new(&Empty);
        state.meter(2500);
        let mut environment = StateEnvironment::new(&mut state);
        assert!(environment.set(b"k", Bytes::from(vec![0; 100])).is_err());
        assert!(environment.out_of_gas().is_some());
    }
}

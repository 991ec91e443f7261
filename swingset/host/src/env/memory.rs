//! An environment in memory: for tests, benchmarks and embedders that keep state elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Included, Unbounded},
};

use bytes::Bytes;

use super::{Entry, EnvError, EnvMark, Environment, NetWrites};

/// What a write replaced.
#[derive(Clone, Debug)]
struct Undo {
    key: Vec<u8>,
    before: Option<Bytes>,
}

/// State in a map, with an undo journal while marks are out.
#[derive(Clone, Debug, Default)]
pub struct MemoryEnvironment {
    entries: BTreeMap<Vec<u8>, Bytes>,
    journal: Vec<Undo>,
    marks: Vec<usize>,
}

impl MemoryEnvironment {
    /// Nothing in it.
    pub fn new() -> Self {
        MemoryEnvironment::default()
    }

    /// With these entries.
    pub fn from_entries(entries: impl IntoIterator<Item = (Vec<u8>, Bytes)>) -> Self {
        MemoryEnvironment { entries: entries.into_iter().collect(), ..MemoryEnvironment::default() }
    }

    /// All entries, in byte order of the keys.
    pub fn entries(&self) -> impl Iterator<Item = (&[u8], &Bytes)> {
        self.entries.iter().map(|(key, value)| (key.as_slice(), value))
    }

    fn put(&mut self, key: &[u8], value: Option<Bytes>) {
        let before = match value {
            Some(value) => self.entries.insert(key.to_vec(), value),
            None => self.entries.remove(key),
        };
        if !self.marks.is_empty() {
            self.journal.push(Undo { key: key.to_vec(), before });
        }
    }

    fn journal_at(&self, mark: EnvMark) -> Result<(usize, usize), EnvError> {
        let depth = usize::try_from(mark.0).map_err(|_| unknown_mark())?;
        let start = self.marks.get(depth).copied().ok_or_else(unknown_mark)?;
        Ok((depth, start))
    }

    fn forget(&mut self, depth: usize) {
        self.marks.truncate(depth);
        if self.marks.is_empty() {
            self.journal.clear();
        }
    }
}

fn unknown_mark() -> EnvError {
    EnvError("a mark that was never given or already forgotten".to_owned())
}

impl Environment for MemoryEnvironment {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EnvError> {
        Ok(self.entries.get(key).cloned())
    }

    fn next_entry(&self, start: &[u8], end: Option<&[u8]>) -> Result<Option<Entry>, EnvError> {
        if end.is_some_and(|end| end <= start) {
            return Ok(None);
        }
        let bounds = (Included(start), end.map_or(Unbounded, Excluded));
        Ok(self.entries.range::<[u8], _>(bounds).next().map(|(key, value)| (key.clone(), value.clone())))
    }

    fn set(&mut self, key: &[u8], value: Bytes) -> Result<(), EnvError> {
        self.put(key, Some(value));
        Ok(())
    }

    fn delete(&mut self, key: &[u8]) -> Result<(), EnvError> {
        self.put(key, None);
        Ok(())
    }

    fn mark(&mut self) -> EnvMark {
        self.marks.push(self.journal.len());
        EnvMark((self.marks.len() - 1) as u64)
    }

    fn rollback(&mut self, mark: EnvMark) -> Result<(), EnvError> {
        let (depth, start) = self.journal_at(mark)?;
        while self.journal.len() > start {
            let Some(undo) = self.journal.pop() else { break };
            match undo.before {
                Some(before) => self.entries.insert(undo.key, before),
                None => self.entries.remove(&undo.key),
            };
        }
        self.forget(depth);
        Ok(())
    }

    fn release(&mut self, mark: EnvMark) -> Result<(), EnvError> {
        let (depth, _) = self.journal_at(mark)?;
        self.forget(depth);
        Ok(())
    }

    fn net_writes(&self, mark: EnvMark) -> Result<NetWrites, EnvError> {
        let (_, start) = self.journal_at(mark)?;
        let mut seen = BTreeSet::new();
        let mut net = BTreeMap::new();
        for undo in self.journal.get(start..).unwrap_or_default() {
            if seen.insert(&undo.key) {
                let now = self.entries.get(&undo.key);
                if now != undo.before.as_ref() {
                    net.insert(undo.key.clone(), now.cloned());
                }
            }
        }
        Ok(net.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(env: &mut MemoryEnvironment, key: &str, value: &str) {
        env.set(key.as_bytes(), Bytes::copy_from_slice(value.as_bytes())).unwrap();
    }

    fn read(env: &MemoryEnvironment, key: &str) -> Option<String> {
        env.get(key.as_bytes()).unwrap().map(|value| String::from_utf8(value.to_vec()).unwrap())
    }

    #[test]
    fn going_back_to_an_outer_mark_undoes_inner_ones_too() {
        let mut env = MemoryEnvironment::new();
        put(&mut env, "a", "1");
        let outer = env.mark();
        put(&mut env, "a", "2");
        let inner = env.mark();
        put(&mut env, "a", "3");
        env.delete(b"a").unwrap();
        env.release(inner).unwrap();
        assert_eq!(read(&env, "a"), None);
        env.rollback(outer).unwrap();
        assert_eq!(read(&env, "a").as_deref(), Some("1"));
        assert!(env.rollback(outer).is_err(), "a mark that was rolled back to is gone");
    }

    #[test]
    fn net_writes_leave_out_what_was_written_and_taken_back() {
        let mut env = MemoryEnvironment::new();
        put(&mut env, "kept", "1");
        let mark = env.mark();
        put(&mut env, "kept", "2");
        put(&mut env, "kept", "1");
        put(&mut env, "new", "x");
        env.delete(b"absent").unwrap();
        let net = env.net_writes(mark).unwrap();
        assert_eq!(net, vec![(b"new".to_vec(), Some(Bytes::from_static(b"x")))]);
    }

    #[test]
    fn next_entry_is_the_least_within_the_bounds() {
        let mut env = MemoryEnvironment::new();
        put(&mut env, "a1", "1");
        put(&mut env, "b1", "2");
        assert_eq!(env.next_entry(b"a", Some(b"b")).unwrap().unwrap().0, b"a1");
        assert!(env.next_entry(b"a2", Some(b"b")).unwrap().is_none());
        assert!(env.next_entry(b"z", Some(b"b")).unwrap().is_none());
    }
}

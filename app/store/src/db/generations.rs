//! A bounded map: two generations, the older dropped whole when the younger has half the budget. What is used in every block is
//! always in the younger, with no list to keep in order.

#[expect(clippy::disallowed_types, reason = "looked up by key only: its order is never seen")]
use std::collections::HashMap;
use std::{
    borrow::Borrow,
    hash::{BuildHasher, Hash, RandomState},
};

/// A value and what it costs, in bytes.
type Weighed<V> = (V, usize);

/// The map.
#[derive(Debug)]
#[expect(clippy::disallowed_types, reason = "looked up by key only: its order is never seen")]
pub struct Generations<K, V, S = RandomState> {
    young: HashMap<K, Weighed<V>, S>,
    old: HashMap<K, Weighed<V>, S>,
    young_bytes: usize,
    half_budget: usize,
}

impl<K: Hash + Eq, V: Clone, S: BuildHasher + Default> Generations<K, V, S> {
    /// An empty map for at most `budget` bytes.
    pub fn new(budget: usize) -> Self {
        Generations { young: Default::default(), old: Default::default(), young_bytes: 0, half_budget: budget / 2 }
    }

    /// Looks a key up.
    pub fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, (value, bytes)) = self.old.remove_entry(key)?;
        self.insert(key, value.clone(), bytes);
        Some(value)
    }

    /// Sets a key's value, which takes `bytes` in memory with its key. One that is too big for the budget is not kept, nor is
    /// what the key had before.
    pub fn insert(&mut self, key: K, value: V, bytes: usize) {
        if bytes > self.half_budget {
            return self.remove(&key);
        }
        if self.young_bytes.saturating_add(bytes) > self.half_budget {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes = self.young_bytes.saturating_add(bytes);
        if let Some((_, before)) = self.young.insert(key, (value, bytes)) {
            self.young_bytes = self.young_bytes.saturating_sub(before);
        }
    }

    /// Forgets all keys.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
        self.young_bytes = 0;
    }

    /// Forgets a key.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        if let Some((_, bytes)) = self.young.remove(key) {
            self.young_bytes = self.young_bytes.saturating_sub(bytes);
        }
        self.old.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_is_not_goes_within_the_budget() {
        let mut map: Generations<u64, u64> = Generations::new(200);
        for key in 0..100 {
            map.insert(key, key, 10);
            assert_eq!(map.get(&0), Some(0), "used after every insertion, at {key}");
            assert!(map.young.len() + map.old.len() <= 20);
        }
        assert_eq!((map.get(&1), map.get(&99)), (None, Some(99)));
        map.remove(&99);
        assert_eq!(map.get(&99), None);
    }

    #[test]
    fn the_last_value_of_a_key_counts_in_whichever_generation_the_others_were() {
        let mut map: Generations<u64, &str> = Generations::new(40);
        map.insert(1, "first", 10);
        map.insert(2, "", 20);
        assert!(map.old.contains_key(&1));
        map.insert(1, "second", 10);
        assert_eq!(map.get(&1), Some("second"));
        map.insert(1, "too big", 21);
        assert_eq!(map.get(&1), None, "not the value of before");
    }
}

//! A hash table from byte keys to values that stay where they are until they are taken out.
//!
//! The kernel asks for some dozens of keys a crank, and vats choose many of them: the hash is seeded anew in each process, so that
//! nobody can choose keys that collide. Its order is never seen.

use std::{
    hash::{BuildHasher, RandomState},
    sync::OnceLock,
};

/// The table.
#[derive(Debug)]
pub(super) struct Table<V> {
    /// Indices of rows, plus one; 0 is free. A power of two of them.
    places: Vec<u32>,
    rows: Vec<Row<V>>,
    /// Rows that were taken out.
    free: Vec<usize>,
    seed: u64,
}

#[derive(Debug)]
struct Row<V> {
    hash: u64,
    /// The key's first eight bytes, with zeros behind a shorter one: in most cases they say which of two keys is less.
    first: u64,
    key: Vec<u8>,
    value: V,
    used: bool,
}

fn first_bytes(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let length = key.len().min(8);
    bytes[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(bytes)
}

/// One a process: drawing it costs, and tables are emptied often.
fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| RandomState::new().hash_one(0u8) | 1)
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Table { places: Vec::new(), rows: Vec::new(), free: Vec::new(), seed: seed() }
    }
}

impl<V: Default> Table<V> {
    /// All rows with their keys and values, in no order that means anything.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[u8], &V)> {
        let used = self.rows.iter().enumerate().filter(|(_, row)| row.used);
        used.map(|(at, row)| (at, &*row.key, &row.value))
    }

    /// The row of a key.
    pub(super) fn find(&self, key: &[u8]) -> Option<usize> {
        let hash = self.hash(key);
        self.place(hash, key).and_then(|(_, row)| row)
    }

    /// The row of a key, made if it is not there.
    pub(super) fn find_or_insert(&mut self, key: &[u8]) -> usize {
        let hash = self.hash(key);
        if let Some((_, Some(row))) = self.place(hash, key) {
            return row;
        }
        if (self.rows.len() - self.free.len()).saturating_mul(2) >= self.places.len() {
            self.grow();
        }
        let row = self.free.pop().unwrap_or(self.rows.len());
        if let Some((place, None)) = self.place(hash, key)
            && let Some(slot) = self.places.get_mut(place)
        {
            *slot = row as u32 + 1;
        }
        match self.rows.get_mut(row) {
            None => {
                self.rows.push(Row {
                    hash,
                    first: first_bytes(key),
                    key: key.to_vec(),
                    value: V::default(),
                    used: true,
                });
            }
            Some(free) => {
                free.hash = hash;
                free.first = first_bytes(key);
                free.key.clear();
                free.key.extend_from_slice(key);
                free.value = V::default();
                free.used = true;
            }
        }
        row
    }

    /// Takes a row out; its number may be another key's next.
    pub(super) fn remove(&mut self, row: usize) {
        let Some(mask) = self.places.len().checked_sub(1) else {
            return;
        };
        let mut hole = self.rows[row].hash as usize & mask;
        while self.places[hole] as usize != row + 1 {
            hole = (hole + 1) & mask;
        }
        // What probed past the hole moves into it, so that every key is found from its first place on.
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let Some(other) = (self.places[at] as usize).checked_sub(1) else {
                break;
            };
            let first = self.rows[other].hash as usize & mask;
            if (at.wrapping_sub(first) & mask) >= (at.wrapping_sub(hole) & mask) {
                self.places[hole] = self.places[at];
                hole = at;
            }
        }
        self.places[hole] = 0;
        self.rows[row].used = false;
        self.free.push(row);
    }

    /// A row's key.
    pub(super) fn key(&self, row: usize) -> &[u8] {
        &self.rows[row].key
    }

    /// Sorts rows by their keys.
    pub(super) fn sort(&self, rows: &mut [usize]) {
        rows.sort_unstable_by(|left, right| {
            let (left, right) = (&self.rows[*left], &self.rows[*right]);
            left.first.cmp(&right.first).then_with(|| left.key.cmp(&right.key))
        });
    }

    /// A row's value.
    pub(super) fn at(&self, row: usize) -> &V {
        &self.rows[row].value
    }

    /// A row's value.
    pub(super) fn at_mut(&mut self, row: usize) -> &mut V {
        &mut self.rows[row].value
    }

    /// The place of a key, with its row if it has one; none while there are no places.
    fn place(&self, hash: u64, key: &[u8]) -> Option<(usize, Option<usize>)> {
        let mask = self.places.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            match (*self.places.get(at)? as usize).checked_sub(1) {
                None => return Some((at, None)),
                Some(row) if self.rows[row].hash == hash && *self.rows[row].key == *key => {
                    return Some((at, Some(row)));
                }
                Some(_) => at = (at + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        let size = self.places.len().saturating_mul(2).max(256);
        let mut places = vec![0u32; size];
        for (row, Row { hash, .. }) in self.rows.iter().enumerate().filter(|(_, row)| row.used) {
            let mut at = *hash as usize & (size - 1);
            while places[at] != 0 {
                at = (at + 1) & (size - 1);
            }
            places[at] = row as u32 + 1;
        }
        self.places = places;
    }

    /// Folded multiplication of eight bytes at a time.
    fn hash(&self, key: &[u8]) -> u64 {
        const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
        let fold = |hash: u64, word: u64| {
            let product = u128::from(hash ^ word).wrapping_mul(u128::from(MULTIPLIER));
            (product as u64 ^ (product >> 64) as u64).wrapping_add(self.seed)
        };
        let mut hash = fold(self.seed, key.len() as u64);
        let (words, rest) = key.as_chunks::<8>();
        for word in words {
            hash = fold(hash, u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let hash = fold(hash, u64::from_le_bytes(last));
        hash ^ (hash >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_row_however_many_there_are() {
        let mut table: Table<u32> = Table::default();
        let key = |number: u32| format!("v{}.vs.{number}", number % 7).into_bytes();
        for number in 0..5000 {
            let row = table.find_or_insert(&key(number));
            assert_eq!(row, number as usize);
            *table.at_mut(row) = number;
        }
        for number in 0..5000 {
            let row = table.find(&key(number)).unwrap();
            assert_eq!((*table.at(row), table.key(row)), (number, &*key(number)));
            assert_eq!(table.find_or_insert(&key(number)), row);
        }
        assert_eq!(table.find(b""), None);
        assert_eq!(table.find(b"v1.vs.5001"), None);
        assert_eq!(table.iter().count(), 5000);
    }

    #[test]
    fn rows_are_sorted_by_their_whole_keys() {
        let keys: [&[u8]; 9] =
            [b"", b"\0", b"a", b"a\0", b"runQueue", b"runQueue\0", b"runQueue.1", b"runQueue.10", b"runQueue.2"];
        let mut table: Table<u32> = Table::default();
        let mut rows: Vec<usize> = keys.iter().rev().map(|key| table.find_or_insert(key)).collect();
        // A row that was another key's before.
        table.remove(rows[0]);
        rows[0] = table.find_or_insert(keys[8]);
        table.sort(&mut rows);
        assert_eq!(rows.iter().map(|row| table.key(*row)).collect::<Vec<_>>(), keys);
    }

    #[test]
    fn rows_that_were_taken_out_leave_all_others_where_they_were() {
        let mut table: Table<u32> = Table::default();
        let mut model = std::collections::BTreeMap::new();
        let mut state = 7u32;
        for step in 0..40_000u32 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = format!("runQueue.{}", (state >> 16) % 700).into_bytes();
            if state & 0x300 == 0 {
                if let Some((row, _)) = model.remove(&key) {
                    table.remove(row);
                }
            } else {
                let row = table.find_or_insert(&key);
                *table.at_mut(row) = step;
                let before = model.insert(key, (row, step));
                assert!(before.is_none_or(|(before, _)| before == row));
            }
        }
        for number in 0..700 {
            let key = format!("runQueue.{number}").into_bytes();
            assert_eq!(table.find(&key).map(|row| (row, *table.at(row))), model.get(&key).copied());
        }
        assert_eq!(table.iter().count(), model.len());
    }
}

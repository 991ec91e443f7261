//! A hash table from byte keys to values that never move and are never taken out.
//!
//! The kernel asks for some dozens of keys a crank, and vats choose many of them: the hash is seeded anew in each process, so that
//! nobody can choose keys that collide. Its order is never seen.

use std::hash::{BuildHasher, RandomState};

/// The table.
#[derive(Debug)]
pub(super) struct Table<V> {
    /// Indices of rows, plus one; 0 is free. A power of two of them.
    places: Vec<u32>,
    rows: Vec<Row<V>>,
    seed: u64,
}

#[derive(Debug)]
struct Row<V> {
    hash: u64,
    key: Box<[u8]>,
    value: V,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Table { places: Vec::new(), rows: Vec::new(), seed: RandomState::new().hash_one(0u8) | 1 }
    }
}

impl<V: Default> Table<V> {
    /// Rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// All keys and values, in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &V)> {
        self.rows.iter().map(|row| (&*row.key, &row.value))
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
        if self.rows.len().saturating_mul(2) >= self.places.len() {
            self.grow();
        }
        let row = self.rows.len();
        if let Some((place, None)) = self.place(hash, key)
            && let Some(slot) = self.places.get_mut(place)
        {
            *slot = row as u32 + 1;
        }
        self.rows.push(Row { hash, key: Box::from(key), value: V::default() });
        row
    }

    /// A row's key.
    pub(super) fn key(&self, row: usize) -> &[u8] {
        &self.rows[row].key
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
        for (row, Row { hash, .. }) in self.rows.iter().enumerate() {
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
        assert_eq!(table.len(), 5000);
    }
}

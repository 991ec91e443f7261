//! A counter that proves exactly-once delivery: it remembers which messages reached it, in which order.
//!
//! `increment(by)` adds to a value. `add(id)` notes an ID (an integer or text). `read()` gives `{value, count, distinct, sum,
//! digest}`: how many IDs were noted and how many different ones, a sum of their hashes that does not depend on their order, and
//! a digest that does; a lost or repeated message changes them. `ids(from, limit)` gives the IDs themselves.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

use alloc::{collections::BTreeSet, string::ToString};

use swingset_vat_sdk::prelude::*;

/// The counter's root object.
#[derive(Debug, Default)]
pub struct Counter {
    value: i128,
    ids: Vec<String>,
    distinct: BTreeSet<String>,
    sum: u64,
    digest: u64,
}

record! {
    /// What the IDs come to.
    #[derive(Debug, PartialEq)]
    pub struct Reading { value: i128, count: u64, distinct: u64, sum: u64, digest: u64 }
}

/// FNV-1a, from a starting point.
fn hash(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

const HASH_START: u64 = 0xcbf2_9ce4_8422_2325;

/// Most IDs in one answer of `ids`.
const IDS_MAX: u64 = 1_000;

methods! {
    impl Counter as "Counter" {
        /// Adds to the value and gives it.
        fn increment(&mut self, by: i64) -> Result<i128, Error> {
            self.value = self.value.checked_add(i128::from(by)).ok_or(Error::new("the value is full"))?;
            Ok(self.value)
        }

        /// Notes an ID and gives how many there are.
        fn add(&mut self, id: Value) -> Result<u64, Error> {
            let id = match id {
                Value::Int(number) => number.to_string(),
                Value::Text(text) => text,
                other => return Err(Error::kind("an integer or text", &other)),
            };
            self.sum = self.sum.wrapping_add(hash(HASH_START, id.as_bytes()));
            self.digest = hash(if self.ids.is_empty() { HASH_START } else { self.digest }, id.as_bytes());
            self.distinct.insert(id.clone());
            self.ids.push(id);
            Ok(self.ids.len() as u64)
        }

        /// What the IDs come to.
        fn read(&mut self) -> Reading {
            Reading {
                value: self.value,
                count: self.ids.len() as u64,
                distinct: self.distinct.len() as u64,
                sum: self.sum,
                digest: self.digest,
            }
        }

        /// A part of the IDs, in the order in which they came.
        fn ids(&mut self, from: u64, limit: u64) -> Vec<String> {
            let skip = usize::try_from(from).unwrap_or(usize::MAX);
            self.ids.iter().skip(skip).take(limit.min(IDS_MAX) as usize).cloned().collect()
        }
    }
}

fn start(_parameters: Value) -> Counter {
    Counter::default()
}

vat!(start);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_and_a_repeated_message_are_seen() {
        let reading = |ids: &[i128]| {
            let mut counter = start(Value::Undefined);
            for id in ids {
                counter.add(Value::Int(*id)).unwrap();
            }
            counter.read()
        };
        assert_eq!(reading(&[1, 2, 3]), reading(&[1, 2, 3]));
        assert_ne!(reading(&[1, 2, 3]), reading(&[1, 2]));
        assert_ne!(reading(&[1, 2, 3]), reading(&[1, 2, 2]));
        assert_ne!(reading(&[1, 2, 3]), reading(&[1, 3, 2]));
    }
}

//! Remembered checks.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use sha2::{Digest, Sha256};
use swing_core::ports::signatures::SignatureVerifier;

use super::Secp256k1Verifier;

/// Parts of the memory; threads that check at the same time rarely meet in one.
const SHARDS: usize = 16;

/// Hash over a public key, a message and a signature.
type CheckId = [u8; 32];

/// A verifier that remembers which checks succeeded, up to a number, and forgets the oldest first.
#[derive(Debug)]
pub struct RememberingVerifier {
    plain: Secp256k1Verifier,
    shards: Vec<Mutex<Shard>>,
    shard_entries_max: usize,
}

#[derive(Debug, Default)]
struct Shard {
    known: BTreeSet<CheckId>,
    in_order: VecDeque<CheckId>,
}

impl RememberingVerifier {
    /// A verifier that remembers about `entries_max` checks; 0 remembers none.
    pub fn new(entries_max: usize) -> Self {
        RememberingVerifier {
            plain: Secp256k1Verifier::default(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            shard_entries_max: entries_max.div_ceil(SHARDS),
        }
    }

    /// Forgets everything.
    pub fn forget(&self) {
        for shard in &self.shards {
            *shard.lock().unwrap_or_else(PoisonError::into_inner) = Shard::default();
        }
    }

    fn shard(&self, id: &CheckId) -> Option<&Mutex<Shard>> {
        self.shards.get(usize::from(id.first().copied().unwrap_or(0)) % SHARDS)
    }

    fn knows(&self, id: &CheckId) -> bool {
        self.shard(id).is_some_and(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).known.contains(id))
    }

    fn remember(&self, id: CheckId) {
        let Some(shard) = self.shard(&id).filter(|_| self.shard_entries_max > 0) else {
            return;
        };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if !shard.known.insert(id) {
            return;
        }
        shard.in_order.push_back(id);
        if shard.in_order.len() > self.shard_entries_max
            && let Some(oldest) = shard.in_order.pop_front()
        {
            shard.known.remove(&oldest);
        }
    }
}

/// Each part with its length, so that no two checks have the same bytes.
fn check_id(public_key: &[u8], message: &[u8], signature: &[u8]) -> CheckId {
    let mut hash = Sha256::new();
    for part in [public_key, message, signature] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl SignatureVerifier for RememberingVerifier {
    fn verify_secp256k1(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let id = check_id(public_key, message, signature);
        if self.knows(&id) {
            return true;
        }
        let good = self.plain.verify_secp256k1(public_key, message, signature);
        if good {
            self.remember(id);
        }
        good
    }
}

#[cfg(test)]
mod tests {
    use secp256k1::{Message, Secp256k1, SecretKey};
    use sha2::{Digest, Sha256};
    use swing_core::ports::signatures::SignatureVerifier;

    use super::{RememberingVerifier, SHARDS, Secp256k1Verifier, check_id};

    fn signed(number: u32) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let context = Secp256k1::new();
        let secret = SecretKey::from_byte_array([9; 32]).expect("a key");
        let message = number.to_be_bytes().to_vec();
        let signature = context.sign_ecdsa(Message::from_digest(Sha256::digest(&message).into()), &secret);
        (secret.public_key(&context).serialize().to_vec(), message, signature.serialize_compact().to_vec())
    }

    fn remembered(verifier: &RememberingVerifier) -> usize {
        verifier.shards.iter().map(|shard| shard.lock().expect("not poisoned").known.len()).sum()
    }

    #[test]
    fn answers_are_those_of_the_plain_check_before_and_after_they_are_remembered() {
        let plain = Secp256k1Verifier::default();
        let remembering = RememberingVerifier::new(1000);
        let (key, message, signature) = signed(1);
        let mut cases = vec![(key.clone(), message.clone(), signature.clone())];
        for position in [0, 5, 32, 63] {
            let mut bent = signature.clone();
            bent[position] ^= 1;
            cases.push((key.clone(), message.clone(), bent));
        }
        // The same bytes in all, cut elsewhere.
        cases.push((key.clone(), [message.clone(), signature[..1].to_vec()].concat(), signature[1..].to_vec()));
        for _ in 0..3 {
            for (key, message, signature) in &cases {
                let expected = plain.verify_secp256k1(key, message, signature);
                assert_eq!(remembering.verify_secp256k1(key, message, signature), expected);
            }
        }
        assert_eq!(remembered(&remembering), 1, "failures are not remembered");
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_the_oldest_first() {
        let verifier = RememberingVerifier::new(SHARDS * 2);
        let checks: Vec<_> = (0..200).map(signed).collect();
        for (key, message, signature) in &checks {
            assert!(verifier.verify_secp256k1(key, message, signature));
        }
        assert!(remembered(&verifier) <= SHARDS * 2);
        let (key, message, signature) = checks.last().expect("some");
        assert!(verifier.knows(&check_id(key, message, signature)), "the newest is known");
        let (key, message, signature) = checks.first().expect("some");
        assert!(!verifier.knows(&check_id(key, message, signature)), "the first is forgotten");
        verifier.forget();
        assert_eq!(remembered(&verifier), 0);
    }
}

//! The hash of the store's table. It orders nothing that anybody sees, and everybody can choose keys that collide: the table expects it.

/// Folded multiplication of eight bytes at a time; the last eight overlap those before.
pub fn hash_of(key: &[u8]) -> u32 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let fold = |hash: u64, word: u64| {
        let product = (hash ^ word).wrapping_mul(MULTIPLIER);
        product ^ (product >> 32)
    };
    let mut hash = fold(1, key.len() as u64);
    let last = match key.last_chunk::<8>() {
        Some(last) => {
            for word in key.as_chunks::<8>().0 {
                hash = fold(hash, u64::from_le_bytes(*word));
            }
            u64::from_le_bytes(*last)
        }
        None => key.iter().fold(0, |last, byte| (last << 8) | u64::from(*byte)),
    };
    (fold(hash, last) >> 16) as u32
}

/// Whether two keys are equal, eight bytes at a time.
pub fn same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    match (left.last_chunk::<8>(), right.last_chunk::<8>()) {
        (Some(left_last), Some(right_last)) => {
            let (left, right) = (left.as_chunks::<8>().0, right.as_chunks::<8>().0);
            left_last == right_last && left.iter().zip(right).all(|(left, right)| left == right)
        }
        _ => left.iter().zip(right).all(|(left, right)| left == right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_same_when_all_their_bytes_are() {
        for length in 0..40usize {
            let key: Vec<u8> = (0..length as u8).collect();
            assert!(same(&key, &key.clone()));
            assert_eq!(hash_of(&key), hash_of(&key.clone()));
            assert!(!same(&key, &[&key[..], &[9]].concat()));
            for at in 0..length {
                let mut other = key.clone();
                other[at] ^= 1;
                assert!(!same(&key, &other), "{length} {at}");
                assert_ne!(hash_of(&key), hash_of(&other), "{length} {at}");
            }
        }
    }
}

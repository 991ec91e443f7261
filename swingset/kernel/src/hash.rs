//! The hash of the store's table. It orders nothing that anybody sees.

/// Folded multiplication of eight bytes at a time.
pub fn hash_of(seed: u64, key: &[u8]) -> u32 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let fold = |hash: u64, word: u64| {
        let product = (hash ^ word).wrapping_mul(MULTIPLIER);
        product ^ (product >> 32)
    };
    let mut hash = fold(seed, key.len() as u64);
    let (words, rest) = key.as_chunks::<8>();
    for word in words {
        hash = fold(hash, u64::from_le_bytes(*word));
    }
    let last = rest.iter().fold(0u64, |last, byte| (last << 8) | u64::from(*byte));
    (fold(hash, last) >> 16) as u32
}

//! Nibble paths: where in the 16-ary tree a node is.

use super::TreeError;

/// The path of a node: the first `len` nibbles of the key hashes under it. Unused nibbles are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NibblePath {
    // The length first: encodings and paths then sort alike.
    len: u8,
    packed: [u8; 32],
}

impl NibblePath {
    /// Nibbles in the path: the depth of its node.
    pub fn depth(&self) -> u8 {
        self.len
    }

    /// The path of the child at `nibble`.
    ///
    /// # Errors
    /// [`TreeError::TooDeep`] below the last nibble: a stored tree that asks for this is damaged.
    pub fn child(&self, nibble: u8) -> Result<Self, TreeError> {
        let mut packed = self.packed;
        let byte = packed.get_mut(usize::from(self.len / 2)).ok_or(TreeError::TooDeep)?;
        *byte |= if self.len.is_multiple_of(2) { nibble << 4 } else { nibble & 0x0f };
        Ok(NibblePath { packed, len: self.len + 1 })
    }

    /// The path of the first `depth` nibbles of a key hash.
    ///
    /// # Errors
    /// [`TreeError::TooDeep`] for more nibbles than the hash has.
    pub fn head(key_hash: &[u8; 32], depth: u8) -> Result<Self, TreeError> {
        (0..depth).try_fold(NibblePath::default(), |path, at| path.child(nibble_at(key_hash, at)?))
    }

    /// The first nibble; 0 for the root's path.
    pub fn first_nibble(&self) -> u8 {
        let [first, ..] = self.packed;
        first >> 4
    }

    /// A number that differs between paths, up to their first 14 nibbles.
    pub fn digest(&self) -> u64 {
        let [a, b, c, d, e, f, g, ..] = self.packed;
        u64::from_be_bytes([a, b, c, d, e, f, g, self.len])
    }

    /// Appends the path's encoding: nibble count, then the nibbles packed two a byte, high one first.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.push(self.len);
        out.extend_from_slice(&self.packed[..usize::from(self.len).div_ceil(2)]);
    }
}

/// The nibble of a key hash at `depth`.
///
/// # Errors
/// [`TreeError::TooDeep`] when the hash has none there.
pub fn nibble_at(key_hash: &[u8; 32], depth: u8) -> Result<u8, TreeError> {
    let byte = key_hash.get(usize::from(depth / 2)).ok_or(TreeError::TooDeep)?;
    Ok(if depth.is_multiple_of(2) { byte >> 4 } else { byte & 0x0f })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nibbles in a key hash.
    const DEPTH_MAX: u8 = 64;

    #[test]
    fn a_path_follows_the_nibbles_of_a_key_hash_to_the_last_and_no_further() {
        let mut hash = [0u8; 32];
        (0u8..).zip(&mut hash).for_each(|(i, byte)| *byte = i.wrapping_mul(37));
        let mut path = NibblePath::default();
        for depth in 0..DEPTH_MAX {
            path = path.child(nibble_at(&hash, depth).expect("in range")).expect("in range");
        }
        assert_eq!((path.packed, path.depth()), (hash, DEPTH_MAX));
        assert_eq!(path.child(0), Err(TreeError::TooDeep));
        assert_eq!(nibble_at(&hash, DEPTH_MAX), Err(TreeError::TooDeep));
    }

    #[test]
    fn encodings_differ_when_paths_differ_in_length_alone() {
        let encode = |nibbles: &[u8]| {
            let path = nibbles.iter().try_fold(NibblePath::default(), |path, n| path.child(*n)).expect("short");
            let mut out = Vec::new();
            path.encode_into(&mut out);
            out
        };
        assert_eq!(encode(&[]), [0]);
        assert_eq!(encode(&[0xa]), [1, 0xa0]);
        assert_eq!(encode(&[0xa, 0]), [2, 0xa0]);
        assert_eq!(encode(&[0xa, 0xb, 0xc]), [3, 0xab, 0xc0]);
    }
}

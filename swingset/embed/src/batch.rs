//! The bytes of a committed batch.
//!
//! An entry is `1 | key length u32 | key | value length u32 | value` for what is set and `0 | key length u32 | key` for what is deleted,
//! integers little-endian.
//!
//! # Invariants
//! - Sizes are known before anything is allocated; a length read from disk never leads outside the batch.

use bytes::Bytes;

use crate::StoreError;

/// The largest batch, in bytes.
pub const BATCH_BYTES_MAX: u64 = 256 << 20;

const DELETED: u8 = 0;
const SET: u8 = 1;
/// Bytes of a mark and a key's length.
const KEY_OVERHEAD: u64 = 1 + 4;
const VALUE_OVERHEAD: u64 = 4;

/// A key and what it holds from now on; none: it is deleted.
pub type Change<'a> = (&'a [u8], Option<&'a Bytes>);

/// Bytes that a change takes in a batch.
pub fn size(key: &[u8], value: Option<&Bytes>) -> u64 {
    let value = value.map_or(0, |value| VALUE_OVERHEAD.saturating_add(value.len() as u64));
    KEY_OVERHEAD.saturating_add(key.len() as u64).saturating_add(value)
}

/// The bytes of a batch.
pub fn encode<'a>(changes: impl Iterator<Item = Change<'a>> + Clone) -> Result<Vec<u8>, StoreError> {
    let bytes = changes.clone().fold(0u64, |sum, (key, value)| sum.saturating_add(size(key, value)));
    let too_large = || StoreError::TooLarge { bytes, max: BATCH_BYTES_MAX };
    if bytes > BATCH_BYTES_MAX {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(usize::try_from(bytes).map_err(|_| too_large())?);
    // No part is longer than the whole, which was just measured: the lengths fit.
    let length = |part: &[u8]| u32::try_from(part.len()).map(u32::to_le_bytes).map_err(|_| too_large());
    for (key, value) in changes {
        body.push(if value.is_some() { SET } else { DELETED });
        body.extend_from_slice(&length(key)?);
        body.extend_from_slice(key);
        if let Some(value) = value {
            body.extend_from_slice(&length(value)?);
            body.extend_from_slice(value);
        }
    }
    Ok(body)
}

/// Gives each change of a batch to `see`, in order; false when the bytes are no batch.
pub fn decode(
    mut body: &[u8],
    mut see: impl FnMut(&[u8], Option<Bytes>) -> Result<(), StoreError>,
) -> Result<bool, StoreError> {
    while let Some((mark, rest)) = body.split_first() {
        let Some((key, rest)) = part(rest) else { return Ok(false) };
        let (value, rest) = match *mark {
            DELETED => (None, rest),
            SET => match part(rest) {
                Some((value, rest)) => (Some(Bytes::copy_from_slice(value)), rest),
                None => return Ok(false),
            },
            _ => return Ok(false),
        };
        see(key, value)?;
        body = rest;
    }
    Ok(true)
}

/// What follows its length, and the rest.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_ends_within_an_entry_is_none() {
        let value = Bytes::from_static(b"value");
        let body = encode([(&b"key"[..], Some(&value)), (&b"gone"[..], None)].into_iter()).unwrap();
        let whole = size(b"key", Some(&value));
        for end in 1..body.len() {
            let good = decode(&body[..end], |_, _| Ok(())).unwrap();
            assert_eq!(good, end as u64 == whole, "cut at {end}");
        }
        assert!(decode(&body, |_, _| Ok(())).unwrap());
    }
}

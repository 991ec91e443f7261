//! Pieces of LevelDB's encodings. Every function takes what it reads off the front, and gives none where there is too little.

/// The first `len` bytes.
pub fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, tail) = bytes.split_at_checked(len)?;
    *bytes = tail;
    Some(head)
}

/// A number of four bytes, the lowest first.
pub fn u32_le(bytes: &mut &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(take(bytes, 4)?.try_into().ok()?))
}

/// A number of eight bytes, the lowest first.
pub fn u64_le(bytes: &mut &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(take(bytes, 8)?.try_into().ok()?))
}

/// A number in groups of seven bits, the lowest first.
pub fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *take(bytes, 1)?.first()?;
        let group = u64::from(byte & 0x7f);
        let placed = group.checked_shl(shift).filter(|placed| placed >> shift == group)?;
        number |= placed;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// A length, or an offset.
pub fn length(bytes: &mut &[u8]) -> Option<usize> {
    usize::try_from(varint(bytes)?).ok()
}

/// Bytes behind their length.
pub fn slice<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = length(bytes)?;
    take(bytes, len)
}

/// An internal key: the user's, then sequence number and kind in eight bytes.
pub fn internal_key(bytes: &[u8]) -> Option<(&[u8], u64, u8)> {
    let (user, trailer) = bytes.split_last_chunk::<8>()?;
    let trailer = u64::from_le_bytes(*trailer);
    let [.., kind] = trailer.to_be_bytes();
    Some((user, trailer >> 8, kind))
}

/// CRC-32C of the parts one after another, masked as LevelDB stores it.
pub fn masked_crc(parts: &[&[u8]]) -> u32 {
    crc32c(parts).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C of the parts one after another.
pub fn crc32c(parts: &[&[u8]]) -> u32 {
    let mut crc = u32::MAX;
    for byte in parts.iter().flat_map(|part| part.iter()) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_crc_32c_under_leveldbs_mask() {
        // CRC-32C of "123456789" is e3069283.
        let expected = 0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(masked_crc(&[b"1234", b"56789"]), expected);
    }

    #[test]
    fn numbers_that_end_too_early_or_are_too_long_are_none() {
        assert_eq!(varint(&mut &[0xac, 0x02][..]), Some(300));
        assert_eq!(varint(&mut &[0xff; 9].iter().copied().chain([1]).collect::<Vec<_>>()[..]), Some(u64::MAX));
        assert_eq!(varint(&mut &[0xff; 9].iter().copied().chain([2]).collect::<Vec<_>>()[..]), None);
        assert_eq!(varint(&mut &[0x80; 11][..]), None);
        assert_eq!(varint(&mut &[0x80][..]), None);
    }
}

//! Copies of a few bytes. A copy of unknown length is a call out of the guest, which costs more than most keys are long.

/// Copies `from` to the beginning of `to`, which is at least as long: the last piece overlaps those before.
#[inline]
pub fn copy(to: &mut [u8], from: &[u8]) {
    let Some(to) = to.get_mut(..from.len()) else { return };
    match from.len() {
        33.. => to.copy_from_slice(from),
        16.. => ends::<16>(to, from),
        8.. => ends::<8>(to, from),
        4.. => ends::<4>(to, from),
        2.. => ends::<2>(to, from),
        _ => ends::<1>(to, from),
    }
}

/// The first and the last `N` bytes.
#[inline(always)]
fn ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk::<N>()) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_copied_and_no_other_is_touched() {
        for length in 0..80usize {
            let from: Vec<u8> = (1..=length as u8).collect();
            let mut to = vec![200u8; length + 9];
            copy(&mut to, &from);
            assert_eq!(&to[..length], &from[..]);
            assert!(to[length..].iter().all(|byte| *byte == 200), "{length}");
        }
    }
}

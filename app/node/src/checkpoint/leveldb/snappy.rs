//! Decompression of Snappy blocks. Source: Snappy's `format_description.txt`.

use super::bytes::{length, take};

/// Longer blocks are none of CometBFT's: a block of the chain is at most 100 MiB and lies in parts of 64 KiB.
const BYTES_MAX: usize = 64 << 20;

/// Decompresses; none when the bytes are no Snappy block.
pub fn decompress(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let input = &mut bytes;
    let len = length(input).filter(|len| *len <= BYTES_MAX)?;
    let mut out = Vec::new();
    while !input.is_empty() {
        let tag = *take(input, 1)?.first()?;
        let upper = usize::from(tag >> 2);
        match tag & 3 {
            0 => {
                let count = match upper {
                    0..=59 => upper + 1,
                    _ => number(take(input, upper - 59)?).checked_add(1)?,
                };
                out.extend_from_slice(take(input, count)?);
            }
            1 => {
                let offset = usize::from(tag >> 5) << 8 | number(take(input, 1)?);
                copy(&mut out, offset, (upper & 7) + 4)?;
            }
            kind => {
                let offset = number(take(input, if kind == 2 { 2 } else { 4 })?);
                copy(&mut out, offset, upper + 1)?;
            }
        }
        if out.len() > len {
            return None;
        }
    }
    (out.len() == len).then_some(out)
}

/// A number of up to four bytes, the lowest first.
fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// Repeats what was put out `offset` bytes ago; it may overlap what it makes.
fn copy(out: &mut Vec<u8>, offset: usize, count: usize) -> Option<()> {
    let start = out.len().checked_sub(offset).filter(|_| offset > 0)?;
    for place in start..start.checked_add(count)? {
        out.push(*out.get(place)?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::decompress;

    #[track_caller]
    fn check(bytes: &[u8], expected: Option<&[u8]>) {
        assert_eq!(decompress(bytes).as_deref(), expected, "{bytes:?}");
    }

    #[test]
    fn literals_and_copies_of_all_forms_are_put_together() {
        check(&[3, 2 << 2, b'a', b'b', b'c'], Some(b"abc"));
        check(&[7, 1 << 2, b'a', b'b', 1 | 1 << 2, 2], Some(b"abababa"));
        check(&[6, 1 << 2, b'a', b'b', 2 | 3 << 2, 2, 0], Some(b"ababab"));
        check(&[6, 1 << 2, b'a', b'b', 3 | 3 << 2, 2, 0, 0, 0], Some(b"ababab"));
        check(&[3, 60 << 2, 2, b'a', b'b', b'c'], Some(b"abc"));
        check(&[0], Some(b""));
    }

    #[test]
    fn other_bytes_are_no_block() {
        for bad in [
            &[][..],
            &[3, 2 << 2, b'a'],
            &[4, 2 << 2, b'a', b'b', b'c'],
            &[2, 2 << 2, b'a', b'b', b'c'],
            &[5, 0, b'a', 1, 2],
            &[5, 0, b'a', 1, 0],
            &[0xff, 0xff, 0xff, 0xff, 0x7f],
        ] {
            check(bad, None);
        }
    }
}

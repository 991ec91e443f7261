//! The record format of journals and manifests, and the batches in a journal.

use super::{
    Newest,
    bytes::{masked_crc, slice, take, u32_le, u64_le},
    keep_newest,
};

/// Records are in blocks of this many bytes, and no fragment crosses one.
const BLOCK_BYTES: usize = 32 << 10;
const HEADER_BYTES: usize = 7;

/// The whole records of a file. A torn end is the end, as a crash leaves it; none where something stands after what is torn, so that
/// it was damaged later.
pub fn records(content: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut records = Vec::new();
    let mut open: Option<Vec<u8>> = None;
    let mut blocks = content.chunks(BLOCK_BYTES).peekable();
    while let Some(mut block) = blocks.next() {
        while block.len() >= HEADER_BYTES {
            let rest = block;
            let Some((kind, data)) = fragment(&mut block) else {
                return (blocks.peek().is_none() && is_torn_end(rest)).then_some(records);
            };
            match (kind, open.take()) {
                (1, None) => records.push(data.to_vec()),
                (2, None) => open = Some(data.to_vec()),
                (3, Some(mut record)) => {
                    record.extend_from_slice(data);
                    open = Some(record);
                }
                (4, Some(mut record)) => {
                    record.extend_from_slice(data);
                    records.push(record);
                }
                _ => return None,
            }
        }
    }
    Some(records)
}

/// Whether a fragment that is not whole is the last thing written: it goes beyond the file's end or up to it, or the file was made
/// longer ahead and nothing but zeros follows.
fn is_torn_end(rest: &[u8]) -> bool {
    let [_, _, _, _, low, high, ..] = rest else { return true };
    let end = HEADER_BYTES + usize::from(u16::from_le_bytes([*low, *high]));
    end >= rest.len() || rest.iter().all(|byte| *byte == 0)
}

/// One fragment: its kind (1 whole, 2 first, 3 middle, 4 last) and data; none when it is not whole.
fn fragment<'a>(block: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let checksum = u32_le(block)?;
    let length = u16::from_le_bytes(take(block, 2)?.try_into().ok()?);
    let kind = take(block, 1)?;
    let data = take(block, usize::from(length))?;
    (masked_crc(&[kind, data]) == checksum).then_some((*kind.first()?, data))
}

/// Looks for a key in a batch; none when the bytes are no batch.
pub fn search_batch(mut batch: &[u8], key: &[u8], newest: &mut Newest) -> Option<()> {
    let first = u64_le(&mut batch)?;
    let count = u32_le(&mut batch)?;
    for place in 0..u64::from(count) {
        let sequence = first.checked_add(place)?;
        let (found, value) = match take(&mut batch, 1)?.first()? {
            0 => (slice(&mut batch)?, None),
            1 => (slice(&mut batch)?, Some(slice(&mut batch)?)),
            _ => return None,
        };
        if found == key {
            keep_newest(newest, sequence, value);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(records: &[Vec<u8>]) -> Vec<u8> {
        let mut out = Vec::new();
        for record in records {
            let mut rest = record.as_slice();
            let mut first = true;
            loop {
                let left = BLOCK_BYTES - out.len() % BLOCK_BYTES;
                if left < HEADER_BYTES {
                    out.resize(out.len() + left, 0);
                    continue;
                }
                let (data, after) = rest.split_at(rest.len().min(left - HEADER_BYTES));
                rest = after;
                let kind = match (first, rest.is_empty()) {
                    (true, true) => 1u8,
                    (true, false) => 2,
                    (false, false) => 3,
                    (false, true) => 4,
                };
                out.extend(masked_crc(&[&[kind], data]).to_le_bytes());
                out.extend(u16::try_from(data.len()).expect("below a block").to_le_bytes());
                out.push(kind);
                out.extend(data);
                first = false;
                if rest.is_empty() {
                    break;
                }
            }
        }
        out
    }

    #[test]
    fn records_of_all_lengths_are_read_back_and_a_torn_end_is_the_end() {
        let whole: Vec<Vec<u8>> = [0, 1, 100, BLOCK_BYTES - 200, 50, 3 * BLOCK_BYTES, 7]
            .iter()
            .map(|len| vec![*len as u8 ^ 0x5a; *len])
            .collect();
        let bytes = write(&whole);
        assert_eq!(records(&bytes), Some(whole.clone()));
        assert_eq!(records(&bytes[..bytes.len() - 1]), Some(whole[..whole.len() - 1].to_vec()));
        assert_eq!(records(&[bytes.as_slice(), &[0; 99]].concat()), Some(whole.clone()), "zeros were laid out ahead");
        let mut damaged = bytes.clone();
        damaged[HEADER_BYTES + HEADER_BYTES] ^= 1;
        assert_eq!(records(&damaged), None, "more follows, so it was whole once");
    }

    #[test]
    fn the_last_entry_of_a_key_counts_and_half_a_batch_is_none() {
        let mut batch = 7u64.to_le_bytes().to_vec();
        batch.extend(3u32.to_le_bytes());
        batch.extend(b"\x01\x01k\x01a\x01\x01x\x01b\x00\x01k");
        let mut newest = None;
        assert_eq!(search_batch(&batch, b"k", &mut newest), Some(()));
        assert_eq!(newest, Some((9, None)), "deleted");
        let mut newest = None;
        assert_eq!(search_batch(&batch, b"x", &mut newest), Some(()));
        assert_eq!(newest, Some((8, Some(b"b".to_vec()))));
        assert_eq!(search_batch(&batch[..batch.len() - 1], b"k", &mut newest), None);
    }
}

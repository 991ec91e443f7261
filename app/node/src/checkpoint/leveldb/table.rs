//! Tables: sorted entries in checksummed blocks, and an index over the blocks.

use std::{fs::File, os::unix::fs::FileExt, path::Path};

use super::{
    LevelDbError, Newest,
    bytes::{internal_key, length, masked_crc, take, u32_le, varint},
    keep_newest, snappy,
};

const FOOTER_BYTES: u64 = 48;
const MAGIC: &[u8; 8] = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb";
/// Compression's kind and the checksum, behind each block.
const TRAILER_BYTES: usize = 5;
/// Longer blocks are none of CometBFT's.
const BLOCK_BYTES_MAX: u64 = 64 << 20;

/// Where a block is: offset and length.
type Handle = (u64, u64);

/// Looks for a key in a table.
pub fn search(path: &Path, key: &[u8], newest: &mut Newest) -> Result<(), LevelDbError> {
    let file = File::open(path).map_err(LevelDbError::io(path))?;
    let damaged = |what| LevelDbError::damaged(path, what);
    let len = file.metadata().map_err(LevelDbError::io(path))?.len();
    let mut footer = [0u8; FOOTER_BYTES as usize];
    let start = len.checked_sub(FOOTER_BYTES).ok_or_else(|| damaged("too short for a table"))?;
    file.read_exact_at(&mut footer, start).map_err(LevelDbError::io(path))?;
    let index = index_handle(&footer).ok_or_else(|| damaged("its end is not a table's"))?;
    let read = |handle: Handle| {
        let block = read_block(&file, len, handle).map_err(LevelDbError::io(path))?;
        block.ok_or_else(|| damaged("a block's checksum is wrong"))
    };
    let not_a_block = || damaged("a block that is not one");
    let mut blocks = Vec::new();
    for (last, handle) in entries(&read(index)?).ok_or_else(not_a_block)? {
        let (last, ..) = internal_key(&last).ok_or_else(not_a_block)?;
        if last >= key {
            let mut handle = handle.as_slice();
            let handle = varint(&mut handle).zip(varint(&mut handle)).ok_or_else(not_a_block)?;
            blocks.push(handle);
            // Entries of one key may go on in the next block, those of greater ones have no more of it.
            if last > key {
                break;
            }
        }
    }
    for handle in blocks {
        for (found, value) in entries(&read(handle)?).ok_or_else(not_a_block)? {
            let (found, sequence, kind) = internal_key(&found).ok_or_else(not_a_block)?;
            if found == key {
                keep_newest(newest, sequence, (kind == 1).then_some(value.as_slice()));
            }
        }
    }
    Ok(())
}

fn index_handle(footer: &[u8]) -> Option<Handle> {
    let mut bytes = footer.strip_suffix(MAGIC)?;
    let _metaindex: Handle = (varint(&mut bytes)?, varint(&mut bytes)?);
    Some((varint(&mut bytes)?, varint(&mut bytes)?))
}

/// A block's content; the inner option is none when it is damaged.
fn read_block(file: &File, file_len: u64, (offset, len): Handle) -> std::io::Result<Option<Vec<u8>>> {
    let whole = len.checked_add(TRAILER_BYTES as u64).filter(|whole| *whole <= BLOCK_BYTES_MAX);
    let Some(whole) = whole.filter(|whole| offset.checked_add(*whole).is_some_and(|end| end <= file_len)) else {
        return Ok(None);
    };
    let mut bytes = vec![0; usize::try_from(whole).unwrap_or_default()];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(content(&bytes))
}

fn content(bytes: &[u8]) -> Option<Vec<u8>> {
    let (checked, mut checksum) = bytes.split_at_checked(bytes.len().checked_sub(4)?)?;
    if masked_crc(&[checked]) != u32_le(&mut checksum)? {
        return None;
    }
    match checked.split_last()? {
        (0, content) => Some(content.to_vec()),
        (1, content) => snappy::decompress(content),
        _ => None,
    }
}

/// The entries of a block, keys whole.
fn entries(block: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let (rest, mut count) = block.split_at_checked(block.len().checked_sub(4)?)?;
    let restarts = usize::try_from(u32_le(&mut count)?).ok()?.checked_mul(4)?;
    let mut bytes = rest.get(..rest.len().checked_sub(restarts)?)?;
    let mut entries = Vec::new();
    let mut key: Vec<u8> = Vec::new();
    while !bytes.is_empty() {
        let (shared, own, value) = (length(&mut bytes)?, length(&mut bytes)?, length(&mut bytes)?);
        if shared > key.len() {
            return None;
        }
        key.truncate(shared);
        key.extend_from_slice(take(&mut bytes, own)?);
        entries.push((key.clone(), take(&mut bytes, value)?.to_vec()));
    }
    Some(entries)
}

//! Keys and values as a kernel gives them, alone or in the rows of `write`.

use swingset_abi::kernel::imports::DELETED;

use crate::{engine::GuestFault, guest, keys};

/// Longest kernel key, in bytes.
pub(super) const KEY_BYTES_MAX: u32 = 8 * 1024;
/// Largest value, in bytes.
pub(super) const VALUE_BYTES_MAX: u32 = 16 * 1024 * 1024;
/// Bytes of a row.
const ROW_BYTES: usize = 16;

/// A row: where the key begins and its length, where the value begins and its length.
pub(super) type Row = [u8; ROW_BYTES];

type Result<T> = std::result::Result<T, GuestFault>;

/// So many rows.
pub(super) fn of(memory: &[u8], rows: u32, count: u32) -> Result<&[Row]> {
    let bytes = count.checked_mul(ROW_BYTES as u32).ok_or(guest::BAD_POINTER)?;
    Ok(guest::slice(memory, rows, bytes)?.as_chunks().0)
}

/// Bytes of a row's key and value, no more than they may be.
pub(super) fn size(row: &Row) -> u64 {
    let [_, key_length, _, value_length] = numbers(row);
    let value_length = if value_length == DELETED { 0 } else { value_length.min(VALUE_BYTES_MAX) };
    u64::from(key_length.min(KEY_BYTES_MAX)) + u64::from(value_length)
}

/// One row of `write`: a key that the kernel may write, and its value.
pub(super) fn change<'a>(bytes: &'a [u8], row: &Row) -> Result<(&'a [u8], Option<&'a [u8]>)> {
    let [key_start, key_length, value_start, value_length] = numbers(row);
    let key = writable(key(bytes, key_start, key_length)?)?;
    if value_length == DELETED {
        return Ok((key, None));
    }
    if value_length > VALUE_BYTES_MAX {
        return Err(GuestFault("value is too large"));
    }
    Ok((key, Some(guest::slice(bytes, value_start, value_length)?)))
}

fn numbers(row: &Row) -> [u32; 4] {
    std::array::from_fn(|at| u32::from_le_bytes(row.as_chunks::<4>().0[at]))
}

/// A key.
pub(super) fn key(memory: &[u8], address: u32, length: u32) -> Result<&[u8]> {
    if length > KEY_BYTES_MAX {
        return Err(GuestFault("key is too long"));
    }
    guest::slice(memory, address, length)
}

/// A key that the kernel may write.
pub(super) fn writable(key: &[u8]) -> Result<&[u8]> {
    if keys::host_owned(key) { Err(GuestFault("write to a key that is the host's")) } else { Ok(key) }
}

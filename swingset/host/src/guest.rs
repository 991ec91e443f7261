//! Bytes in and out of a guest's memory. Every address and length that a guest gives is hostile.

use wasmtime::{AsContext, AsContextMut, Memory};

use crate::engine::GuestFault;

pub(crate) const BAD_POINTER: GuestFault = GuestFault("address outside of memory");

/// The guest's bytes at an address.
pub(crate) fn slice(memory: &[u8], address: u32, length: u32) -> Result<&[u8], GuestFault> {
    let start = address as usize;
    let end = start.checked_add(length as usize).ok_or(BAD_POINTER)?;
    memory.get(start..end).ok_or(BAD_POINTER)
}

/// The guest's bytes at an address, to be written.
pub(crate) fn slice_mut(memory: &mut [u8], address: u32, length: u32) -> Result<&mut [u8], GuestFault> {
    let start = address as usize;
    let end = start.checked_add(length as usize).ok_or(BAD_POINTER)?;
    memory.get_mut(start..end).ok_or(BAD_POINTER)
}

/// A length as guests see it.
pub(crate) fn length(bytes: &[u8]) -> Result<u32, GuestFault> {
    u32::try_from(bytes.len()).map_err(|_| GuestFault("more than 4 GiB"))
}

/// Copies `bytes` to an address that the guest itself gave out for them.
pub(crate) fn write(
    memory: Memory,
    store: &mut impl AsContextMut,
    address: u32,
    bytes: &[u8],
) -> Result<(), GuestFault> {
    let target = slice_mut(memory.data_mut(store), address, length(bytes)?)?;
    target.copy_from_slice(bytes);
    Ok(())
}

/// The bytes that a packed `address << 32 | length` names, if there are at most `most`.
pub(crate) fn packed(memory: &[u8], packed: u64, most: usize) -> Result<&[u8], GuestFault> {
    let (address, length) = ((packed >> 32) as u32, (packed & 0xffff_ffff) as u32);
    if length as usize > most {
        return Err(GuestFault("answer is too large"));
    }
    slice(memory, address, length)
}

/// Copies the bytes that a packed `address << 32 | length` names, if there are at most `most`.
pub(crate) fn read_packed(
    memory: Memory,
    store: &impl AsContext,
    packed: u64,
    most: usize,
) -> Result<Vec<u8>, GuestFault> {
    Ok(self::packed(memory.data(store), packed, most)?.to_vec())
}

/// Gives an answer to a guest: written when it fits, else kept for `fetch`. Returns the whole length.
pub(crate) fn give(
    memory: &mut [u8],
    kept: &mut Vec<u8>,
    out: u32,
    capacity: u32,
    answer: &[u8],
) -> Result<i32, GuestFault> {
    let length = length(answer)?;
    if length <= capacity {
        slice_mut(memory, out, length)?.copy_from_slice(answer);
    } else {
        kept.clear();
        kept.extend_from_slice(answer);
    }
    i32::try_from(length).map_err(|_| GuestFault("answer is too large"))
}

/// `fetch`: the answer that did not fit. Returns its length; nothing is written when it does not fit again.
pub(crate) fn fetch(memory: &mut [u8], kept: &mut Vec<u8>, out: u32, capacity: u32) -> Result<i32, GuestFault> {
    let length = length(kept)?;
    if length <= capacity {
        slice_mut(memory, out, length)?.copy_from_slice(kept);
        kept.clear();
    }
    i32::try_from(length).map_err(|_| GuestFault("answer is too large"))
}

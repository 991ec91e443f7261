//! What the kernel asks of the world.

use alloc::vec::Vec;

use swingset_abi::kernel::imports::DELETED;

/// One change of a key: where in a buffer the key and its value lie. In memory it is the row of `swingset_abi::kernel::imports`'s `write`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Change {
    key_start: u32,
    key_length: u32,
    value_start: u32,
    value_length: u32,
}

impl Change {
    /// From starts and lengths; without a value it is a deletion.
    pub fn new(key: (u32, u32), value: Option<(u32, u32)>) -> Change {
        let (value_start, value_length) = value.unwrap_or((0, DELETED));
        Change {
            key_start: key.0,
            key_length: key.1,
            value_start,
            value_length,
        }
    }

    /// The key, and its value unless it is deleted.
    pub fn of<'a>(&self, bytes: &'a [u8]) -> (&'a [u8], Option<&'a [u8]>) {
        let piece = |start: u32, length: u32| bytes.get(start as usize..start as usize + length as usize);
        let key = piece(self.key_start, self.key_length).unwrap_or_default();
        let value = (self.value_length != DELETED)
            .then(|| piece(self.value_start, self.value_length).unwrap_or_default());
        (key, value)
    }
}

/// The host's side of `swingset_abi::kernel::imports`. Answers are appended to the caller's vector.
///
/// The kernel buffers a crank's writes itself. `mark`, `rollback` and `release` are for the cranks in which the host must see writes
/// before the end: it makes a vat from what the kernel recorded.
pub trait Host {
    /// The value of a key; false when there is none.
    fn get(&mut self, key: &[u8], out: &mut Vec<u8>) -> bool;
    /// Writes and deletes keys, each once; to delete what is absent is no error.
    fn write(&mut self, bytes: &[u8], changes: &[Change]);
    /// The least key above `prior` that begins with `prefix`; false when there is none.
    fn next_key(&mut self, prior: &[u8], prefix: &[u8], out: &mut Vec<u8>) -> bool;
    /// Starts a delivery (`VatDelivery` bytes) and gives the vat's first `VatStep`.
    fn deliver(&mut self, vat_id: &str, delivery: &[u8], limit: u64, out: &mut Vec<u8>);
    /// Answers the suspended vat (`SyscallReply` bytes) and gives its next `VatStep`.
    fn resume(&mut self, reply: &[u8], out: &mut Vec<u8>);
    /// Drops a vat's instance, with what its last delivery did to it.
    fn abandon_vat(&mut self, vat_id: &str);
    /// Drops a vat's instance and memory; its next delivery in this crank makes it anew from `v$N.source`.
    fn replace_vat(&mut self, vat_id: &str);
    /// A vat's instance is again as it was when the crank began.
    fn restore_vat(&mut self, vat_id: &str);
    /// Opens an inner overlay.
    fn mark(&mut self) -> u32;
    /// Undoes all writes since the mark.
    fn rollback(&mut self, mark: u32);
    /// Forgets the mark, keeps the writes.
    fn release(&mut self, mark: u32);
    /// Calls one of the host's bridges, in the same overlay; gives the bytes of a `BridgeAnswer`. False when there is none of this name.
    fn bridge(&mut self, name: &str, body: &[u8], out: &mut Vec<u8>) -> bool;
    /// A trace line; never read back. Levels: 0 error, 1 warning, 2 info, 3 debug.
    fn log(&mut self, level: u32, text: &str);
}

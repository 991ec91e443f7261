//! What the kernel asks of the world.

use alloc::vec::Vec;

/// The host's side of `swingset_abi::kernel::imports`. Answers are appended to the caller's vector.
///
/// The kernel buffers a crank's writes itself. `mark`, `rollback` and `release` are for the cranks in which the host must see writes
/// before the end: it makes a vat from what the kernel recorded.
pub trait Host {
    /// The value of a key; false when there is none.
    fn get(&mut self, key: &[u8], out: &mut Vec<u8>) -> bool;
    /// Writes a key.
    fn set(&mut self, key: &[u8], value: &[u8]);
    /// Deletes a key; absent is no error.
    fn delete(&mut self, key: &[u8]);
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

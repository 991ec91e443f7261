//! What one vat may do in one crank. Consensus constants: a kernel with other ones is another kernel.
//!
//! They bound the kernel's own work and memory, which no meter pays for; crossing one is an illegal syscall, so the crank is
//! undone and the vat terminated.

/// Syscalls in one crank.
pub const SYSCALLS_PER_CRANK_MAX: u64 = 100_000;
/// Messages sent in one crank.
pub const SENDS_PER_CRANK_MAX: u64 = 10_000;
/// Bytes of bodies, keys and values in one crank's syscalls.
pub const SYSCALL_BYTES_PER_CRANK_MAX: u64 = 16 * 1024 * 1024;
/// Entries that one crank's `vatstoreGetNextKey` calls may pass over.
pub const SCANNED_PER_CRANK_MAX: u64 = 100_000;
/// Bytes of one body.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// References in one body.
pub const SLOTS_MAX: usize = 4_096;
/// Promises settled by one syscall.
pub const RESOLUTIONS_MAX: usize = 1_024;
/// Bytes of a vatstore key.
pub const STORE_KEY_BYTES_MAX: usize = 512;
/// Bytes of a vatstore value.
pub const STORE_VALUE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of a vref.
pub const VREF_BYTES_MAX: usize = 64;
/// Messages waiting for one promise: more are answered with an error, since settling moves them all in one crank.
pub const PROMISE_QUEUE_MAX: u64 = 10_000;
/// Settled promises in one notify. The rest stay as they are: the vat is notified when it subscribes.
pub const NOTIFY_MAX: usize = 512;
/// Promises of a terminated vat that one crank gives up, under any policy.
pub const CLEANUP_PROMISES: u64 = 100;
/// Promises that may wait for one event of vat administration: a vat's end, a meter's threshold, a bundle.
pub const WAITING_MAX: usize = 1_000;
/// Bytes of an upgrade message.
pub const MESSAGE_BYTES_MAX: usize = 1_024;
/// References that one GC crank handles.
pub const GC_REFERENCES: usize = 256;
/// Static vats at initialization.
pub const STATIC_VATS_MAX: usize = 1_000;
/// Bytes of a vat's or method's name.
pub const NAME_BYTES_MAX: usize = 256;

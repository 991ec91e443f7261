//! What one vat may do in one crank. Consensus constants: a kernel with other ones is another kernel.
//!
//! Beside these, a vat's stored bytes have a cap of their own, from its policy (`stored`).
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
/// Entries that one crank's cancelled wake-ups may pass over to find the next one.
pub const SCANNED_BY_CANCELS_MAX: u64 = 10_000;
/// Bytes of a body that the kernel reads itself: what it makes of it takes some thirty times the room.
pub const PARSED_BYTES_MAX: usize = 1024 * 1024;
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
/// Data of all but the first of them, in bytes, a reference counted as so many: the vat that is notified pays for both, and others chose them.
pub const NOTIFY_BYTES_MAX: usize = 1024 * 1024;
/// Bytes that cost a vat as much as a reference.
pub const REFERENCE_BYTES: usize = 1_500;
/// Promises and objects of a vat that may end with its incarnation, and c-list entries that may be looked at: it is done in one crank.
pub const ENDED_BY_UPGRADE_MAX: u64 = 20_000;
pub const SEEN_BY_UPGRADE_MAX: u64 = 500_000;
/// So many of each cost nothing; what each of the others costs, in computrons.
pub const FREE_BY_UPGRADE: u64 = 100;
pub const ENDED_PRICE: u64 = 20;
pub const SEEN_PRICE: u64 = 5;
/// References that are given back in one crank because what held them is deleted. The rest is left to cranks of its own.
pub const FREED_PER_CRANK: u64 = 10_000;
/// So many are a part of any crank; a crank without a delivery tells the run policy of more.
pub const FREED_FOR_NOTHING: u64 = 100;
/// Bytes of a vat's last words for all who wait for its end. The first is told in any case.
pub const LAST_WORDS_BYTES_MAX: usize = 1024 * 1024;
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
/// Wake-ups that a vat may have set at a time.
pub const WAKEUPS_MAX: u64 = 10_000;
/// Wake-ups that one poll of the timer tells.
pub const WAKEUPS_PER_POLL: usize = 100;
/// Bytes of the address of a mailbox's peer.
pub const PEER_BYTES_MAX: usize = 128;
/// Bytes of one message to or from a peer.
pub const PEER_MESSAGE_BYTES_MAX: usize = 128 * 1024;
/// Messages of a peer at once.
pub const PEER_MESSAGES_MAX: usize = 1_000;
/// Bytes of a peer's messages at once, as the vat gets them: escapes make a text longer.
pub const PEER_BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Messages to a peer that it has not acknowledged.
pub const OUTBOX_MAX: u64 = 1_000;
/// Bytes of all messages that wait for peers.
pub const OUTBOX_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Bytes of a value that is passed to one of the host's bridges.
pub const BRIDGE_BYTES_MAX: usize = 64 * 1024;
/// Bytes that a vat may have stored when its lockdown policy names no figure: the ceiling of policies.
pub const STORED_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;
/// Messages in a queue up to which a small one is charged to nobody.
pub const FREE_MESSAGES: u64 = 1_024;
/// Bytes of such a message.
pub const FREE_MESSAGE_BYTES: usize = 4_096;
/// Calls of the host's bridges in one crank: what they do on the host's side is bounded by this.
pub const BRIDGE_CALLS_PER_CRANK_MAX: u64 = 100;

//! What passes between the host and the kernel.
//!
//! The kernel is a module with one memory, no start function, and these exports: `memory`; `kernel_alloc(len) -> ptr`, which
//! gives room for an argument; `kernel_call(ptr, len) -> u64`, which takes a [`Command`] and gives the address (high half) and
//! length (low half) of a [`Reply`] that stays valid until the next call. It keeps nothing between two calls that is not in the
//! kvStore: an instance may be dropped and made anew between any two, and no hash changes.

use alloc::{string::String, vec::Vec};

use crate::{vat::CapData, wire_enum, wire_struct};

/// # What belongs to whom
/// `kernelBundleID`, `lockdownBundleID`, `supervisorBundleID`, `namedBundleID.$NAME`, `activityhash` and `bundle/$ID` (there for
/// each installed bundle; what it holds is the host's own) are the host's: the kernel reads them like any key, a write to them traps. All else of the kvStore is the kernel's, `version` (the schema, in
/// decimal) and `crankNumber` (decimal, one more after each crank that did something) among it. `v$N.source` is a [`VatSource`]
/// and `v$N.options` a [`VatOptions`], both in [`crate::wire`] form.
///
/// # Deliveries
/// A delivery that ended otherwise than [`crate::vat::DeliveryVerdict::Ok`], and one that the kernel undoes, leaves an instance
/// that is no more: the kernel calls `abandon_vat` in the same crank, and the vat is terminated. A crank that ends with an
/// undone, failed or suspended delivery and no `abandon_vat` for it is the kernel's fault and stops the engine.
///
/// # Bridges
/// A bridge's effects on the host's side are kept and undone with the crank; those of a crank that the kernel reports as
/// [`CrankReport::aborted`] are undone although the crank itself is kept, since what asked for them is undone.
///
/// # Time
/// `timer.next`, when it is there, is the earliest time in seconds (decimal) for which something waits in the kernel's timer: the host
/// asks for [`Command::PollTimer`] when that has come, and only then.
///
/// Names of the kernel's imports, all in module [`imports::MODULE`]. Every import that gives bytes takes `(out, capacity)` and
/// returns the whole length; when that is above `capacity` nothing was written and `fetch` gives the rest.
///
/// | import | signature (i32 each) | meaning |
/// |---|---|---|
/// | `get` | key, key_len, out, capacity → length or −1 | value of a kvStore key |
/// | `has` | key, key_len → 0 or 1 | whether the key exists |
/// | `set` | key, key_len, value, value_len | writes |
/// | `delete` | key, key_len | deletes; absent is no error |
/// | `write` | bytes, len, rows, count | writes and deletes many keys: each row is four little-endian u32, the key's place in `bytes` and its length, the value's place and length or [`imports::DELETED`] |
/// | `next_key` | prior, prior_len, prefix, prefix_len, out, capacity → length or −1 | least key above `prior` that begins with `prefix` |
/// | `mark` | → mark | opens an inner overlay (the savepoint within a crank) |
/// | `rollback` | mark | undoes all writes since the mark |
/// | `release` | mark | forgets the mark, keeps the writes |
/// | `deliver` | vat id, len, delivery, len, limit: i64, out, capacity → length | starts a delivery: `VatStep` |
/// | `resume` | reply, len, out, capacity → length | answers the suspended vat: `VatStep` |
/// | `abandon_vat` | vat id, len | drops the vat's instance (abort, termination) |
/// | `replace_vat` | vat id, len | drops the vat's instance and memory; its next delivery in this crank makes it anew from `v$N.source` |
/// | `restore_vat` | vat id, len | the vat's instance is again as it was when the crank began |
/// | `bridge` | name, len, body, len, out, capacity → length or −1 | a device's call to the host, answered in the same overlay: a [`BridgeAnswer`] |
/// | `fetch` | out, capacity → length | the bytes of the last answer that did not fit |
/// | `log` | level, text, len | a trace line; never read back |
pub mod imports {
    /// The import module.
    pub const MODULE: &str = "host";
    /// All names, in the order of the table.
    pub const NAMES: [&str; 17] = [
        "get",
        "has",
        "set",
        "delete",
        "write",
        "next_key",
        "mark",
        "rollback",
        "release",
        "deliver",
        "resume",
        "abandon_vat",
        "replace_vat",
        "restore_vat",
        "bridge",
        "fetch",
        "log",
    ];
    /// What `get` and `next_key` return when there is nothing, and `bridge` when there is no bridge of that name.
    pub const ABSENT: i32 = -1;
    /// In a row of `write`, in the place of the value's length: the key is deleted.
    pub const DELETED: u32 = u32::MAX;
}

/// A static vat of the initial configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticVat {
    /// Its name, for `queue_to_vat_root`.
    pub name: String,
    /// The bundle of its code.
    pub bundle_id: String,
    /// Its parameters, marshalled, without slots.
    pub parameters: CapData,
    /// Its options.
    pub options: VatOptions,
}
wire_struct!(StaticVat { name, bundle_id, parameters, options });

/// How a vat is run. Recorded at `v$N.options`, which exists exactly as long as the vat lives: termination deletes it at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VatOptions {
    /// Its death stops the engine.
    pub critical: bool,
    /// It speaks deliveries and syscalls itself: no supervisor stands between (SwingSet `enableSetup`).
    pub raw: bool,
    /// May it use pipelining: messages to promises that it decides are delivered to it.
    pub pipelining: bool,
    /// Computrons for one crank; 0 for the default of the engine's parameters.
    pub crank_limit: u64,
    /// When it is told `bringOutYourDead`. For a raw vat, a measure without a threshold of its own never counts.
    pub reap: ReapThreshold,
    /// The meter that pays for its cranks (`m1`); none: nobody counts.
    pub meter: Option<String>,
    /// Bytes that it may have stored (vatstore, c-list, promises' data, waiting messages); 0 for what its lockdown policy says, which is
    /// the most in any case.
    pub stored_bytes_max: u64,
}
wire_struct!(VatOptions { critical, raw, pipelining, crank_limit, reap, meter, stored_bytes_max });

/// How much may come together before a vat is told `bringOutYourDead` (SwingSet `reapDirtThreshold`): whichever measure reaches its
/// threshold first. None leaves a measure to the kernel's default, 0 means never.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReapThreshold {
    /// Deliveries.
    pub deliveries: Option<u64>,
    /// References in dropExports, retireExports and retireImports (SwingSet `gcKrefs`).
    pub gc_krefs: Option<u64>,
    /// Computrons.
    pub computrons: Option<u64>,
}
wire_struct!(ReapThreshold { deliveries, gc_krefs, computrons });

/// What may be changed of the kernel while it runs (SwingSet `changeKernelOptions`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KernelOptions {
    /// The default thresholds; what is none stays as it is.
    pub reap_default: ReapThreshold,
}
wire_struct!(KernelOptions { reap_default });

/// What a vat's instances are made from. Recorded at `v$N.source`; a living vat keeps the supervisor and lockdown policy that
/// were current when it was made, until it is itself upgraded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VatSource {
    /// The bundle of its code.
    pub bundle_id: String,
    /// Its supervisor's bundle; recorded, but not used, for a raw vat.
    pub supervisor_bundle_id: String,
    /// Its lockdown policy's bundle.
    pub lockdown_bundle_id: String,
}
wire_struct!(VatSource { bundle_id, supervisor_bundle_id, lockdown_bundle_id });

/// What becomes of a result promise when nobody watches it (SwingSet `ResolutionPolicy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolutionPolicy {
    /// No result promise is made.
    None {},
    /// It is made, and ignored.
    Ignore {},
    /// Log its settlement.
    LogAlways {},
    /// Log its rejection.
    LogFailure {},
    /// Its rejection stops the engine.
    Panic {},
}
wire_enum!(ResolutionPolicy { 0 => None {}, 1 => Ignore {}, 2 => LogAlways {}, 3 => LogFailure {}, 4 => Panic {} });

/// What the host asks of the kernel.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Which schemas the kernel works with and what it calls itself: [`Reply::Described`]. Touches no state.
    Describe {},
    /// `initialize_swingset`: writes the first state, registers the static vats and queues their `startVat`, then queues
    /// `bootstrap(vats, devices)` to the vat named `bootstrap` if there is one.
    Initialize { vats: Vec<StaticVat>, supervisor_bundle_id: String, lockdown_bundle_id: String },
    /// One crank, the one with the highest priority: [`Reply::Crank`]. `cleanup_max` is how many entries of terminated vats it may
    /// delete; with 0 such work waits, and a kernel that has nothing else to do is idle. `now` is the block's time in seconds.
    /// `unchanged`: since this instance's last reply nothing has changed the kvStore but `activityhash`, and what the instance wrote
    /// then was kept; what it remembers of the kvStore still holds.
    Step { crank_limit_default: u64, cleanup_max: u64, now: u64, unchanged: bool },
    /// Queues a message to a vat's root object: [`Reply::Queued`]. `args` is the marshalled argument list.
    QueueToVatRoot { vat_name: String, method: String, args: CapData, policy: ResolutionPolicy },
    /// Queues a message to an exported object, by kref: [`Reply::Queued`].
    QueueToVatObject { target: String, method: String, args: CapData, policy: ResolutionPolicy },
    /// State of a promise: [`Reply::PromiseState`].
    PromiseStatus { kpid: String },
    /// Takes a reference on a promise so that it outlives its settlement.
    RegisterInterest { kpid: String },
    /// Gives that reference back.
    ReleaseInterest { kpid: String },
    /// Makes a static vat's root object permanent; the released kernels do so from the beginning.
    PinVatRoot { vat_name: String },
    /// Terminates a vat that is not critical: at once in state, its entries are deleted by later cranks.
    TerminateVat { vat_id: String, reason: CapData },
    /// One slice of the migration from the schema in state to this kernel's: [`Reply::Migrated`].
    Migrate { cursor: crate::wire::Blob, budget: u64 },
    /// Figures for status and tests: [`Reply::Stats`].
    Stats {},
    /// Queues the upgrade of a static vat to an installed bundle: [`Reply::Queued`]; the promise is fulfilled with
    /// `{incarnationNumber}`, or rejected while the vat goes on as it was.
    UpgradeStaticVat { vat_name: String, bundle_id: String, parameters: CapData, message: String },
    /// Changes the kernel's options.
    ChangeKernelOptions { options: KernelOptions },
    /// Every living vat is due for `bringOutYourDead`.
    ReapAllVats {},
    /// Moves the events that a migration left at `upgradeEvents` to the acceptance queue.
    InjectQueuedUpgradeEvents {},
    /// These bundles were installed since the last crank: those who wait for them are told.
    BundlesInstalled { ids: Vec<String> },
    /// Queues the timer's messages that are due at `now`, in seconds, up to a limit of the kernel's: `timer.next` says whether more are.
    PollTimer { now: u64 },
    /// Messages of a peer for the mailbox, by number in growing order, and the highest number that the peer has got. Messages that came
    /// before are passed over. Refused while no vat takes them.
    MailboxInbound { peer: String, messages: Vec<(u64, String)>, ack: u64 },
    /// A message of one of the host's bridges: a smallcaps value (without `#`) that holds no references. Refused while no vat takes it.
    BridgeInbound { bridge: String, value: String },
    /// Queues the making of a dynamic vat from an installed bundle, with `{vats, devices}` as its parameters: the roots of the static vats
    /// and the devices that are named; `vatAdmin` among the vats is the root of vat administration. [`Reply::Queued`]: the promise of
    /// `{adminNode, root}`.
    Evaluate { bundle_id: String, vats: Vec<String>, devices: Vec<String> },
}
wire_enum!(Command {
    0 => Describe {},
    1 => Initialize { vats, supervisor_bundle_id, lockdown_bundle_id },
    2 => Step { crank_limit_default, cleanup_max, now, unchanged },
    3 => QueueToVatRoot { vat_name, method, args, policy },
    4 => QueueToVatObject { target, method, args, policy },
    5 => PromiseStatus { kpid },
    6 => RegisterInterest { kpid },
    7 => ReleaseInterest { kpid },
    8 => PinVatRoot { vat_name },
    9 => TerminateVat { vat_id, reason },
    10 => Migrate { cursor, budget },
    11 => Stats {},
    12 => UpgradeStaticVat { vat_name, bundle_id, parameters, message },
    13 => ChangeKernelOptions { options },
    14 => ReapAllVats {},
    15 => InjectQueuedUpgradeEvents {},
    16 => BundlesInstalled { ids },
    17 => PollTimer { now },
    18 => MailboxInbound { peer, messages, ack },
    19 => BridgeInbound { bridge, value },
    20 => Evaluate { bundle_id, vats, devices },
});

/// What the kernel answers.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Done; nothing to say.
    Done {},
    /// Answer to `Describe`.
    Described { name: String, schema: u32, schema_from_min: u32, host_abi: u32 },
    /// Answer to `Step`.
    Crank { report: CrankReport },
    /// The result promise, if the policy made one.
    Queued { kpid: Option<String> },
    /// Answer to `PromiseStatus`.
    PromiseState { state: PromiseState },
    /// The migration's slice is done; with `more`, call again with the cursor.
    Migrated { cursor: crate::wire::Blob, more: bool },
    /// Answer to `Stats`: names and counts in a fixed order.
    Stats { figures: Vec<(String, u64)> },
    /// The command is refused; nothing was written. `code` is stable, `problem` is for people and enters no state.
    Refused { code: u32, problem: String },
}
wire_enum!(Reply {
    0 => Done {},
    1 => Described { name, schema, schema_from_min, host_abi },
    2 => Crank { report },
    3 => Queued { kpid },
    4 => PromiseState { state },
    5 => Migrated { cursor, more },
    6 => Stats { figures },
    7 => Refused { code, problem },
});

/// The codes of [`Reply::Refused`].
pub mod refusal {
    /// The kernel's first state was never written.
    pub const NOT_INITIALIZED: u32 = 1;
    /// The kernel's first state was written before.
    pub const ALREADY_INITIALIZED: u32 = 2;
    /// An argument is malformed, too large, or names something twice.
    pub const BAD_ARGUMENT: u32 = 3;
    /// No vat, object or promise has that name.
    pub const UNKNOWN: u32 = 4;
    /// The vat was terminated.
    pub const VAT_TERMINATED: u32 = 5;
    /// The state's schema is not one that this kernel can serve the command on.
    pub const SCHEMA: u32 = 6;
    /// A migration is under way: no crank runs before its last slice.
    pub const MIGRATING: u32 = 7;
    /// A critical vat is ended only by its own fault, which stops the engine.
    pub const CRITICAL: u32 = 8;
    /// The kernel's state contradicts itself. Nothing was written; the engine must stop.
    pub const CORRUPT: u32 = 9;
    /// The command is not the encoding of a [`super::Command`].
    pub const BAD_COMMAND: u32 = 10;
}

/// What the host answers a device's call of a bridge.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BridgeAnswer {
    /// Done: a smallcaps value (without `#`) that holds no references.
    Value { body: String },
    /// Refused, and nothing was changed; the words are told to whoever called, so they are the same on every node.
    Refused { problem: String },
}
wire_enum!(BridgeAnswer { 0 => Value { body }, 1 => Refused { problem } });

/// A promise as the host may see it.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromiseState {
    /// Never made, or already deleted.
    Unknown {},
    /// Not settled.
    Unresolved {},
    /// Fulfilled; slots are krefs.
    Fulfilled { data: CapData },
    /// Rejected; slots are krefs.
    Rejected { data: CapData },
}
wire_enum!(PromiseState { 0 => Unknown {}, 1 => Unresolved {}, 2 => Fulfilled { data }, 3 => Rejected { data } });

/// What one crank did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrankReport {
    /// What kind of work was done.
    pub kind: CrankKind,
    /// The vat it ran in, if one.
    pub vat_id: Option<String>,
    /// Computrons charged, a terminated or aborted crank's included.
    pub computrons: u64,
    /// The crank was undone.
    pub aborted: bool,
    /// The vat was terminated, for this reason (one of the kernel's fixed words).
    pub terminated: Option<String>,
    /// The kernel cannot go on (a critical vat died, a `panic` policy's promise was rejected): the engine stops.
    pub panic: Option<String>,
    /// Vats created by this crank.
    pub vats_created: u32,
    /// Entries of terminated vats that it deleted; of a crank without a delivery, references that were given back, when they were many.
    pub cleaned: u64,
}
wire_struct!(CrankReport { kind, vat_id, computrons, aborted, terminated, panic, vats_created, cleaned });

/// Kinds of crank, for policies and traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrankKind {
    /// All queues are empty: nothing was done.
    Idle {},
    /// An event was moved from the acceptance queue.
    Routing {},
    /// A delivery ran in a vat.
    Delivery {},
    /// A queue item needed no delivery (an empty notify, a splat).
    Empty {},
    /// A terminated vat's state was deleted in part.
    Cleanup {},
}
wire_enum!(CrankKind { 0 => Idle {}, 1 => Routing {}, 2 => Delivery {}, 3 => Empty {}, 4 => Cleanup {} });

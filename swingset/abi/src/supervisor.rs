//! What passes between a vat, its supervisor and the host.
//!
//! The supervisor is a sans-IO state machine in an instance of its own beside the vat's; the host copies bytes between the two
//! memories and suspends the pair on one fiber when a syscall needs the kernel. No supervisor frame is live while the vat runs
//! or while a syscall is out.
//!
//! # Supervisor
//! Exports `memory`, `supervisor_alloc(len) -> ptr`, `supervisor_step(ptr, len) -> u64` (address high, length low): takes an
//! [`Input`], gives an [`Output`]. It imports nothing.
//!
//! # Vat
//! Exports `memory`, `vat_alloc(len) -> ptr`, `vat_deliver(ptr, len)`. Imports, module [`imports::MODULE`]:
//! `call(ptr, len, out, capacity) -> length` gives the supervisor (or, in a raw vat, the kernel) a request and takes its answer;
//! `fetch(out, capacity) -> length` gives an answer that did not fit; `log(level, ptr, len)`.
//! A raw vat's `vat_deliver` takes a [`crate::vat::VatDelivery`], its requests are [`crate::vat::VatSyscall`] and its answers
//! [`crate::vat::SyscallReply`]. A supervised vat's are opaque to the host: they are between its SDK and its supervisor, whose
//! contract is [`VatEvent`], [`VatRequest`] and [`VatAnswer`].

use alloc::{string::String, vec::Vec};

use crate::{
    vat::{SyscallReply, VatDelivery, VatSyscall},
    wire::Blob,
    wire_enum, wire_struct,
};

/// Names of a vat's imports.
pub mod imports {
    /// The import module.
    pub const MODULE: &str = "vat";
    /// All names.
    pub const NAMES: [&str; 3] = ["call", "fetch", "log"];
}

/// What the host gives the supervisor.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A delivery begins.
    Deliver { delivery: VatDelivery },
    /// The vat's code returned from the event that it was given.
    VatReturned {},
    /// The vat's code made requests: the bytes of one [`VatRequest`] or of several, one after the other. All but the last are such
    /// that answer `Done` without reading anything, and there is one answer, the last one's; a refused one ends them with its
    /// refusal.
    VatRequest { request: Blob },
    /// The kernel answered the syscall that was asked for.
    Reply { reply: SyscallReply },
}
wire_enum!(Input {
    0 => Deliver { delivery },
    1 => VatReturned {},
    2 => VatRequest { request },
    3 => Reply { reply },
});

/// What the supervisor asks of the host.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Make this syscall, then come back with `Reply`.
    Syscall { syscall: VatSyscall },
    /// Give this event ([`VatEvent`] bytes) to the vat, then come back with `VatReturned`.
    CallVat { event: Blob },
    /// Answer the vat's request with these bytes ([`VatAnswer`]); the vat's code runs on.
    AnswerVat { answer: Blob },
    /// The delivery is over.
    Finished {},
    /// The delivery failed (a broken vat protocol); the word is for the trace.
    Failed { problem: String },
}
wire_enum!(Output {
    0 => Syscall { syscall },
    1 => CallVat { event },
    2 => AnswerVat { answer },
    3 => Finished {},
    4 => Failed { problem },
});

/// A vat-side handle of an object or promise: small integers that the supervisor maps to vrefs. Handle 0 is the root object.
pub type Handle = u64;

/// A message's argument or a promise's value as vat code sees it: a smallcaps body whose slots are handles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passable {
    /// The smallcaps body.
    pub body: String,
    /// The handles that it names, by index.
    pub slots: Vec<SlotHandle>,
}
wire_struct!(Passable { body, slots });

impl Passable {
    /// Most references of a value that vat code may pass on or store: below the kernel's limit.
    pub const SLOTS_MAX: usize = 4_000;
    /// Most bytes of one. The host ends a vat that passes 256 KiB of the first release's lockdown policy, for what is stored and for all
    /// that one syscall says; the rest is room for what is said beside a value.
    pub const BYTES_MAX: usize = 260_000;
    /// What each reference counts. Their names are numbers that are given out one after the other: none is longer.
    const SLOT_BYTES: usize = 24;
    /// What is wrong with a value that does not fit.
    pub const TOO_LARGE: &'static str =
        "a value has at most 4,000 references and 260,000 bytes, of which each reference counts 24";

    /// Whether vat code may pass it on or store it.
    pub fn fits(&self) -> bool {
        self.slots.len() <= Self::SLOTS_MAX && self.body.len() + self.slots.len() * Self::SLOT_BYTES <= Self::BYTES_MAX
    }
}

/// Longest name of a method that vat code may call, in bytes.
pub const METHOD_BYTES_MAX: usize = 1_000;
/// What is wrong with a longer one.
pub const METHOD_TOO_LONG: &str = "a method's name is at most 1,000 bytes long";

/// An object whose state lies in the vatstore: `o+dK/I` (durable: it outlives its vat's code) or `o+vK/I` (virtual: it does not).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredId {
    /// Whether it outlives an upgrade of the vat.
    pub durable: bool,
    /// Its kind; those below [`StoredId::KINDS_FROM`] are collections.
    pub kind: u64,
    /// Its number among those of its kind.
    pub instance: u64,
}
wire_struct!(StoredId { durable, kind, instance });

impl StoredId {
    /// The first kind of a vat's own; below are the collections' kinds ([`CollectionShape`]).
    pub const KINDS_FROM: u64 = 10;
    /// The vat's baggage: a durable map that every incarnation finds.
    pub const BAGGAGE: StoredId = StoredId { durable: true, kind: 1, instance: 1 };
}

/// What a collection is. Its number is the kind of its objects.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectionShape {
    /// Keys and values, in the keys' order.
    Map {},
    /// Keys in their order.
    Set {},
    /// Objects as keys, not kept alive by it; no walking, no size.
    WeakMap {},
    /// As `WeakMap`, without values.
    WeakSet {},
}
wire_enum!(CollectionShape { 1 => Map {}, 2 => Set {}, 3 => WeakMap {}, 4 => WeakSet {} });

impl CollectionShape {
    /// The kind of its objects.
    pub const fn kind(&self) -> u64 {
        match self {
            CollectionShape::Map {} => 1,
            CollectionShape::Set {} => 2,
            CollectionShape::WeakMap {} => 3,
            CollectionShape::WeakSet {} => 4,
        }
    }
}

/// A key of a collection.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKey {
    /// Data, as text whose order is that of the data. It does not begin with `o`.
    Data { text: String },
    /// An object. Objects come after all data, in the order of their vrefs.
    Object { slot: SlotHandle },
}
wire_enum!(EntryKey { 0 => Data { text }, 1 => Object { slot } });

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: EntryKey,
    /// The value; a set's is empty.
    pub value: Passable,
}
wire_struct!(Entry { key, value });

/// A handle and what it stands for.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SlotHandle {
    /// An object of this vat.
    Local { handle: Handle },
    /// An object elsewhere.
    Presence { handle: Handle },
    /// A promise.
    Promise { handle: Handle },
    /// A device node.
    Device { handle: Handle },
    /// A virtual or durable object, or a collection, of this vat.
    Stored { object: StoredId },
}
wire_enum!(SlotHandle {
    0 => Local { handle },
    1 => Presence { handle },
    2 => Promise { handle },
    3 => Device { handle },
    4 => Stored { object },
});

/// What the supervisor gives vat code.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VatEvent {
    /// The vat's code starts. In incarnations above 0 what earlier ones left is in the vatstore, and every durable kind must be
    /// defined again before the event returns.
    Start { parameters: Passable, incarnation: u64 },
    /// A message for an object of this vat (`Local` or `Stored`); `result` is the promise to settle, if somebody wants it.
    Message { target: SlotHandle, method: String, args: Passable, result: Option<Handle> },
    /// A promise that this vat watches has settled.
    Settled { promise: Handle, rejected: bool, value: Passable },
    /// These local objects are unreachable from outside.
    Dropped { handles: Vec<Handle> },
}
wire_enum!(VatEvent {
    0 => Start { parameters, incarnation },
    1 => Message { target, method, args, result },
    2 => Settled { promise, rejected, value },
    3 => Dropped { handles },
});

/// What vat code asks of its supervisor.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VatRequest {
    /// An eventual send; with `want_result`, answers with the result promise's handle.
    Send { target: SlotHandle, method: String, args: Passable, want_result: bool },
    /// A new promise that this vat decides: answers with its handle.
    NewPromise {},
    /// A new local object: answers with its handle.
    NewObject { interface: String },
    /// Watch a promise.
    Watch { promise: Handle },
    /// Settle a promise that this vat decides.
    Settle { promise: Handle, rejected: bool, value: Passable },
    /// Read, write, delete or walk the vat's own durable key-value area.
    StoreGet { key: String },
    /// Write.
    StoreSet { key: String, value: Blob },
    /// Delete.
    StoreDelete { key: String },
    /// The least key above `prior`.
    StoreNextKey { prior: String },
    /// This vat's code holds a handle no more.
    Release { handles: Vec<SlotHandle> },
    /// End the vat.
    Exit { failure: bool, info: Passable },
    /// Call a device node.
    CallDevice { device: Handle, method: String, args: Passable },
    /// Define a kind of stored objects, or define it again after an upgrade (same name, same number): answers with its number.
    DefineKind { name: String, durable: bool },
    /// A new object of a kind: answers with its instance number.
    NewStored { kind: u64, state: Passable },
    /// This vat's code keeps the object that a message was for.
    Hold { object: StoredId },
    /// An object's state.
    StateGet { object: StoredId },
    /// Replace an object's state.
    StateSet { object: StoredId, state: Passable },
    /// A new collection: answers with its instance number. Label and schema are for the vat's code.
    NewCollection { durable: bool, shape: CollectionShape, label: String, schema: String },
    /// What a collection was made with, and its size.
    CollectionInfo { collection: StoredId },
    /// The value of a key.
    EntryGet { collection: StoredId, key: EntryKey },
    /// Set the value of a key; with `only_new`, a key that is there keeps its value.
    EntrySet { collection: StoredId, key: EntryKey, value: Passable, only_new: bool },
    /// Delete a key.
    EntryDelete { collection: StoredId, key: EntryKey },
    /// The first entry, or the first after a key.
    EntryNext { collection: StoredId, after: Option<EntryKey> },
}
wire_enum!(VatRequest {
    0 => Send { target, method, args, want_result },
    1 => NewPromise {},
    2 => NewObject { interface },
    3 => Watch { promise },
    4 => Settle { promise, rejected, value },
    5 => StoreGet { key },
    6 => StoreSet { key, value },
    7 => StoreDelete { key },
    8 => StoreNextKey { prior },
    9 => Release { handles },
    10 => Exit { failure, info },
    11 => CallDevice { device, method, args },
    12 => DefineKind { name, durable },
    13 => NewStored { kind, state },
    14 => Hold { object },
    15 => StateGet { object },
    16 => StateSet { object, state },
    17 => NewCollection { durable, shape, label, schema },
    18 => CollectionInfo { collection },
    19 => EntryGet { collection, key },
    20 => EntrySet { collection, key, value, only_new },
    21 => EntryDelete { collection, key },
    22 => EntryNext { collection, after },
});

/// The supervisor's answer.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VatAnswer {
    /// Done.
    Done {},
    /// A handle.
    Handle { handle: Handle },
    /// A stored value.
    Value { value: Option<Blob> },
    /// A key.
    Key { key: Option<String> },
    /// A device's answer.
    Data { data: Passable },
    /// Refused: a mistake of the vat's code that does not end the crank.
    Refused { problem: String },
    /// A state, or the value of a key; `None` where there is none.
    Stored { data: Option<Passable> },
    /// Whether the key was there before.
    Existed { existed: bool },
    /// An entry of a collection.
    Entry { entry: Option<Entry> },
    /// What a collection is.
    Collection { label: String, schema: String, size: u64 },
}
wire_enum!(VatAnswer {
    0 => Done {},
    1 => Handle { handle },
    2 => Value { value },
    3 => Key { key },
    4 => Data { data },
    5 => Refused { problem },
    6 => Stored { data },
    7 => Existed { existed },
    8 => Entry { entry },
    9 => Collection { label, schema, size },
});

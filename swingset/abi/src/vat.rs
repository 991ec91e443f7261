//! What passes between the kernel and a vat. Source: SwingSet's vat deliveries and syscalls.
//!
//! A vat's supervisor sees these in vat space (vrefs). References are carried in their text form: kernel space `ko20`, `kp40`,
//! `kd30`; vat space `[o|p|d][+|-]N`, `o+vK/I` (virtual) and `o+dK/I` (durable), where `+` means allocated by the vat.

use alloc::{string::String, vec::Vec};

use crate::{wire::Blob, wire_enum, wire_struct};

/// A reference in a vat's own space, in text form.
pub type Vref = String;

/// Marshalled data: a smallcaps body (`#` + JSON), opaque to kernel and host, and the references that it names by index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapData {
    /// The body, UTF-8.
    pub body: String,
    /// References, in the space of whoever holds the value.
    pub slots: Vec<String>,
}
wire_struct!(CapData { body, slots });

/// One settled promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The promise.
    pub promise: Vref,
    /// True when it is rejected.
    pub rejected: bool,
    /// Its value or reason.
    pub data: CapData,
}
wire_struct!(Resolution { promise, rejected, data });

/// What a kernel delivers to a vat.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VatDelivery {
    /// SwingSet `message`: `methargs` is the marshalled `[method, [args]]`.
    Message { target: Vref, methargs: CapData, result: Option<Vref> },
    /// SwingSet `notify`: promises that this vat subscribed to have settled.
    Notify { resolutions: Vec<Resolution> },
    /// SwingSet `dropExports`: no importer can reach these any more.
    DropExports { vrefs: Vec<Vref> },
    /// SwingSet `retireExports`: nobody recognizes these any more.
    RetireExports { vrefs: Vec<Vref> },
    /// SwingSet `retireImports`: these can never be seen again.
    RetireImports { vrefs: Vec<Vref> },
    /// SwingSet `changeVatOptions`.
    ChangeVatOptions { options: String },
    /// SwingSet `startVat`: the first delivery of an incarnation, with the vat's parameters.
    StartVat { parameters: CapData },
    /// SwingSet `bringOutYourDead`: report what the vat no longer needs.
    BringOutYourDead {},
}
wire_enum!(VatDelivery {
    0 => Message { target, methargs, result },
    1 => Notify { resolutions },
    2 => DropExports { vrefs },
    3 => RetireExports { vrefs },
    4 => RetireImports { vrefs },
    5 => ChangeVatOptions { options },
    6 => StartVat { parameters },
    7 => BringOutYourDead {},
});

/// What a vat asks of the kernel.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VatSyscall {
    /// Queue a message.
    Send { target: Vref, methargs: CapData, result: Option<Vref> },
    /// Call a device node, synchronously.
    CallNow { target: Vref, method: String, args: CapData },
    /// Ask to be notified of a promise.
    Subscribe { promise: Vref },
    /// Settle promises that this vat decides.
    Resolve { resolutions: Vec<Resolution> },
    /// End this vat after the delivery; with `failure`, the delivery is undone first.
    Exit { failure: bool, info: CapData },
    /// Read a vatstore entry.
    VatstoreGet { key: String },
    /// Write a vatstore entry.
    VatstoreSet { key: String, value: Blob },
    /// The least key above `prior`.
    VatstoreGetNextKey { prior: String },
    /// Delete a vatstore entry.
    VatstoreDelete { key: String },
    /// These imports are no longer reachable from here.
    DropImports { vrefs: Vec<Vref> },
    /// These imports are no longer recognizable here.
    RetireImports { vrefs: Vec<Vref> },
    /// These exports are gone and were dropped by all importers.
    RetireExports { vrefs: Vec<Vref> },
    /// These exports are given up whether or not somebody imports them.
    AbandonExports { vrefs: Vec<Vref> },
}
wire_enum!(VatSyscall {
    0 => Send { target, methargs, result },
    1 => CallNow { target, method, args },
    2 => Subscribe { promise },
    3 => Resolve { resolutions },
    4 => Exit { failure, info },
    5 => VatstoreGet { key },
    6 => VatstoreSet { key, value },
    7 => VatstoreGetNextKey { prior },
    8 => VatstoreDelete { key },
    9 => DropImports { vrefs },
    10 => RetireImports { vrefs },
    11 => RetireExports { vrefs },
    12 => AbandonExports { vrefs },
});

/// The kernel's answer to a syscall.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyscallReply {
    /// Done; nothing to say.
    Done {},
    /// `vatstoreGet`.
    Value { value: Option<Blob> },
    /// `vatstoreGetNextKey`.
    Key { key: Option<String> },
    /// `callNow`.
    Data { data: CapData },
    /// The syscall is illegal or failed; the crank will be undone.
    Error { problem: String },
    /// `callNow`: the device refused. The caller learns why and goes on.
    Failed { problem: String },
}
wire_enum!(SyscallReply {
    0 => Done {},
    1 => Value { value },
    2 => Key { key },
    3 => Data { data },
    4 => Error { problem },
    5 => Failed { problem },
});

/// What `deliver` and `resume` answer to the kernel.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VatStep {
    /// The vat is suspended in this syscall; go on with `resume`.
    Syscall { syscall: VatSyscall },
    /// The delivery has ended.
    Done { outcome: DeliveryOutcome },
}
wire_enum!(VatStep {
    0 => Syscall { syscall },
    1 => Done { outcome },
});

/// How a delivery ended, and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryOutcome {
    /// What became of it.
    pub verdict: DeliveryVerdict,
    /// Computrons used by vat and supervisor. The whole limit when the delivery trapped.
    pub computrons: u64,
}
wire_struct!(DeliveryOutcome { verdict, computrons });

/// What became of a delivery.
#[allow(missing_docs, reason = "the variant says what its fields are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryVerdict {
    /// It returned.
    Ok {},
    /// The guest trapped, or broke the protocol: the crank is undone and the vat terminated. `problem` is one of the host's
    /// fixed words, never an engine's message.
    Error { problem: String },
    /// The delivery's limit was used up.
    MeterExhausted {},
}
wire_enum!(DeliveryVerdict {
    0 => Ok {},
    1 => Error { problem },
    2 => MeterExhausted {},
});

//! Why a syscall is illegal. The crank is undone and the vat terminated, with the word as the reason.

use crate::store::Fault;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Illegal {
    MalformedVref,
    /// A vref with `-` that the kernel never gave to this vat, or that was retired.
    ForgedVref,
    /// A vref with `+` where only one that is known will do.
    UnknownVref,
    WrongKind,
    /// An import that the vat said it dropped.
    Unreachable,
    /// A promise that another decides.
    NotDecider,
    AlreadySettled,
    /// A promise cannot be fulfilled with a promise.
    FulfilWithPromise,
    NotImport,
    NotExport,
    /// Retired while still reachable.
    StillReachable,
    TooManySyscalls,
    TooManySends,
    TooManyBytes,
    TooMuchScanned,
    BodyTooLarge,
    TooManySlots,
    TooManyResolutions,
    StoreKey,
    StoreValueTooLarge,
    /// More stored bytes than the vat's policy allows.
    StoredTooMuch,
    /// Device nodes are the kernel's to make.
    DeviceExported,
}

impl Illegal {
    /// The fixed word that enters state and reports.
    pub fn word(self) -> &'static str {
        match self {
            Illegal::MalformedVref => "illegal syscall: malformed vref",
            Illegal::ForgedVref => "illegal syscall: vref was not allocated by the kernel",
            Illegal::UnknownVref => "illegal syscall: unknown vref",
            Illegal::WrongKind => "illegal syscall: wrong kind of reference",
            Illegal::Unreachable => "illegal syscall: import was dropped",
            Illegal::NotDecider => "illegal syscall: not the promise's decider",
            Illegal::AlreadySettled => "illegal syscall: promise is settled",
            Illegal::FulfilWithPromise => "illegal syscall: promise fulfilled with a promise",
            Illegal::NotImport => "illegal syscall: not an import",
            Illegal::NotExport => "illegal syscall: not an export",
            Illegal::StillReachable => "illegal syscall: reference is still reachable",
            Illegal::TooManySyscalls => "illegal syscall: too many syscalls in a crank",
            Illegal::TooManySends => "illegal syscall: too many messages in a crank",
            Illegal::TooManyBytes => "illegal syscall: too many bytes in a crank",
            Illegal::TooMuchScanned => "illegal syscall: too many keys scanned in a crank",
            Illegal::BodyTooLarge => "illegal syscall: body too large",
            Illegal::TooManySlots => "illegal syscall: too many slots",
            Illegal::TooManyResolutions => "illegal syscall: too many resolutions",
            Illegal::StoreKey => "illegal syscall: vatstore key empty or too long",
            Illegal::StoreValueTooLarge => "illegal syscall: vatstore value too large",
            Illegal::StoredTooMuch => "illegal syscall: more stored bytes than the vat may have",
            Illegal::DeviceExported => "illegal syscall: a vat exports no devices",
        }
    }
}

/// Why a syscall was not executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The vat's mistake.
    Illegal(Illegal),
    /// The state's.
    Fault(Fault),
}

impl From<Illegal> for Stop {
    fn from(illegal: Illegal) -> Self {
        Stop::Illegal(illegal)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Fault(fault)
    }
}

/// A syscall's result.
pub type Allowed<T> = Result<T, Stop>;

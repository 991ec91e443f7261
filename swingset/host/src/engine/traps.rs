//! What an engine's error means: the guest's fault, its limit used up, or this node's fault. No message text of the engine goes
//! any further than an operator's log.

use wasmtime::Trap;

/// What a trap means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrapMeaning {
    /// The guest's own fault, in a fixed word that may enter state.
    Guest(&'static str),
    /// Its limit is used up.
    OutOfFuel,
    /// A fault of this node, never charged to a guest.
    Halt,
}

/// The one table of traps.
pub fn trap_meaning(trap: Trap) -> TrapMeaning {
    use TrapMeaning::{Guest, Halt, OutOfFuel};
    match trap {
        Trap::UnreachableCodeReached => Guest("unreachable"),
        Trap::MemoryOutOfBounds => Guest("memory out of bounds"),
        Trap::TableOutOfBounds => Guest("table out of bounds"),
        Trap::IndirectCallToNull => Guest("call of an empty table entry"),
        Trap::BadSignature => Guest("indirect call of another type"),
        Trap::IntegerOverflow => Guest("integer overflow"),
        Trap::IntegerDivisionByZero => Guest("division by zero"),
        Trap::BadConversionToInteger => Guest("conversion to integer"),
        Trap::OutOfFuel => OutOfFuel,
        // The instrumentation limits stacks well before the native one: this one is the machine's or the engine's fault.
        Trap::StackOverflow => Halt,
        // Nobody interrupts.
        Trap::Interrupt => Halt,
        // Allocation on the host's side.
        Trap::AllocationTooLarge => Halt,
        // Features that admission refuses and the configuration turns off: reaching one is the engine's fault.
        Trap::HeapMisaligned
        | Trap::AtomicWaitNonSharedMemory
        | Trap::NullReference
        | Trap::ArrayOutOfBounds
        | Trap::CastFailure
        | Trap::CannotEnterComponent
        | Trap::NoAsyncResult
        | Trap::UnhandledTag
        | Trap::ContinuationAlreadyConsumed
        | Trap::DisabledOpcode
        | Trap::AsyncDeadlock
        | Trap::CannotLeaveComponent
        | Trap::CannotBlockSyncTask
        | Trap::InvalidChar
        | Trap::DebugAssertStringEncodingFinished
        | Trap::DebugAssertEqualCodeUnits
        | Trap::DebugAssertPointerAligned
        | Trap::DebugAssertUpperBitsUnset
        | Trap::StringOutOfBounds
        | Trap::ListOutOfBounds
        | Trap::InvalidDiscriminant
        | Trap::UnalignedPointer
        | Trap::TaskCancelNotCancelled
        | Trap::TaskCancelOrReturnTwice
        | Trap::SubtaskCancelAfterTerminal
        | Trap::TaskReturnInvalid
        | Trap::WaitableSetDropHasWaiters
        | Trap::SubtaskDropNotResolved
        | Trap::ThreadNewIndirectInvalidType
        | Trap::ThreadNewIndirectUninitialized
        | Trap::BackpressureOverflow
        | Trap::UnsupportedCallbackCode
        | Trap::CannotResumeThread
        | Trap::ConcurrentFutureStreamOp
        | Trap::ReferenceCountOverflow
        | Trap::StreamOpTooBig
        | Trap::WaitableSyncAndAsync
        | Trap::UncaughtException => Halt,
        // The enum may grow in a later engine: what is not known here is never a guest's fault.
        _ => Halt,
    }
}

/// A guest broke the contract with the host: raised by host functions, in fixed words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct GuestFault(pub &'static str);

/// A host function's price is more than the fuel that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limit used up")]
pub(crate) struct OutOfFuel;

/// A host function met a fault of this node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct HaltFault(pub String);

/// How a guest's call ended, when not by returning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The guest's fault, in a fixed word.
    Guest(&'static str),
    /// Its limit is used up.
    OutOfFuel,
    /// This node's fault.
    Halt(String),
}

impl From<GuestFault> for Fault {
    fn from(fault: GuestFault) -> Self {
        Fault::Guest(fault.0)
    }
}

impl From<wasmtime::Error> for Fault {
    fn from(error: wasmtime::Error) -> Self {
        if let Some(trap) = error.downcast_ref::<Trap>() {
            return match trap_meaning(*trap) {
                TrapMeaning::Guest(word) => Fault::Guest(word),
                TrapMeaning::OutOfFuel => Fault::OutOfFuel,
                TrapMeaning::Halt => Fault::Halt(format!("engine: {error}")),
            };
        }
        if let Some(fault) = error.downcast_ref::<GuestFault>() {
            return Fault::Guest(fault.0);
        }
        if error.downcast_ref::<OutOfFuel>().is_some() {
            return Fault::OutOfFuel;
        }
        Fault::Halt(format!("engine: {error:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trap_that_the_engine_knows_has_the_meaning_it_should() {
        let guests: Vec<Trap> = (0..=u8::MAX)
            .filter_map(Trap::from_u8)
            .filter(|trap| matches!(trap_meaning(*trap), TrapMeaning::Guest(_)))
            .collect();
        assert_eq!(
            guests,
            [
                Trap::MemoryOutOfBounds,
                Trap::TableOutOfBounds,
                Trap::IndirectCallToNull,
                Trap::BadSignature,
                Trap::IntegerOverflow,
                Trap::IntegerDivisionByZero,
                Trap::BadConversionToInteger,
                Trap::UnreachableCodeReached
            ]
        );
        assert_eq!(trap_meaning(Trap::OutOfFuel), TrapMeaning::OutOfFuel);
        assert_eq!(trap_meaning(Trap::StackOverflow), TrapMeaning::Halt);
    }

    #[test]
    fn host_errors_keep_their_family_through_the_engine() {
        assert_eq!(Fault::from(wasmtime::Error::new(GuestFault("word"))), Fault::Guest("word"));
        assert_eq!(Fault::from(wasmtime::Error::new(OutOfFuel)), Fault::OutOfFuel);
        assert!(matches!(Fault::from(wasmtime::Error::new(HaltFault("x".to_owned()))), Fault::Halt(_)));
        assert!(matches!(Fault::from(wasmtime::Error::msg("unknown")), Fault::Halt(_)));
    }
}

//! The module's registered errors.

use crate::error::{Failure, Rejected};

/// A registered error; the discriminant is its code in codespace `swingset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Refusal {
    /// An installation with none, or more than one, of the three forms.
    Form = 2,
    /// Larger than the parameters allow.
    TooLarge = 3,
    /// Not gzip, or not of the size that it says.
    Compression = 4,
    /// A chunk or chunked artifact that does not fit.
    Chunk = 5,
    /// The queue of inbound actions is full.
    QueueFull = 6,
    /// The engine is stopped.
    EngineStopped = 7,
    /// No vat has this name.
    UnknownVat = 8,
    /// An inbound message that cannot be one.
    Message = 9,
    /// Parameters that cannot be.
    Params = 10,
    /// A swap of the engine's bundles that cannot be.
    Swap = 11,
    /// Values of vats that are more than may be published.
    TooMuchPublished = 12,
    /// A bundle that cannot be released.
    Release = 13,
}

impl Refusal {
    /// The refusal with a reason.
    pub fn because(self, reason: impl std::fmt::Display) -> Rejected {
        Rejected { codespace: "swingset", code: self as u32, log: format!("{reason}: {}", self.words()) }
    }

    /// As [`Refusal::because`], as a failure.
    pub fn fail<T>(self, reason: impl std::fmt::Display) -> Result<T, Failure> {
        Err(self.because(reason).into())
    }

    const fn words(self) -> &'static str {
        match self {
            Refusal::Form => "invalid form of installation",
            Refusal::TooLarge => "too large",
            Refusal::Compression => "invalid compressed bundle",
            Refusal::Chunk => "invalid chunk",
            Refusal::QueueFull => "inbound queue is full",
            Refusal::EngineStopped => "engine is stopped",
            Refusal::UnknownVat => "unknown vat",
            Refusal::Message => "invalid inbound message",
            Refusal::Params => "invalid parameters",
            Refusal::Swap => "invalid swap",
            Refusal::TooMuchPublished => "too much is published",
            Refusal::Release => "bundle not released",
        }
    }
}

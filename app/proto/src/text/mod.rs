//! Texts of values that the wire keeps as numbers: decimals, times, durations, addresses.

pub(crate) mod address;
pub(crate) mod decimal;
pub(crate) mod duration;
pub(crate) mod time;

/// Why a text, or a value that should have one, was refused: what was expected there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct TextError(pub &'static str);

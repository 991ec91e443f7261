//! Decoding of transactions that refuses what it does not know. A field that this release does not know could have
//! meaning for another one, so a signature over it must not pass here.
//!
//! # Invariants
//!
//! - A field number with bit 11 set is non-critical. Only in a transaction's body, and in the messages within, may an
//!   unknown one stand; everywhere else an unknown field is an error.
//! - The outermost message has one encoding: its fields in order, each once, every varint in its shortest form.
//! - Every `Any` is of a known type, and they are nested at most [`ANY_DEPTH_MAX`] deep.

mod check;
mod error;
mod tx;
mod wire;

pub use check::{NonCritical, check_message};
pub use error::StrictError;
pub use tx::{StrictTx, decode_tx};

/// How deep one `Any` may be within another; the SDK has the same bound.
pub const ANY_DEPTH_MAX: usize = 10;
/// How deep messages, lists and `Any`s may be nested in all.
pub const DEPTH_MAX: usize = 100;

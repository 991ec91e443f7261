//! The engine's identity: what must be equal on all nodes for a guest to do the same on each. It is in state from
//! `initialize_swingset` on, and a binary that is another engine refuses to start.

use sha2::{Digest, Sha256};

use super::config::{SETTINGS, WASMTIME_VERSION};
use crate::{
    admission::REWRITER_VERSION,
    schedule::{KERNEL_WORK_CAP, SCHEDULE},
};

/// Hex SHA-256 over the engine's version, configuration, rewriter and prices.
pub fn engine_identity() -> String {
    let text = format!(
        "wasmtime={WASMTIME_VERSION}\nsettings={SETTINGS}\nrewriter={REWRITER_VERSION}\nschedule={SCHEDULE:?}\nkernel-cap={KERNEL_WORK_CAP}\n\
         stack-words={}\n",
        crate::admission::STACK_WORDS_MAX
    );
    hex::encode(Sha256::digest(text.as_bytes()))
}

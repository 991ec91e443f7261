//! Signature checks with libsecp256k1, remembered from CheckTx and done on other cores before their turn.
//!
//! # Invariants
//! - The answer is that of the plain check, whatever was remembered or forgotten: only successful checks are remembered, each
//!   under a hash of everything that it depends on.

mod ahead;
mod memory;
mod verifier;

pub use ahead::{AheadVerifier, Checks};
pub use memory::RememberingVerifier;
pub use verifier::Secp256k1Verifier;

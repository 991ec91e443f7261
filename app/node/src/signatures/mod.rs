//! Signature checks with libsecp256k1, remembered from CheckTx and spread over threads before a block is executed.
//!
//! # Invariants
//! - The answer is that of the plain check, whatever was remembered or forgotten: only successful checks are remembered, each
//!   under a hash of everything that it depends on.

mod memory;
mod parallel;
mod verifier;

pub use memory::RememberingVerifier;
pub use parallel::on_all_cores;
pub use verifier::Secp256k1Verifier;

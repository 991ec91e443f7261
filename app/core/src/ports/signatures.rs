//! What can be worked out of a transaction before it is executed, as a port: so that the node can use the fastest library, do it
//! on several cores and remember what CheckTx saw. The answers are pure functions of the arguments.

use std::sync::Arc;

use crate::{error::Rejected, tx::Tx};

/// Checks secp256k1 signatures and decodes transactions.
pub trait SignatureVerifier: Sync {
    /// Whether `signature` (64 bytes, r ‖ s, low s required) is one of `public_key` (33 bytes, compressed) over the SHA-256 of
    /// `message`.
    fn verify_secp256k1(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> bool;

    /// [`Tx::decode`], or what it gave for the same bytes before.
    ///
    /// # Errors
    /// Those of [`Tx::decode`].
    fn transaction(&self, raw: &[u8]) -> Result<Arc<Tx>, Rejected> {
        Tx::decode(raw).map(Arc::new)
    }
}

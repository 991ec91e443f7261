//! Signature checks as a port, so that the node can use the fastest library, check a block's signatures on several cores and
//! remember those that CheckTx saw. The answer is a pure function of the arguments.

/// Checks secp256k1 signatures.
pub trait SignatureVerifier: Sync {
    /// Whether `signature` (64 bytes, r ‖ s, low s required) is one of `public_key` (33 bytes, compressed) over the SHA-256 of
    /// `message`.
    fn verify_secp256k1(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> bool;
}

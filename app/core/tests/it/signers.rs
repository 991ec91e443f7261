//! Signature checks by k256.

use k256::ecdsa::{Signature, VerifyingKey, signature::Verifier};
use swing_core::ports::signatures::SignatureVerifier;

pub struct K256;

impl SignatureVerifier for K256 {
    fn verify_secp256k1(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let (Ok(key), Ok(signature)) = (VerifyingKey::from_sec1_bytes(public_key), Signature::from_slice(signature))
        else {
            return false;
        };
        signature.normalize_s().is_none() && key.verify(message, &signature).is_ok()
    }
}

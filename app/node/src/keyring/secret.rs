//! A secp256k1 secret key and what is derived from it.

use secp256k1::{Message, PublicKey, Secp256k1};
use sha2::{Digest, Sha256};
use swing_core::address::Address;

use super::KeyringError;

/// A secret key. Erased when dropped; `Debug` shows the public key only.
#[derive(Clone)]
pub struct SecretKey(secp256k1::SecretKey);

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretKey").field("public_key", &hex::encode(self.public_key())).finish_non_exhaustive()
    }
}

impl SecretKey {
    /// The key with these 32 bytes.
    ///
    /// # Errors
    /// Not 32 bytes, zero, or not below the curve's order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyringError> {
        let array: [u8; 32] = bytes
            .try_into()
            .map_err(|_| KeyringError::Key(format!("a secp256k1 secret key has 32 bytes, not {}", bytes.len())))?;
        secp256k1::SecretKey::from_byte_array(array)
            .map(SecretKey)
            .map_err(|_| KeyringError::Key("the bytes are not a secp256k1 secret key".to_owned()))
    }

    /// The secret bytes.
    #[must_use]
    pub fn secret_bytes(&self) -> [u8; 32] {
        self.0.secret_bytes()
    }

    /// The public key, compressed, 33 bytes.
    #[must_use]
    pub fn public_key(&self) -> [u8; 33] {
        PublicKey::from_secret_key(&Secp256k1::signing_only(), &self.0).serialize()
    }

    /// The account's address.
    #[must_use]
    pub fn address(&self) -> Address {
        Address::of_secp256k1(&self.public_key())
    }

    /// r ‖ s over the SHA-256 of `message`: deterministic (RFC 6979), low s.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let digest: [u8; 32] = Sha256::digest(message).into();
        Secp256k1::signing_only().sign_ecdsa(Message::from_digest(digest), &self.0).serialize_compact()
    }
}

/// Checks that the bytes are a point of the curve.
///
/// # Errors
/// They are not.
pub fn check_public_key(bytes: &[u8]) -> Result<[u8; 33], KeyringError> {
    PublicKey::from_slice(bytes)
        .ok()
        .filter(|_| bytes.len() == 33)
        .map(|key| key.serialize())
        .ok_or_else(|| KeyringError::Key("expected a compressed secp256k1 public key, 33 bytes".to_owned()))
}

/// Whether `signature` (r ‖ s) is one of the public key over the SHA-256 of `message`.
#[must_use]
pub fn verify(public_key: &[u8; 33], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) =
        (PublicKey::from_slice(public_key), secp256k1::ecdsa::Signature::from_compact(signature))
    else {
        return false;
    };
    let digest: [u8; 32] = Sha256::digest(message).into();
    Secp256k1::verification_only().verify_ecdsa(Message::from_digest(digest), &signature, &key).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_key_are_refused() {
        #[track_caller]
        fn check(bytes: &[u8], expected: &str) {
            assert_eq!(SecretKey::from_bytes(bytes).expect_err("it is no key").to_string(), expected);
        }
        check(&[1; 31], "a secp256k1 secret key has 32 bytes, not 31");
        check(&[0; 32], "the bytes are not a secp256k1 secret key");
        check(&[0xff; 32], "the bytes are not a secp256k1 secret key");
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        let key = SecretKey::from_bytes(&[7; 32]).expect("a valid key");
        assert!(!format!("{key:?}").contains(&hex::encode([7; 32])));
    }
}

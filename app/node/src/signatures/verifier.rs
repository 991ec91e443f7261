//! The plain check.

use secp256k1::{Message, PublicKey, Secp256k1, VerifyOnly, ecdsa::Signature};
use sha2::{Digest, Sha256};
use swing_core::ports::signatures::SignatureVerifier;

/// Length of a compressed public key, bytes.
const COMPRESSED_KEY_BYTES: usize = 33;

/// Checks with libsecp256k1, which takes low-S signatures only, as the SDK does.
#[derive(Debug)]
pub struct Secp256k1Verifier {
    context: Secp256k1<VerifyOnly>,
}

impl Default for Secp256k1Verifier {
    fn default() -> Self {
        Secp256k1Verifier { context: Secp256k1::verification_only() }
    }
}

impl SignatureVerifier for Secp256k1Verifier {
    fn verify_secp256k1(&self, public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        // libsecp256k1 reads uncompressed keys too, which no account has.
        if public_key.len() != COMPRESSED_KEY_BYTES {
            return false;
        }
        let (Ok(key), Ok(signature)) = (PublicKey::from_slice(public_key), Signature::from_compact(signature)) else {
            return false;
        };
        let digest = Message::from_digest(Sha256::digest(message).into());
        self.context.verify_ecdsa(digest, &signature, &key).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use secp256k1::{Message, Secp256k1, SecretKey, ecdsa::Signature};
    use sha2::{Digest, Sha256};
    use swing_core::ports::signatures::SignatureVerifier;

    use super::Secp256k1Verifier;

    /// Order of the curve's group, big endian.
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae,
        0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
    ];

    /// The other signature of the same message: S is the group's order minus S.
    fn with_high_s(signature: &Signature) -> [u8; 64] {
        let mut bytes = signature.serialize_compact();
        let mut borrow = 0_i16;
        for index in (0..32).rev() {
            let difference = i16::from(ORDER[index]) - i16::from(bytes[32 + index]) - borrow;
            borrow = i16::from(difference < 0);
            bytes[32 + index] = (difference & 0xff) as u8;
        }
        bytes
    }

    #[test]
    fn only_the_signers_low_s_signature_in_its_exact_form_is_taken() {
        let context = Secp256k1::new();
        let secret = SecretKey::from_byte_array([7; 32]).expect("a key");
        let key = secret.public_key(&context);
        let other = SecretKey::from_byte_array([8; 32]).expect("a key").public_key(&context);
        let message = b"ten coins to bob";
        let signature = context.sign_ecdsa(Message::from_digest(Sha256::digest(message).into()), &secret);
        let bytes = signature.serialize_compact();
        let verifier = Secp256k1Verifier::default();
        let check = |key: &[u8], message: &[u8], signature: &[u8]| verifier.verify_secp256k1(key, message, signature);

        assert!(check(&key.serialize(), message, &bytes));
        assert!(!check(&other.serialize(), message, &bytes), "another key");
        assert!(!check(&key.serialize(), b"all coins to bob", &bytes), "another message");
        assert!(!check(&key.serialize(), message, &with_high_s(&signature)), "a malleated signature");
        assert!(!check(&key.serialize_uncompressed(), message, &bytes), "an uncompressed key");
        assert!(!check(&key.serialize(), message, &signature.serialize_der()), "a DER signature");
        assert!(!check(&key.serialize(), message, &bytes[..63]), "a short signature");
        assert!(!check(&[], message, &[]), "nothing at all");
        assert!(!check(&[2; 33], message, &[0; 64]), "zeros");
    }
}

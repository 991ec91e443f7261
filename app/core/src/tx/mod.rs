//! Transactions: decoding, signers, and the bytes that signatures cover.

mod decode;
mod reading;
mod sign_bytes;

pub use decode::{TX_BYTES_MAX, Tx};
pub use reading::{OfferedFee, ReadMessage, SignerKey};
pub use sign_bytes::{SIGNATURE_LEN, SignatureCheck, SignatureForm, public_key, sign_bytes, signature_checks};

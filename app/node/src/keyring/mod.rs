//! Keys of accounts: HD derivation, signing and the `test` store. Source: the SDK's keyring, BIP-39, BIP-32, BIP-44.
//!
//! # Invariants
//! - A secret is never printed, logged or shown by `Debug`; it leaves only by `keys export` or as a mnemonic at creation.
//! - A name never leads out of the store's folder ([`store`]).
//! - Signatures are deterministic (RFC 6979) with a low s, as the SDK's.

pub mod hd;
pub mod secret;
pub mod store;

pub use hd::{HdPath, Mnemonic};
pub use secret::SecretKey;
pub use store::{Keyring, Record};

use crate::config::ConfigError;

/// Why a key could not be made, found or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The backend is not one of this node's.
    #[error(
        "keyring backend {0:?} is not available: only \"test\" is (keys in plain files of mode 0600; keep keys of value in another wallet and sign offline)"
    )]
    Backend(String),
    /// No such key.
    #[error("{0}: key not found in the keyring at {1}: list keys with `swingd keys list --keyring-backend test`")]
    NotFound(String, std::path::PathBuf),
    /// The name is taken.
    #[error("key {0:?} already exists: choose another name, or delete it first (swingd keys delete {0})")]
    Exists(String),
    /// The address is there under another name.
    #[error("the address of this key is already in the keyring under the name {0:?}")]
    AddressExists(String),
    /// The name cannot be a file's.
    #[error("key name {0:?} is not allowed: 1 to 64 letters, digits, '-', '_' or '.', not beginning with '.'")]
    Name(String),
    /// A key without its secret was asked to sign or to be exported.
    #[error("key {0:?} is offline: only its public part is here")]
    Offline(String),
    /// Words that are no mnemonic.
    #[error("invalid mnemonic: {0}")]
    Mnemonic(String),
    /// A path that is no derivation path.
    #[error("invalid HD path {0:?}: expected a form like m/44'/118'/0'/0/0")]
    Path(String),
    /// Bytes that are no key.
    #[error("{0}")]
    Key(String),
    /// The store's files.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

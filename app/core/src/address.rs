//! Account, operator and consensus addresses: 20 bytes, shown in bech32 with the prefix of their role.
//!
//! The SDK admits addresses of up to 255 bytes; here nothing can hold a key for one that is not 20 bytes long, so a text with
//! another length is refused rather than paid to.

use std::{borrow::Cow, fmt, sync::LazyLock};

use sha2::{Digest, Sha256};

use crate::bech32::{self, Bech32Error};

/// Prefix of accounts.
pub const ACCOUNT_PREFIX: &str = "swing";
/// Prefix of validator operators.
pub const OPERATOR_PREFIX: &str = "swingvaloper";
/// Prefix of consensus addresses.
pub const CONSENSUS_PREFIX: &str = "swingvalcons";
/// Bytes in an address.
pub const ADDRESS_LEN: usize = 20;

/// An account's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address([u8; ADDRESS_LEN]);

/// Why a text is no address. The words are the SDK's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No text.
    #[error("empty address string is not allowed")]
    Empty,
    /// Not bech32.
    #[error("decoding bech32 failed: {0}")]
    Bech32(#[from] Bech32Error),
    /// Another prefix.
    #[error("invalid Bech32 prefix; expected {expected}, got {got}")]
    Prefix {
        /// The role's prefix.
        expected: &'static str,
        /// What was there.
        got: String,
    },
    /// Another length.
    #[error("incorrect address length: expected {ADDRESS_LEN} bytes, got {0}")]
    Length(usize),
}

impl Address {
    /// The address of these bytes.
    pub const fn new(bytes: [u8; ADDRESS_LEN]) -> Self {
        Address(bytes)
    }

    /// The address of these bytes.
    ///
    /// # Errors
    /// Not 20 bytes.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, AddressError> {
        bytes.try_into().map(Address).map_err(|_| AddressError::Length(bytes.len()))
    }

    /// An account address (`swing1…`).
    ///
    /// # Errors
    /// In the SDK's words.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        Self::parse_with(ACCOUNT_PREFIX, text)
    }

    /// A validator operator's address (`swingvaloper1…`); the same bytes are the operator's account.
    ///
    /// # Errors
    /// In the SDK's words.
    pub fn parse_operator(text: &str) -> Result<Self, AddressError> {
        Self::parse_with(OPERATOR_PREFIX, text)
    }

    /// A consensus address (`swingvalcons1…`).
    ///
    /// # Errors
    /// In the SDK's words.
    pub fn parse_consensus(text: &str) -> Result<Self, AddressError> {
        Self::parse_with(CONSENSUS_PREFIX, text)
    }

    fn parse_with(expected: &'static str, text: &str) -> Result<Self, AddressError> {
        if text.trim().is_empty() {
            return Err(AddressError::Empty);
        }
        let (prefix, bytes) = bech32::decode(text)?;
        if prefix != expected {
            return Err(AddressError::Prefix { expected, got: prefix });
        }
        Self::from_slice(&bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; ADDRESS_LEN] {
        &self.0
    }

    /// The text as an account (`swing1…`).
    pub fn to_account(&self) -> String {
        bech32::encode(ACCOUNT_PREFIX, &self.0)
    }

    /// The text as an operator (`swingvaloper1…`).
    pub fn to_operator(&self) -> String {
        bech32::encode(OPERATOR_PREFIX, &self.0)
    }

    /// The text as a consensus address (`swingvalcons1…`).
    pub fn to_consensus(&self) -> String {
        bech32::encode(CONSENSUS_PREFIX, &self.0)
    }

    /// The address of a compressed secp256k1 key: RIPEMD-160 of its SHA-256.
    pub fn of_secp256k1(public_key: &[u8]) -> Self {
        let digest = ripemd::Ripemd160::digest(Sha256::digest(public_key));
        Address(digest.into())
    }

    /// The consensus address of an ed25519 key: the first 20 bytes of its SHA-256.
    pub fn of_ed25519(public_key: &[u8]) -> Self {
        Self::first_of(Sha256::digest(public_key).into())
    }

    fn first_of(digest: [u8; 32]) -> Self {
        let mut bytes = [0; ADDRESS_LEN];
        for (to, from) in bytes.iter_mut().zip(digest) {
            *to = from;
        }
        Address(bytes)
    }
}

/// An account with its text, which a transfer's events repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The account.
    pub address: Address,
    /// Its text (`swing1…`).
    pub text: String,
}

impl From<Address> for Party {
    fn from(address: Address) -> Self {
        Party { address, text: address.to_account() }
    }
}

/// The account of a module: the first 20 bytes of the SHA-256 of its name. Source: SDK `address.Module` without derivation keys.
pub fn module_address(name: &str) -> Address {
    known_module(name).map_or_else(|| hashed(name), |party| party.address)
}

/// The account of a module, with its text.
pub fn module_party(name: &str) -> Cow<'static, Party> {
    known_module(name).map_or_else(|| Cow::Owned(hashed(name).into()), Cow::Borrowed)
}

/// Every fee is paid to one of these: their hashes are computed once.
fn known_module(name: &str) -> Option<&'static Party> {
    static KNOWN: LazyLock<[(&str, Party); 4]> =
        LazyLock::new(|| crate::modules::auth::keeper::MODULE_ACCOUNTS.map(|(name, _)| (name, hashed(name).into())));
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, party)| party)
}

fn hashed(name: &str) -> Address {
    Address::first_of(Sha256::digest(name.as_bytes()).into())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_account())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_accounts_have_the_sdks_addresses() {
        for (name, text) in [
            ("fee_collector", "swing17xpfvakm2amg962yls6f84z3kell8c5ldjqkc9"),
            ("gov", "swing10d07y265gmmuvt4z0w9aw880jnsr700j8fsn9t"),
            ("bonded_tokens_pool", "swing1fl48vsnmsdzcv85q5d2q4z5ajdha8yu3gs2e20"),
            ("not_bonded_tokens_pool", "swing1tygms3xhhs3yv487phx3dw4a95jn7t7luskgum"),
        ] {
            assert_eq!(module_address(name).to_string(), text, "{name}");
        }
    }

    #[test]
    fn a_key_gives_the_recorded_address() {
        let key = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            "Ak9OKtmcNNYLm6YoPJQxqEGK+GcyEpYfl6d7Y3f80Fti",
        )
        .unwrap();
        assert_eq!(Address::of_secp256k1(&key).to_string(), "swing19rl4cm2hmr8afy4kldpxz3fka4jguq0aptwtvd");
    }

    #[test]
    fn operator_and_account_share_their_bytes() {
        let account = Address::parse("swing19rl4cm2hmr8afy4kldpxz3fka4jguq0aptwtvd").unwrap();
        assert_eq!(account.to_operator(), "swingvaloper19rl4cm2hmr8afy4kldpxz3fka4jguq0amqzpde");
        assert_eq!(Address::parse_operator(&account.to_operator()).unwrap(), account);
    }

    #[track_caller]
    fn check_error(text: &str, words: &str) {
        assert_eq!(Address::parse(text).unwrap_err().to_string(), words);
    }

    #[test]
    fn bad_addresses_are_refused_in_the_sdks_words() {
        check_error("", "empty address string is not allowed");
        check_error("  ", "empty address string is not allowed");
        check_error("notanaddress", "decoding bech32 failed: invalid separator index -1");
        check_error(
            "swingvaloper19rl4cm2hmr8afy4kldpxz3fka4jguq0amqzpde",
            "invalid Bech32 prefix; expected swing, got swingvaloper",
        );
        check_error(&bech32::encode("swing", &[7; 32]), "incorrect address length: expected 20 bytes, got 32");
    }
}

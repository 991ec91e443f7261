//! Mnemonics and hierarchical derivation. Source: BIP-39 without a passphrase, BIP-32, BIP-44 with coin type 118.

use bip32::{DerivationPath, XPrv};

use super::{KeyringError, SecretKey};

/// Entropy of a new mnemonic: 24 words.
const ENTROPY_BYTES: usize = 32;
/// The coin type of the Cosmos ecosystem. Source: SLIP-44.
pub const COIN_TYPE: u32 = 118;

/// A derivation path.
#[derive(Clone, Debug)]
pub struct HdPath(DerivationPath);

impl HdPath {
    /// `m/44'/coin_type'/account'/0/index`.
    ///
    /// # Errors
    /// A number of 2³¹ or more.
    pub fn bip44(coin_type: u32, account: u32, index: u32) -> Result<Self, KeyringError> {
        Self::parse(&format!("m/44'/{coin_type}'/{account}'/0/{index}"))
    }

    /// From text.
    ///
    /// # Errors
    /// It is not a path.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        text.parse().map(HdPath).map_err(|_| KeyringError::Path(text.to_owned()))
    }
}

/// Words that a key can be made from again.
#[derive(Clone)]
pub struct Mnemonic(bip39::Mnemonic);

impl std::fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mnemonic(..)")
    }
}

impl Mnemonic {
    /// 24 new words.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn generate() -> Result<Self, KeyringError> {
        let mut entropy = [0u8; ENTROPY_BYTES];
        getrandom::fill(&mut entropy)
            .map_err(|error| KeyringError::Key(format!("no randomness for a new key: {error}")))?;
        bip39::Mnemonic::from_entropy(&entropy).map(Mnemonic).map_err(|error| KeyringError::Mnemonic(error.to_string()))
    }

    /// From words, 12 to 24, separated by any white space.
    ///
    /// # Errors
    /// Unknown words, a wrong number of words or a wrong checksum.
    pub fn parse(words: &str) -> Result<Self, KeyringError> {
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        bip39::Mnemonic::parse_in_normalized(bip39::Language::English, &words)
            .map(Mnemonic)
            .map_err(|error| KeyringError::Mnemonic(error.to_string()))
    }

    /// The words, to be shown once to their owner.
    #[must_use]
    pub fn words(&self) -> String {
        self.0.to_string()
    }

    /// The key at this path.
    ///
    /// # Errors
    /// The derivation has no key at this path (a chance of 1 in 2¹²⁷).
    pub fn derive(&self, path: &HdPath) -> Result<SecretKey, KeyringError> {
        let key = XPrv::derive_from_path(self.0.to_seed_normalized(""), &path.0)
            .map_err(|error| KeyringError::Key(format!("cannot derive a key: {error}")))?;
        SecretKey::from_bytes(&key.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &str, path: &str, expected: &str) {
        let key =
            Mnemonic::parse(words).expect("a mnemonic").derive(&HdPath::parse(path).expect("a path")).expect("a key");
        assert_eq!(key.address().to_string(), expected);
    }

    #[test]
    fn addresses_are_those_of_other_wallets() {
        let alice = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
        check(alice, "m/44'/118'/0'/0/0", "swing19rl4cm2hmr8afy4kldpxz3fka4jguq0aptwtvd");
        let bob = "legal winner thank year wave sausage\n worth useful legal winner thank yellow";
        check(bob, "m/44'/118'/0'/0/0", "swing1avgyh77ycn997ja45q5q8ss8y9mr424ja3p9xe");
    }

    #[test]
    fn new_mnemonics_have_24_words_and_are_read_back() {
        let mnemonic = Mnemonic::generate().expect("randomness");
        assert_eq!(mnemonic.words().split(' ').count(), 24);
        let again = Mnemonic::parse(&mnemonic.words()).expect("its own words");
        let path = HdPath::bip44(COIN_TYPE, 0, 0).expect("a path");
        let derive = |mnemonic: &Mnemonic| mnemonic.derive(&path).expect("a key").public_key();
        assert_eq!(derive(&mnemonic), derive(&again));
    }

    #[test]
    fn wrong_words_and_paths_are_refused() {
        let word = Mnemonic::parse("abandon abandon").expect_err("too few words").to_string();
        assert!(word.starts_with("invalid mnemonic: "), "{word}");
        let sum = Mnemonic::parse(&["abandon"; 12].join(" ")).expect_err("a wrong checksum").to_string();
        assert!(sum.contains("checksum"), "{sum}");
        for path in ["", "44/118", "m/x", "m/44'/4294967296'"] {
            assert!(HdPath::parse(path).is_err(), "{path}");
        }
    }
}

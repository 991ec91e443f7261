//! CometBFT's key files: the peer-to-peer identity and the validator's consensus key. Source: CometBFT 0.38, `p2p/key.go`
//! and `privval/file.go`.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use swing_core::address::Address;

use super::{ConfigError, files};

const TYPE_PRIVATE: &str = "tendermint/PrivKeyEd25519";
const TYPE_PUBLIC: &str = "tendermint/PubKeyEd25519";

/// An ed25519 key of the node.
pub struct NodeKey {
    key: SigningKey,
}

impl std::fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeKey").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl NodeKey {
    /// A new random key.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn generate() -> Result<Self, ConfigError> {
        let mut seed = [0u8; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| ConfigError::Setting(format!("no randomness for a new key: {error}")))?;
        Ok(Self::from_seed(seed))
    }

    /// The key of this seed.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        NodeKey { key: SigningKey::from_bytes(&seed) }
    }

    /// The public key, 32 bytes.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// The address: the first 20 bytes of the public key's SHA-256.
    #[must_use]
    pub fn address(&self) -> Address {
        Address::of_ed25519(&self.public_key())
    }

    /// The node ID that peers know: the address in lower case hex.
    #[must_use]
    pub fn id(&self) -> String {
        hex::encode(self.address().as_bytes())
    }

    /// The signing key, for the engines that sign themselves.
    #[must_use]
    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// Reads `node_key.json` or `priv_validator_key.json`.
    ///
    /// # Errors
    /// It is not readable, not JSON, of another key type, or its halves do not fit.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let wrong = |reason: &str| ConfigError::content(path, reason);
        let value: Value =
            serde_json::from_slice(&files::read(path)?).map_err(|error| ConfigError::content(path, error))?;
        let private = value.get("priv_key").ok_or_else(|| wrong("field priv_key is missing"))?;
        if private.get("type").and_then(Value::as_str) != Some(TYPE_PRIVATE) {
            return Err(wrong("priv_key.type must be tendermint/PrivKeyEd25519"));
        }
        let text = private.get("value").and_then(Value::as_str).unwrap_or_default();
        let pair: [u8; 64] = BASE64
            .decode(text)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| wrong("priv_key.value must be the base64 of 64 bytes"))?;
        let key = SigningKey::from_keypair_bytes(&pair)
            .map_err(|_| wrong("priv_key.value: its public half is not that of its private half"))?;
        Ok(NodeKey { key })
    }

    fn private_json(&self) -> Value {
        json!({"type": TYPE_PRIVATE, "value": BASE64.encode(self.key.to_keypair_bytes())})
    }

    /// Writes `node_key.json`.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn save_node_key(&self, path: &Path) -> Result<(), ConfigError> {
        let text = json!({"priv_key": self.private_json()}).to_string();
        files::write(path, text.as_bytes(), files::MODE_SECRET)
    }

    /// Writes `priv_validator_key.json`.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn save_validator_key(&self, path: &Path) -> Result<(), ConfigError> {
        let value = json!({
            "address": hex::encode_upper(self.address().as_bytes()),
            "pub_key": {"type": TYPE_PUBLIC, "value": BASE64.encode(self.public_key())},
            "priv_key": self.private_json(),
        });
        files::write(path, format!("{value:#}").as_bytes(), files::MODE_SECRET)
    }
}

/// Writes a `priv_validator_state.json` that has signed nothing, unless there is one: signing state never moves back.
///
/// # Errors
/// The file system refuses.
pub fn save_new_validator_state(path: &Path) -> Result<(), ConfigError> {
    if path.exists() {
        return Ok(());
    }
    let value = json!({"height": "0", "round": 0, "step": 0});
    files::write(path, format!("{value:#}").as_bytes(), files::MODE_SECRET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_those_that_cometbft_derives() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("key.json");
        // Made by cometbft 0.38.26 init.
        let value = "kMI5bkkOkoJ5s3OsDlxZhYMFoA0orIP7RBDXE9V0EhlWlvRPfIlpqXoMCgf+IsBuDg3SA4ZcdMArpMUui1/iKg==";
        let text = json!({"priv_key": {"type": TYPE_PRIVATE, "value": value}}).to_string();
        std::fs::write(&path, text).expect("it can be written");
        let key = NodeKey::load(&path).expect("it is whole");
        assert_eq!(key.id(), "28fdb1f1afb7465d5ce3ad2c9b174fe578263db3");
        assert_eq!(BASE64.encode(key.public_key()), "Vpb0T3yJaal6DAoH/iLAbg4N0gOGXHTAK6TFLotf4io=");
    }

    #[test]
    fn key_files_are_read_back_and_damage_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("key.json");
        let key = NodeKey::from_seed([7; 32]);
        key.save_validator_key(&path).expect("it can be written");
        assert_eq!(NodeKey::load(&path).expect("it is whole").id(), key.id());
        key.save_node_key(&path).expect("it can be written");
        assert_eq!(NodeKey::load(&path).expect("it is whole").id(), key.id());

        let mut pair = key.signing_key().to_keypair_bytes();
        pair[40] ^= 1;
        let text = json!({"priv_key": {"type": TYPE_PRIVATE, "value": BASE64.encode(pair)}}).to_string();
        std::fs::write(&path, text).expect("it can be written");
        let error = NodeKey::load(&path).expect_err("its halves differ").to_string();
        assert!(error.ends_with("its public half is not that of its private half"), "{error}");
    }

    #[test]
    fn signing_state_is_never_moved_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("state.json");
        save_new_validator_state(&path).expect("it can be written");
        std::fs::write(&path, "{\"height\":\"9\"}").expect("it can be written");
        save_new_validator_state(&path).expect("nothing is to do");
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "{\"height\":\"9\"}");
    }
}

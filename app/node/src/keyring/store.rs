//! The `test` store: one plain file a key, mode 0600.

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use swing_core::address::Address;

use super::{KeyringError, SecretKey, secret};
use crate::config::{ConfigError, Home, files};

/// The suffix of a key's file.
const SUFFIX: &str = ".json";

/// A key as it is kept.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// Its public key, compressed.
    pub public_key: [u8; 33],
    secret: Option<SecretKey>,
}

impl Record {
    /// A key with its secret, not yet kept.
    #[must_use]
    pub fn local(name: &str, secret: SecretKey) -> Self {
        Record { name: name.to_owned(), public_key: secret.public_key(), secret: Some(secret) }
    }

    /// A public key alone, not yet kept.
    #[must_use]
    pub fn offline(name: &str, public_key: [u8; 33]) -> Self {
        Record { name: name.to_owned(), public_key, secret: None }
    }

    /// The account's address.
    #[must_use]
    pub fn address(&self) -> Address {
        Address::of_secp256k1(&self.public_key)
    }

    /// `local`, or `offline` for a public key alone.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.secret.is_some() { "local" } else { "offline" }
    }

    /// The secret.
    ///
    /// # Errors
    /// The key is offline.
    pub fn secret(&self) -> Result<&SecretKey, KeyringError> {
        self.secret.as_ref().ok_or_else(|| KeyringError::Offline(self.name.clone()))
    }
}

#[derive(Deserialize, Serialize)]
struct StoredRecord {
    name: String,
    public_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<String>,
}

/// The keys of one home directory.
#[derive(Clone, Debug)]
pub struct Keyring {
    folder: PathBuf,
}

impl Keyring {
    /// Opens the keyring of this backend. Nothing is made before the first key is added.
    ///
    /// # Errors
    /// Any backend but `test`.
    pub fn open(home: &Home, backend: &str) -> Result<Self, KeyringError> {
        match backend {
            "test" => Ok(Keyring { folder: home.keyring_test_folder() }),
            other => Err(KeyringError::Backend(other.to_owned())),
        }
    }

    /// Keeps a key.
    ///
    /// # Errors
    /// The name is taken or not allowed, the address is there already, or the file system refuses.
    pub fn add(&self, record: &Record) -> Result<(), KeyringError> {
        let path = self.path(&record.name)?;
        if path.exists() {
            return Err(KeyringError::Exists(record.name.clone()));
        }
        if let Some(other) = self.list()?.into_iter().find(|other| other.public_key == record.public_key) {
            return Err(KeyringError::AddressExists(other.name));
        }
        let stored = StoredRecord {
            name: record.name.clone(),
            public_key: BASE64.encode(record.public_key),
            secret_key: record.secret.as_ref().map(|secret| hex::encode(secret.secret_bytes())),
        };
        let text = serde_json::to_string_pretty(&stored).map_err(|error| ConfigError::content(&path, error))?;
        Ok(files::write(&path, text.as_bytes(), files::MODE_SECRET)?)
    }

    /// All keys, by name.
    ///
    /// # Errors
    /// The folder or a file in it is not readable, or a file is damaged.
    pub fn list(&self) -> Result<Vec<Record>, KeyringError> {
        if !self.folder.exists() {
            return Ok(Vec::new());
        }
        let failed = |source| ConfigError::File { action: "read", path: self.folder.clone(), source };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(failed)? {
            let file = entry.map_err(failed)?.file_name();
            // Other files, those being written among them, are not keys.
            if let Some(name) = file.to_str().and_then(|file| file.strip_suffix(SUFFIX)).filter(|name| is_name(name)) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        names.iter().map(|name| self.load(name)).collect()
    }

    /// The key of this name, or of this bech32 account address.
    ///
    /// # Errors
    /// There is none, or its file is damaged.
    pub fn get(&self, name_or_address: &str) -> Result<Record, KeyringError> {
        if let Ok(address) = Address::parse(name_or_address) {
            return self
                .list()?
                .into_iter()
                .find(|record| record.address() == address)
                .ok_or_else(|| self.not_found(name_or_address));
        }
        if !self.path(name_or_address)?.exists() {
            return Err(self.not_found(name_or_address));
        }
        self.load(name_or_address)
    }

    /// Removes a key for ever.
    ///
    /// # Errors
    /// There is none, or the file system refuses.
    pub fn delete(&self, name: &str) -> Result<(), KeyringError> {
        let record = self.get(name)?;
        Ok(files::remove(&self.path(&record.name)?)?)
    }

    fn not_found(&self, name: &str) -> KeyringError {
        KeyringError::NotFound(name.to_owned(), self.folder.clone())
    }

    fn load(&self, name: &str) -> Result<Record, KeyringError> {
        let path = self.path(name)?;
        let damaged = |reason: String| ConfigError::content(&path, reason);
        let stored: StoredRecord =
            serde_json::from_slice(&files::read(&path)?).map_err(|error| damaged(error.to_string()))?;
        let public_key = BASE64
            .decode(&stored.public_key)
            .map_err(|error| KeyringError::Key(error.to_string()))
            .and_then(|bytes| secret::check_public_key(&bytes))
            .map_err(|error| damaged(format!("public_key: {error}")))?;
        let secret = match stored.secret_key {
            None => None,
            Some(text) => {
                let bytes = hex::decode(text).map_err(|_| damaged("secret_key: not hex".to_owned()))?;
                Some(SecretKey::from_bytes(&bytes).map_err(|error| damaged(format!("secret_key: {error}")))?)
            }
        };
        if secret.as_ref().is_some_and(|secret| secret.public_key() != public_key) {
            return Err(damaged("public_key is not that of secret_key".to_owned()).into());
        }
        Ok(Record { name: name.to_owned(), public_key, secret })
    }

    fn path(&self, name: &str) -> Result<PathBuf, KeyringError> {
        if !is_name(name) {
            return Err(KeyringError::Name(name.to_owned()));
        }
        Ok(self.folder.join(format!("{name}{SUFFIX}")))
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn keyring() -> (tempfile::TempDir, Keyring) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let keyring = Keyring::open(&Home::new(folder.path()), "test").expect("the test backend");
        (folder, keyring)
    }

    fn key(byte: u8) -> SecretKey {
        SecretKey::from_bytes(&[byte; 32]).expect("a valid key")
    }

    #[test]
    fn a_key_is_found_by_name_and_address_until_it_is_deleted() {
        let (folder, keyring) = keyring();
        assert!(keyring.list().expect("an empty keyring").is_empty());
        let record = Record::local("alice", key(1));
        keyring.add(&record).expect("a free name");
        let mode =
            std::fs::metadata(folder.path().join("keyring-test/alice.json")).expect("its file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let found = keyring.get(&record.address().to_string()).expect("by address");
        assert_eq!(found.name, "alice");
        assert_eq!(found.secret().expect("a local key").secret_bytes(), [1; 32]);
        keyring.delete("alice").expect("it is there");
        assert!(matches!(keyring.get("alice"), Err(KeyringError::NotFound(..))));
    }

    #[test]
    fn a_name_or_address_is_used_once() {
        let (_folder, keyring) = keyring();
        keyring.add(&Record::local("alice", key(1))).expect("a free name");
        assert!(matches!(keyring.add(&Record::local("alice", key(2))), Err(KeyringError::Exists(_))));
        assert!(matches!(keyring.add(&Record::local("bob", key(1))), Err(KeyringError::AddressExists(_))));
    }

    #[test]
    fn an_offline_key_cannot_sign() {
        let (_folder, keyring) = keyring();
        keyring.add(&Record::offline("cold", key(1).public_key())).expect("a free name");
        let record = keyring.get("cold").expect("it is there");
        assert_eq!(record.kind(), "offline");
        assert!(matches!(record.secret(), Err(KeyringError::Offline(_))));
    }

    #[test]
    fn names_never_lead_out_of_the_folder_and_other_backends_are_refused() {
        let (folder, keyring) = keyring();
        for name in ["", ".", "..", "../x", "a/b", ".hidden", "a b", &"x".repeat(65)] {
            assert!(matches!(keyring.add(&Record::local(name, key(1))), Err(KeyringError::Name(_))), "{name}");
        }
        for backend in ["os", "file", "memory", "kwallet", ""] {
            assert!(
                matches!(Keyring::open(&Home::new(folder.path()), backend), Err(KeyringError::Backend(_))),
                "{backend}"
            );
        }
    }

    #[test]
    fn a_damaged_file_is_named() {
        let (folder, keyring) = keyring();
        keyring.add(&Record::local("alice", key(1))).expect("a free name");
        let path = folder.path().join("keyring-test/alice.json");
        let text = std::fs::read_to_string(&path).expect("its file").replace(&"01".repeat(32), &"02".repeat(32));
        std::fs::write(&path, text).expect("it can be written");
        let error = keyring.get("alice").expect_err("its halves differ").to_string();
        assert!(error.ends_with("alice.json: public_key is not that of secret_key"), "{error}");
    }
}

//! What is stored of an account.

use prost::Message;
use swing_proto::cosmos::auth::v1beta1::Params;

use crate::{address::Address, state::StateError};

/// Bytes of a compressed secp256k1 key.
pub const SECP256K1_KEY_LEN: usize = 33;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its address, which is in the key and not in the value.
    pub address: Address,
    /// Its number, given once.
    pub number: u64,
    /// How many transactions it has signed.
    pub sequence: u64,
    /// Its compressed secp256k1 key, once it has signed.
    pub public_key: Option<[u8; SECP256K1_KEY_LEN]>,
    /// Set for an account that a module owns: no key can sign for it.
    pub module: Option<ModuleAccount>,
}

/// What a module account is besides an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleAccount {
    /// The module's name, from which the address follows.
    pub name: String,
    /// What it may do: `minter`, `burner`, `staking`.
    pub permissions: Vec<String>,
}

/// The stored form.
#[derive(Clone, PartialEq, Message)]
struct Stored {
    #[prost(uint64, tag = "1")]
    number: u64,
    #[prost(uint64, tag = "2")]
    sequence: u64,
    #[prost(bytes = "vec", tag = "3")]
    public_key: Vec<u8>,
    #[prost(string, tag = "4")]
    module_name: String,
    #[prost(string, repeated, tag = "5")]
    permissions: Vec<String>,
}

impl Account {
    /// An account without key that has signed nothing.
    pub fn new(address: Address, number: u64) -> Self {
        Account { address, number, sequence: 0, public_key: None, module: None }
    }

    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        let module = self.module.as_ref();
        Stored {
            number: self.number,
            sequence: self.sequence,
            public_key: self.public_key.map(Vec::from).unwrap_or_default(),
            module_name: module.map(|module| module.name.clone()).unwrap_or_default(),
            permissions: module.map(|module| module.permissions.clone()).unwrap_or_default(),
        }
        .encode_to_vec()
    }

    /// From the stored bytes.
    ///
    /// # Errors
    /// Bytes that this chain did not write: a fault of the storage.
    pub fn decode(address: Address, bytes: &[u8]) -> Result<Self, StateError> {
        let stored =
            Stored::decode(bytes).map_err(|error| StateError::Storage(format!("account {address}: {error}")))?;
        let public_key = match stored.public_key.len() {
            0 => None,
            length => Some(
                stored
                    .public_key
                    .try_into()
                    .map_err(|_| StateError::Storage(format!("account {address}: a key of {length} bytes")))?,
            ),
        };
        let module = (!stored.module_name.is_empty())
            .then_some(ModuleAccount { name: stored.module_name, permissions: stored.permissions });
        Ok(Account { address, number: stored.number, sequence: stored.sequence, public_key, module })
    }
}

/// The SDK's default parameters.
pub const DEFAULT_PARAMS: Params = Params {
    max_memo_characters: 256,
    tx_sig_limit: 7,
    tx_size_cost_per_byte: 10,
    sig_verify_cost_ed25519: 590,
    sig_verify_cost_secp256k1: 1000,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_round_trip() {
        let mut account = Account::new(Address::new([7; 20]), 3);
        assert_eq!(Account::decode(account.address, &account.encode()).unwrap(), account);
        account.sequence = u64::MAX;
        account.public_key = Some([2; 33]);
        account.module = Some(ModuleAccount { name: "gov".into(), permissions: vec!["burner".into()] });
        assert_eq!(Account::decode(account.address, &account.encode()).unwrap(), account);
    }

    #[test]
    fn the_encoding_is_as_recorded() {
        let mut account = Account::new(Address::new([7; 20]), 3);
        account.sequence = 5;
        assert_eq!(hex::encode(account.encode()), "08031005");
    }
}

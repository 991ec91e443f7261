//! Accounts as the SDK's messages, for queries and genesis.

use prost::Message;
use swing_proto::{
    cosmos::{
        auth::v1beta1::{BaseAccount, ModuleAccount as ModuleAccountProto},
        crypto::secp256k1::PubKey,
    },
    google::protobuf::Any,
};

use super::state::{Account, ModuleAccount, SECP256K1_KEY_LEN};
use crate::address::{Address, module_address};

/// The account that every kind has within.
pub fn base(account: &Account) -> BaseAccount {
    BaseAccount {
        address: account.address.to_string(),
        pub_key: account.public_key.map(|key| swing_proto::pack(&PubKey { key: key.to_vec() })),
        account_number: account.number,
        sequence: account.sequence,
    }
}

/// The account as a packed message of its kind.
pub fn to_any(account: &Account) -> Any {
    match &account.module {
        None => swing_proto::pack(&base(account)),
        Some(module) => swing_proto::pack(&ModuleAccountProto {
            base_account: Some(base(account)),
            name: module.name.clone(),
            permissions: module.permissions.clone(),
        }),
    }
}

/// From a packed message of one of the kinds that this chain has.
///
/// # Errors
/// What is wrong with it.
pub fn from_any(any: &Any) -> Result<Account, String> {
    if any.type_url == swing_proto::type_url::<BaseAccount>() {
        let base: BaseAccount = swing_proto::unpack(any).map_err(|error| error.to_string())?;
        return from_base(&base);
    }
    let module: ModuleAccountProto = swing_proto::unpack(any)
        .map_err(|_| format!("{} is no account of this chain: BaseAccount and ModuleAccount are", any.type_url))?;
    let mut account = from_base(&module.base_account.unwrap_or_default())?;
    if module_address(&module.name) != account.address {
        return Err(format!("{} is not the address of module {:?}", account.address, module.name));
    }
    account.module = Some(ModuleAccount { name: module.name, permissions: module.permissions });
    Ok(account)
}

fn from_base(base: &BaseAccount) -> Result<Account, String> {
    let address = Address::parse(&base.address).map_err(|error| format!("address: {error}"))?;
    let public_key = base.pub_key.as_ref().map(|any| key(any, &address)).transpose()?;
    Ok(Account { address, number: base.account_number, sequence: base.sequence, public_key, module: None })
}

fn key(any: &Any, address: &Address) -> Result<[u8; SECP256K1_KEY_LEN], String> {
    if any.type_url != swing_proto::type_url::<PubKey>() {
        return Err(format!("pub_key: {} keys are unsupported, expected secp256k1", any.type_url));
    }
    let key = PubKey::decode(any.value.as_slice()).map_err(|error| format!("pub_key: {error}"))?.key;
    let length = key.len();
    let key: [u8; SECP256K1_KEY_LEN] =
        key.try_into().map_err(|_| format!("pub_key: {SECP256K1_KEY_LEN} bytes expected, got {length}"))?;
    if Address::of_secp256k1(&key) != *address {
        return Err(format!("pub_key: it is not the key of {address}"));
    }
    Ok(key)
}

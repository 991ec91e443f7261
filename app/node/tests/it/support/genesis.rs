//! A small chain: a genesis with one validator and funded accounts, and transactions that they sign.

use prost::Message;
use serde_json::{Value, json};
use swing_core::{
    address::{Address, module_address},
    genesis::default_app_state,
};
use swing_node::{
    client::{
        sign::{SignMode, SignerData},
        tx::{Fee, TxPlan},
    },
    keyring::SecretKey,
};
use swing_proto::cosmos::{bank::v1beta1::MsgSend, base::v1beta1::Coin};
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::{
        abci::{RequestFinalizeBlock, RequestInitChain},
        types::{BlockParams, ConsensusParams, EvidenceParams, ValidatorParams},
    },
};

/// The chain's ID.
pub const CHAIN_ID: &str = "node-1";

/// Time of the genesis, seconds.
pub const GENESIS_SECONDS: i64 = 1_800_000_000;

/// An account of the genesis.
pub struct Account {
    key: SecretKey,
    number: u64,
    pub sequence: u64,
}

impl Account {
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// A transfer with the account's next sequence.
    pub fn send(&mut self, to: &Address, amount: u64) -> Vec<u8> {
        let message = swing_proto::pack(&MsgSend {
            from_address: self.address().to_string(),
            to_address: to.to_string(),
            amount: vec![coin(amount)],
        });
        let fee = Fee { amount: vec![coin(2_000)], gas_limit: 200_000 };
        let signer = SignerData { chain_id: CHAIN_ID.to_owned(), account_number: self.number, sequence: self.sequence };
        self.sequence += 1;
        let signed = TxPlan::new(vec![message], fee).sign(&signer, SignMode::Direct, &self.key);
        signed.expect("a signed transfer").encode_to_vec()
    }
}

fn coin(amount: u64) -> Coin {
    Coin { denom: "uswing".to_owned(), amount: amount.to_string() }
}

/// So many accounts.
pub fn accounts(count: u64) -> Vec<Account> {
    let account = |number: u64| {
        let mut secret = [1; 32];
        secret[..8].copy_from_slice(&number.to_be_bytes());
        Account { key: SecretKey::from_bytes(&secret).expect("a key"), number, sequence: 0 }
    };
    (0..count).map(account).collect()
}

/// InitChain of a chain on which the accounts have a billion each.
pub fn init_chain(accounts: &[Account]) -> RequestInitChain {
    RequestInitChain {
        time: Some(Timestamp { seconds: GENESIS_SECONDS, nanos: 0 }),
        chain_id: CHAIN_ID.to_owned(),
        initial_height: 1,
        app_state_bytes: app_state(accounts).to_string().into_bytes().into(),
        consensus_params: Some(ConsensusParams {
            block: Some(BlockParams { max_bytes: 22_020_096, max_gas: -1 }),
            evidence: Some(EvidenceParams {
                max_age_num_blocks: 100_000,
                max_age_duration: Some(two_days()),
                max_bytes: 1_048_576,
            }),
            validator: Some(ValidatorParams { pub_key_types: vec!["ed25519".to_owned()] }),
            version: Some(tendermint_proto::v0_38::types::VersionParams { app: 1 }),
            abci: None,
        }),
        ..RequestInitChain::default()
    }
}

fn two_days() -> tendermint_proto::google::protobuf::Duration {
    tendermint_proto::google::protobuf::Duration { seconds: 172_800, nanos: 0 }
}

fn app_state(accounts: &[Account]) -> Value {
    let mut state = default_app_state();
    let base = |account: &Account| {
        json!({"@type": "/cosmos.auth.v1beta1.BaseAccount", "address": account.address().to_string(), "pub_key": null,
               "account_number": account.number.to_string(), "sequence": "0"})
    };
    let balance =
        |address: String, amount: &str| json!({"address": address, "coins": [{"denom": "uswing", "amount": amount}]});
    let operator = Address::new([9; 20]);
    state["auth"]["accounts"] = accounts.iter().map(base).collect();
    let mut balances: Vec<Value> =
        accounts.iter().map(|account| balance(account.address().to_string(), "1000000000")).collect();
    balances.push(balance(module_address("bonded_tokens_pool").to_string(), "5000000"));
    state["bank"]["balances"] = Value::Array(balances);
    state["staking"]["validators"] = json!([{
        "operator_address": operator.to_operator(),
        "consensus_pubkey": {"@type": "/cosmos.crypto.ed25519.PubKey", "key": "WXrwueqPYIHUNUK+SxMEYgi/zfjBwYDWcgvJsvucUUs="},
        "jailed": false, "status": "BOND_STATUS_BONDED", "tokens": "5000000",
        "delegator_shares": "5000000.000000000000000000",
        "description": {"moniker": "v", "identity": "", "website": "", "security_contact": "", "details": ""},
        "unbonding_height": "0", "unbonding_time": "1970-01-01T00:00:00Z",
        "commission": {"commission_rates": {"rate": "0.1", "max_rate": "0.2", "max_change_rate": "0.01"},
                       "update_time": "2026-01-01T00:00:00Z"},
        "min_self_delegation": "1", "unbonding_on_hold_ref_count": "0", "unbonding_ids": []
    }]);
    state["staking"]["delegations"] = json!([{
        "delegator_address": operator.to_string(), "validator_address": operator.to_operator(),
        "shares": "5000000.000000000000000000"
    }]);
    state
}

/// FinalizeBlock five seconds after the block before.
pub fn block(height: u64, txs: Vec<Vec<u8>>) -> RequestFinalizeBlock {
    let height = i64::try_from(height).expect("a small height");
    RequestFinalizeBlock {
        txs: txs.into_iter().map(Into::into).collect(),
        height,
        time: Some(Timestamp { seconds: GENESIS_SECONDS + 5 * height, nanos: 0 }),
        hash: vec![7; 32].into(),
        proposer_address: vec![9; 20].into(),
        ..RequestFinalizeBlock::default()
    }
}

//! A chain over a map: genesis, blocks, queries.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;
use serde_json::{Value, json};
use swing_core::{
    address::Address,
    ante::GasPrices,
    block::{Block, BlockOutput, Time, TxResult, ValidatorUpdate},
    error::Halt,
    execute::{CheckMode, Flags, check_tx, execute_block},
    genesis::{GenesisError, InitChain, InitOutput, default_app_state, init_chain},
    math::Int,
    modules::{auth, bank},
    ports::Ports,
    query::{self, QueryError},
    state::{Changes, State, StateRead},
};
use swing_proto::tendermint::types::{BlockParams, ConsensusParams, EvidenceParams, ValidatorParams};

use crate::{
    accounts::{Account, Draft, Signer},
    engine::CountingEngine,
    release::TestRelease,
    signers::K256,
};

pub type Committed = BTreeMap<Vec<u8>, Bytes>;

pub struct Chain {
    pub state: Committed,
    pub height: u64,
    pub genesis: InitOutput,
    pub last: BlockOutput,
    pub engine: CountingEngine,
}

/// Genesis in the making.
pub struct Genesis {
    pub app_state: Value,
    pub max_gas: i64,
    pub chain_id: String,
    pub initial_height: u64,
    pub validators: Vec<ValidatorUpdate>,
}

impl Genesis {
    /// A chain with one validator and accounts with a billion each.
    pub fn with(accounts: &[&Account]) -> Self {
        let mut app_state = default_app_state();
        let base = |account: &&Account| {
            json!({"@type": "/cosmos.auth.v1beta1.BaseAccount", "address": account.text(), "pub_key": null,
                   "account_number": "0", "sequence": "0"})
        };
        let balance =
            |address: &str, amount: &str| json!({"address": address, "coins": [{"denom": "uswing", "amount": amount}]});
        app_state["auth"]["accounts"] = accounts.iter().map(base).collect();
        let mut balances: Vec<_> = accounts.iter().map(|account| balance(&account.text(), "1000000000")).collect();
        let operator = Address::new([9; 20]);
        let pool = swing_core::address::module_address("bonded_tokens_pool").to_string();
        balances.push(balance(&pool, "5000000"));
        app_state["bank"]["balances"] = Value::Array(balances);
        app_state["staking"]["validators"] = json!([{
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
        app_state["staking"]["delegations"] = json!([{
            "delegator_address": operator.to_string(), "validator_address": operator.to_operator(),
            "shares": "5000000.000000000000000000"
        }]);
        Genesis { app_state, max_gas: -1, chain_id: "test-1".to_owned(), initial_height: 1, validators: Vec::new() }
    }

    pub fn request(&self) -> InitChain {
        let params = ConsensusParams {
            block: Some(BlockParams { max_bytes: 22_020_096, max_gas: self.max_gas }),
            evidence: Some(EvidenceParams {
                max_age_num_blocks: 100_000,
                max_age_duration: Some(swing_proto::google::protobuf::Duration { seconds: 172_800, nanos: 0 }),
                max_bytes: 1_048_576,
            }),
            validator: Some(ValidatorParams { pub_key_types: vec!["ed25519".to_owned()] }),
            ..ConsensusParams::default()
        };
        InitChain {
            chain_id: self.chain_id.clone(),
            time: Time { seconds: 1_800_000_000, nanos: 0 },
            initial_height: self.initial_height,
            consensus_params: params.encode_to_vec(),
            validators: self.validators.clone(),
            app_state: self.app_state.to_string().into_bytes(),
        }
    }

    pub fn start(&self) -> Result<Chain, GenesisError> {
        let empty = Committed::new();
        let mut state = State::new(&empty);
        let mut engine = CountingEngine::default();
        let mut ports = Ports { engine: &mut engine, signatures: &K256, release: &TestRelease };
        let genesis = init_chain(&mut state, &self.request(), &mut ports)?;
        let mut committed = Committed::new();
        commit(&mut committed, state.into_changes());
        let height = self.initial_height - 1;
        Ok(Chain { state: committed, height, genesis, last: BlockOutput::default(), engine })
    }
}

fn commit(state: &mut Committed, changes: Changes) {
    for (key, value) in changes {
        match value {
            Some(value) => drop(state.insert(key, value)),
            None => drop(state.remove(&key)),
        }
    }
}

impl Chain {
    pub fn new(accounts: &[&Account]) -> Self {
        Genesis::with(accounts).start().expect("the test genesis is valid")
    }

    /// Executes and commits a block five seconds after the one before it.
    pub fn try_block(&mut self, txs: Vec<Vec<u8>>) -> Result<&BlockOutput, Halt> {
        let height = self.height + 1;
        let time = Time { seconds: 1_800_000_000 + 5 * i64::try_from(height).expect("small"), nanos: 0 };
        let block = Block { height, time, proposer: vec![1; 20], hash: vec![2; 32], txs };
        let mut state = State::new(&self.state);
        let mut ports = Ports { engine: &mut self.engine, signatures: &K256, release: &TestRelease };
        let output = execute_block(&mut state, &block, &mut ports, &Flags::default())?;
        let changes = state.into_changes();
        commit(&mut self.state, changes);
        self.height = height;
        self.last = output;
        Ok(&self.last)
    }

    pub fn block(&mut self, txs: Vec<Vec<u8>>) -> &BlockOutput {
        self.try_block(txs).expect("the block executes")
    }

    /// A block with one transaction.
    pub fn deliver(&mut self, tx: Vec<u8>) -> TxResult {
        self.block(vec![tx]).tx_results.first().cloned().expect("a result for each transaction")
    }

    /// Checks a transaction for the mempool, on committed state.
    pub fn check(&self, tx: &[u8], mode: CheckMode, gas_prices: &str) -> TxResult {
        let mut state = State::new(&self.state);
        let prices = GasPrices::parse(gas_prices).expect("test prices");
        check_tx(&mut state, tx, mode, &prices, &K256).expect("no fault")
    }

    /// The account as it would sign its next transaction.
    pub fn signer<'a>(&self, account: &'a Account) -> Signer<'a> {
        let found = auth::keeper::account(&self.state, &account.address).expect("state reads");
        let (number, sequence) = found.map_or((0, 0), |found| (found.number, found.sequence));
        Signer { account, number, sequence }
    }

    pub fn sign(&self, draft: &Draft, account: &Account) -> Vec<u8> {
        draft.sign(&[self.signer(account)])
    }

    pub fn balance(&self, address: &Address) -> u64 {
        let amount = bank::keeper::balance(&self.state, address, "uswing").expect("state reads");
        Int::to_u64(&amount).expect("small")
    }

    pub fn query<Q: Message, A: Message + Default>(&self, path: &str, request: &Q) -> Result<A, QueryError> {
        let answer = query::query(&self.state, path, &request.encode_to_vec())?;
        Ok(A::decode(answer.as_slice()).expect("answers decode"))
    }

    pub fn get(&self, key: &str) -> Option<Bytes> {
        StateRead::get(&self.state, key.as_bytes()).expect("state reads")
    }
}

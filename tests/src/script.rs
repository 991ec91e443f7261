//! A chain whose every byte is fixed: genesis, keys, times and transactions. Run twice, it must give the same hashes, whatever
//! happened to the process in between.

use prost::Message as _;
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
use swing_proto::{
    cosmos::{
        bank::v1beta1::MsgSend,
        base::v1beta1::Coin,
        gov::v1::{MsgSubmitProposal, MsgVote, VoteOption},
        upgrade::v1beta1::{MsgSoftwareUpgrade, Plan},
    },
    google::protobuf::Any,
    pack,
    swing::swingset::v1::MsgDeliverInbound,
};

/// The chain's ID.
pub const CHAIN_ID: &str = "script-1";
/// The height of the plan `version-2`.
pub const UPGRADE_HEIGHT: u64 = 8;
/// The last block.
pub const LAST_HEIGHT: u64 = 12;
/// Block time of block 0; two seconds pass between blocks.
const GENESIS_SECONDS: i64 = 1_800_000_000;

/// A block to be decided.
#[derive(Clone, Debug, Default)]
pub struct ScriptedBlock {
    /// Its height.
    pub height: u64,
    /// Its time, in seconds.
    pub seconds: i64,
    /// Its transactions.
    pub txs: Vec<Vec<u8>>,
}

/// A key of the script with its account number, as genesis gives it.
pub struct Signer {
    key: SecretKey,
    account_number: u64,
    sequence: u64,
}

impl Signer {
    /// Alice's, from her first transaction on.
    pub fn alice() -> Self {
        Signer::new(2, 1)
    }

    pub(crate) fn new(seed: u8, account_number: u64) -> Self {
        let key = SecretKey::from_bytes(&[seed; 32]).expect("a number below the group's order");
        Signer { key, account_number, sequence: 0 }
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// The sequence of its next transaction.
    pub(crate) fn go_on_from(&mut self, sequence: u64) {
        self.sequence = sequence;
    }

    pub(crate) fn tx(&mut self, message: Any) -> Vec<u8> {
        self.tx_of(vec![message], 2_000_000)
    }

    /// The next transaction of this signer.
    pub fn tx_of(&mut self, messages: Vec<Any>, gas_limit: u64) -> Vec<u8> {
        let fee = Fee { amount: vec![coin(20_000)], gas_limit };
        let signer =
            SignerData { chain_id: CHAIN_ID.into(), account_number: self.account_number, sequence: self.sequence };
        self.sequence += 1;
        TxPlan::new(messages, fee)
            .sign(&signer, SignMode::Direct, &self.key)
            .expect("a transaction of the script")
            .encode_to_vec()
    }
}

pub(crate) fn coin(amount: u64) -> Coin {
    Coin { denom: "uswing".into(), amount: amount.to_string() }
}

/// The seconds of a block's time.
pub fn seconds_of(height: u64) -> i64 {
    GENESIS_SECONDS + 2 * i64::try_from(height).expect("a small height")
}

/// The consensus key of the script's validator, base64. Nobody signs with it: the script decides its blocks itself.
pub const CONSENSUS_KEY: &str = "WXrwueqPYIHUNUK+SxMEYgi/zfjBwYDWcgvJsvucUUs=";

/// The genesis's `app_state`: the operator's account with everything bonded, and alice's.
pub fn app_state() -> Vec<u8> {
    serde_json::to_vec(&app_state_of(CONSENSUS_KEY)).expect("JSON of JSON")
}

/// The same with another consensus key for the operator's validator, base64.
pub fn app_state_of(consensus_key: &str) -> Value {
    let (operator, alice) = (Signer::new(1, 0).address(), Signer::alice().address());
    let mut state = default_app_state();
    let account = |address: &Address, number: u64| {
        json!({ "@type": "/cosmos.auth.v1beta1.BaseAccount", "address": address.to_string(), "pub_key": null,
                "account_number": number.to_string(), "sequence": "0" })
    };
    let balance = |address: &Address, amount: u64| json!({ "address": address.to_string(), "coins": [{ "denom": "uswing", "amount": amount.to_string() }] });
    state["auth"]["accounts"] = json!([account(&operator, 0), account(&alice, 1)]);
    let pool = module_address("bonded_tokens_pool");
    state["bank"]["balances"] =
        json!([balance(&operator, 1_000_000_000), balance(&alice, 10_000_000_000), balance(&pool, 50_000_000)]);
    state["staking"]["validators"] = json!([validator(&operator, consensus_key)]);
    state["staking"]["delegations"] = json!([{
        "delegator_address": operator.to_string(), "validator_address": operator.to_operator(), "shares": "50000000.000000000000000000"
    }]);
    let params = &mut state["gov"]["params"];
    params["voting_period"] = json!("4s");
    params["expedited_voting_period"] = json!("2s");
    params["min_deposit"] = json!([{ "denom": "uswing", "amount": "1000" }]);
    state
}

fn validator(operator: &Address, consensus_key: &str) -> Value {
    json!({
        "operator_address": operator.to_operator(),
        "consensus_pubkey": { "@type": "/cosmos.crypto.ed25519.PubKey", "key": consensus_key },
        "jailed": false, "status": "BOND_STATUS_BONDED", "tokens": "50000000", "delegator_shares": "50000000.000000000000000000",
        "description": { "moniker": "v", "identity": "", "website": "", "security_contact": "", "details": "" },
        "unbonding_height": "0", "unbonding_time": "1970-01-01T00:00:00Z",
        "commission": {
            "commission_rates": { "rate": "0.100000000000000000", "max_rate": "0.200000000000000000", "max_change_rate": "0.010000000000000000" },
            "update_time": "2026-01-01T00:00:00Z"
        },
        "min_self_delegation": "1", "unbonding_on_hold_ref_count": "0", "unbonding_ids": []
    })
}

/// All blocks: governance schedules the upgrade, alice sends a coin and a contract message in each.
pub fn blocks() -> Vec<ScriptedBlock> {
    let (mut operator, mut alice) = (Signer::new(1, 0), Signer::alice());
    (1..=LAST_HEIGHT)
        .map(|height| {
            let mut txs = Vec::new();
            match height {
                2 => txs.push(operator.tx(proposal(&operator.address(), UPGRADE_HEIGHT))),
                3 => txs.push(operator.tx(vote(&operator.address()))),
                _ => {}
            }
            if height > 1 {
                txs.push(alice.tx(message(&alice.address(), "add", &format!("#[{height}]"))));
                txs.push(alice.tx(send(&alice.address(), &operator.address())));
            }
            ScriptedBlock { height, seconds: seconds_of(height), txs }
        })
        .collect()
}

/// One more block after the script, in which alice asks the contract what it counted.
pub fn reading_block() -> ScriptedBlock {
    let mut alice = Signer::alice();
    alice.sequence = 2 * (LAST_HEIGHT - 1);
    let height = LAST_HEIGHT + 1;
    ScriptedBlock { height, seconds: seconds_of(height), txs: vec![alice.tx(message(&alice.address(), "read", "#[]"))] }
}

/// How many messages the contract gets before [`reading_block`].
pub fn messages() -> u64 {
    LAST_HEIGHT - 1
}

/// Two transactions with which a chain of these accounts begins: governance schedules `version-2` for `upgrade_height`, and
/// alice sends the contract so many messages.
pub fn opening_txs(upgrade_height: u64, messages: u64) -> [Vec<u8>; 2] {
    let (mut operator, mut alice) = (Signer::new(1, 0), Signer::alice());
    let (governor, sender) = (operator.address(), alice.address());
    let scheduled = operator.tx_of(vec![proposal(&governor, upgrade_height), vote(&governor)], 4_000_000);
    let adds = (1..=messages).map(|id| message(&sender, "add", &format!("#[{id}]"))).collect();
    [scheduled, alice.tx_of(adds, 40_000_000)]
}

/// The transaction after [`opening_txs`] in which alice asks the contract what it counted.
pub fn reading_tx() -> Vec<u8> {
    let mut alice = Signer::alice();
    alice.sequence = 1;
    alice.tx(message(&alice.address(), "read", "#[]"))
}

fn proposal(proposer: &Address, upgrade_height: u64) -> Any {
    let upgrade = MsgSoftwareUpgrade {
        authority: module_address("gov").to_string(),
        plan: Some(Plan {
            name: "version-2".into(),
            height: i64::try_from(upgrade_height).expect("a small height"),
            info: "{}".into(),
            ..Plan::default()
        }),
    };
    pack(&MsgSubmitProposal {
        messages: vec![pack(&upgrade)],
        initial_deposit: vec![coin(1_000)],
        proposer: proposer.to_string(),
        title: "version-2".into(),
        summary: "swap the kernel".into(),
        ..MsgSubmitProposal::default()
    })
}

fn vote(voter: &Address) -> Any {
    pack(&MsgVote { proposal_id: 1, voter: voter.to_string(), option: VoteOption::Yes.into(), metadata: String::new() })
}

pub(crate) fn message(sender: &Address, method: &str, args: &str) -> Any {
    message_to("counter", sender, method, args)
}

/// A message to a vat. `args` is a smallcaps body.
pub fn message_to(vat: &str, sender: &Address, method: &str, args: &str) -> Any {
    pack(&MsgDeliverInbound {
        sender: sender.to_string(),
        target: vat.into(),
        method: method.into(),
        args: args.as_bytes().to_vec(),
    })
}

fn send(from: &Address, to: &Address) -> Any {
    pack(&MsgSend { from_address: from.to_string(), to_address: to.to_string(), amount: vec![coin(7)] })
}

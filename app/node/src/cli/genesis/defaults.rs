//! The genesis of a new chain: the SDK's defaults for its modules, ours for swingset.

use serde_json::{Map, Value, json};

/// All sections, by module name.
pub fn app_state(denom: &str) -> Map<String, Value> {
    let sections = [
        ("auth", auth()),
        ("bank", bank()),
        ("consensus", Value::Null),
        ("genutil", json!({"gen_txs": []})),
        ("gov", gov(denom)),
        ("staking", staking(denom)),
        ("swingset", swingset(denom)),
        ("upgrade", json!({})),
    ];
    sections.into_iter().map(|(name, section)| (name.to_owned(), section)).collect()
}

fn auth() -> Value {
    json!({
        "params": {
            "max_memo_characters": "256",
            "tx_sig_limit": "7",
            "tx_size_cost_per_byte": "10",
            "sig_verify_cost_ed25519": "590",
            "sig_verify_cost_secp256k1": "1000",
        },
        "accounts": [],
    })
}

fn bank() -> Value {
    json!({
        "params": {"send_enabled": [], "default_send_enabled": true},
        "balances": [],
        "supply": [],
        "denom_metadata": [],
        "send_enabled": [],
    })
}

fn gov(denom: &str) -> Value {
    json!({
        "starting_proposal_id": "1",
        "deposits": [],
        "votes": [],
        "proposals": [],
        "deposit_params": null,
        "voting_params": null,
        "tally_params": null,
        "params": {
            "min_deposit": [{"denom": denom, "amount": "10000000"}],
            "max_deposit_period": "172800s",
            "voting_period": "172800s",
            "quorum": "0.334000000000000000",
            "threshold": "0.500000000000000000",
            "veto_threshold": "0.334000000000000000",
            "min_initial_deposit_ratio": "0.000000000000000000",
            "proposal_cancel_ratio": "0.500000000000000000",
            "proposal_cancel_dest": "",
            "expedited_voting_period": "86400s",
            "expedited_threshold": "0.667000000000000000",
            "expedited_min_deposit": [{"denom": denom, "amount": "50000000"}],
            "burn_vote_quorum": false,
            "burn_proposal_deposit_prevote": false,
            "burn_vote_veto": true,
            "min_deposit_ratio": "0.010000000000000000",
        },
        "constitution": "",
    })
}

fn staking(denom: &str) -> Value {
    json!({
        "params": {
            "unbonding_time": "1814400s",
            "max_validators": 100,
            "max_entries": 7,
            "historical_entries": 10000,
            "bond_denom": denom,
            "min_commission_rate": "0.000000000000000000",
        },
        "last_total_power": "0",
        "last_validator_powers": [],
        "validators": [],
        "delegations": [],
        "unbonding_delegations": [],
        "redelegations": [],
        "exported": false,
    })
}

fn swingset(denom: &str) -> Value {
    json!({
        "params": {
            "beans_per_unit": [],
            "computrons_per_block": "65000000",
            "inbound_queue_max": "1000",
            "fee_unit_price": [{"denom": denom, "amount": "1"}],
            "bundle_uncompressed_size_limit_bytes": "10485760",
            "chunk_size_limit_bytes": "262144",
            "installation_deadline_blocks": "300",
        },
        "kernel_state": [],
        "bundles": [],
        "action_queue": [],
        "pending_installations": [],
        "next_chunked_artifact_id": "1",
        "next_action_number": "1",
        "vat_memory": [],
        "kernel_bundle_id": "",
        "lockdown_bundle_id": "",
        "supervisor_bundle_id": "",
        "vats": [],
    })
}

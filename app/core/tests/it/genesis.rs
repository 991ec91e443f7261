//! Genesis documents, good and bad.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost::Message;
use serde_json::{Value, json};
use swing_core::block::ValidatorUpdate;
use swing_proto::tendermint::types::ConsensusParams;

use crate::{accounts::Account, chain::Genesis};

fn genesis() -> Genesis {
    Genesis::with(&[&Account::new(1), &Account::new(2)])
}

#[test]
fn a_genesis_gives_its_validators_and_names_the_app_version() {
    let chain = genesis().start().expect("valid");
    let key = STANDARD.decode("WXrwueqPYIHUNUK+SxMEYgi/zfjBwYDWcgvJsvucUUs=").expect("base64");
    assert_eq!(chain.genesis.validator_updates, [ValidatorUpdate { public_key: key, power: 5 }]);
    let params = ConsensusParams::decode(chain.genesis.consensus_params.as_slice()).expect("decodes");
    assert_eq!(params.version.map(|version| version.app), Some(0));
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut Value), error: &str) {
    let mut genesis = genesis();
    change(&mut genesis.app_state);
    let refused = genesis.start().err().expect("refused").to_string();
    assert!(refused.contains(error), "{refused:?} does not contain {error:?}");
}

#[test]
fn what_is_wrong_with_a_genesis_is_told_with_its_path() {
    check_refused(|state| state["mint"] = json!({}), "app_state.mint: no module of this chain has this section");
    check_refused(|state| state["auth"]["x"] = json!(1), "app_state.auth: ");
    check_refused(
        |state| state["auth"]["params"]["tx_sig_limit"] = json!("0"),
        "app_state.auth.params: invalid tx signature limit: 0",
    );
    check_refused(
        |state| state["auth"]["accounts"][1] = state["auth"]["accounts"][0].clone(),
        "app_state.auth.accounts[1]: ",
    );
    check_refused(
        |state| state["auth"]["accounts"][0]["address"] = json!("swing1x"),
        "app_state.auth.accounts[0]: address: decoding bech32 failed",
    );
    check_refused(
        |state| state["bank"]["balances"][1]["address"] = state["bank"]["balances"][0]["address"].clone(),
        "app_state.bank.balances[1]: ",
    );
    check_refused(
        |state| state["bank"]["balances"][0]["coins"][0]["amount"] = json!("0"),
        "coin uswing amount is not positive",
    );
    check_refused(
        |state| state["bank"]["supply"] = json!([{"denom": "uswing", "amount": "1"}]),
        "app_state.bank.supply: genesis supply is incorrect",
    );
    check_refused(
        |state| state["swingset"]["params"]["inbound_queue_max"] = json!("0"),
        "app_state.swingset.params: inbound_queue_max",
    );
    check_refused(
        |state| state["swingset"]["vats"] = json!([{"name": "a", "bundle_id": "nope"}]),
        "app_state.swingset.vats[0].bundle_id: \"nope\" is no vat bundle",
    );
    check_refused(|state| state["consensus"] = json!({"params": 1}), "app_state.consensus: null expected");
    check_refused(|state| state["genutil"]["gen_txs"] = json!([{"body": 1}]), "app_state.genutil.gen_txs[0]: ");
    check_refused(
        |state| {
            state["staking"]["validators"] = json!([]);
            state["staking"]["delegations"] = json!([]);
            state["bank"]["balances"].as_array_mut().expect("a list").pop();
        },
        "validator set is empty after InitGenesis",
    );
}

#[test]
fn accounts_without_numbers_get_them_in_order() {
    let chain = genesis().start().expect("valid");
    let numbers = [1, 2].map(|seed| chain.signer(&Account::new(seed)).number);
    assert_eq!(numbers, [0, 1]);
}

#[test]
fn validators_of_the_document_must_be_those_of_the_state() {
    let mut genesis = genesis();
    genesis.validators = vec![ValidatorUpdate { public_key: vec![3; 32], power: 5 }];
    let refused = genesis.start().err().expect("refused").to_string();
    assert!(refused.starts_with("validators: "), "{refused}");
}

#[test]
fn a_genesis_that_is_no_json_is_refused() {
    use swing_core::{
        genesis::init_chain,
        ports::Ports,
        state::{Empty, State},
    };
    let mut request = genesis().request();
    request.app_state = b"{\"auth\":".to_vec();
    let mut state = State::new(&Empty);
    let mut engine = crate::engine::CountingEngine::default();
    let mut ports =
        Ports { engine: &mut engine, signatures: &crate::signers::K256, release: &crate::release::TestRelease };
    let refused = init_chain(&mut state, &request, &mut ports).unwrap_err().to_string();
    assert!(refused.starts_with("app_state: a JSON object expected"), "{refused}");
}

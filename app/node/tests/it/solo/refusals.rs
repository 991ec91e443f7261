//! Homes that the solo engine does not run.

use crate::support::{
    counting::Fate,
    solo::{SoloHome, key, update},
};

#[test]
fn a_set_with_another_validator_is_refused_by_its_address() {
    let mut home = SoloHome::new();
    home.app.validators.push(update([9; 32], 5));
    let error = home.refusal();
    assert!(error.contains("and the chain's set holds also"), "{error}");
    assert!(error.ends_with("use --engine cometbft for a network"), "{error}");
    assert_eq!(home.app.disk().height, 0);
}

#[test]
fn a_set_without_the_homes_validator_is_refused() {
    let mut home = SoloHome::new();
    home.app.validators.clear();
    let own = hex::encode_upper(key().address().as_bytes());
    let error = home.refusal();
    assert!(error.starts_with(&format!("the validator set does not hold this home's validator {own}")), "{error}");
}

#[test]
fn a_key_that_has_signed_with_another_engine_is_refused() {
    let home = SoloHome::new();
    std::fs::write(home.home().priv_validator_state(), r#"{"height":"7","round":0,"step":3}"#).expect("written");
    assert!(home.refusal().contains("this home's key has signed block 7 with another engine"));
}

#[test]
fn another_genesis_than_the_chains_is_refused() {
    let home = SoloHome::new();
    home.run_into(Fate::FailInFinalize(3));
    home.write_genesis("solo-2");
    assert!(home.refusal().starts_with("genesis.json is not the one that this chain began with (chain solo-1)"));
}

#[test]
fn two_engines_on_one_home_are_impossible() {
    let home = SoloHome::new();
    let _node = home.start(None).expect("the first starts");
    assert!(home.refusal().ends_with("another swingd runs on this home; stop it first"));
}

#[test]
fn a_wrong_rpc_address_is_named() {
    let home = SoloHome::new();
    home.set("rpc.laddr", "unix:///tmp/rpc");
    assert_eq!(home.refusal(), "rpc.laddr \"unix:///tmp/rpc\": expected tcp://host:port");
}

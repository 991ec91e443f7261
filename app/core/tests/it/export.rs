//! An exported chain starts again with the same accounts.

use swing_core::{genesis::export, modules::bank};

use crate::{
    accounts::{Account, Draft, send},
    chain::{Chain, Genesis},
    swingset::deliver,
};

#[track_caller]
fn check_restarts(for_zero_height: bool, initial_height: u64) {
    let (alice, bob) = (Account::new(1), Account::new(2));
    let mut chain = Chain::new(&[&alice, &bob]);
    let tx =
        chain.sign(&Draft::new(vec![send(&alice, &bob.address, 7), deliver(&alice, "counter", "increment")]), &alice);
    assert_eq!(chain.deliver(tx).code, 0);
    let exported = export(&chain.state, for_zero_height).expect("exports");
    assert_eq!(exported.initial_height, initial_height);
    assert_eq!(exported.validators.len(), 1);
    assert_eq!(exported.validators[0].power, 5);
    let genesis = Genesis {
        app_state: exported.app_state.clone(),
        max_gas: -1,
        chain_id: "test-2".to_owned(),
        initial_height,
        validators: Vec::new(),
    };
    let mut again = genesis.start().expect("an export is a genesis");
    for account in [&alice, &bob] {
        assert_eq!(again.balance(&account.address), chain.balance(&account.address));
        let (old, new) = (chain.signer(account), again.signer(account));
        assert_eq!((old.number, old.sequence), (new.number, new.sequence));
    }
    assert_eq!(bank::keeper::total_supply(&again.state), bank::keeper::total_supply(&chain.state));
    assert_eq!(again.genesis.validator_updates, chain.genesis.validator_updates);
    let engine = |chain: &Chain| -> Vec<_> {
        chain
            .state
            .iter()
            .filter(|(key, _)| key.starts_with(b"swingset/"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    assert_eq!(engine(&again), engine(&chain));
    let second = export(&again.state, for_zero_height).expect("exports");
    assert_eq!(second.app_state, exported.app_state);
    let mut draft = Draft::new(vec![send(&alice, &bob.address, 7)]);
    draft.chain_id = "test-2".to_owned();
    let tx = again.sign(&draft, &alice);
    assert_eq!(again.deliver(tx).code, 0);
}

#[test]
fn an_export_starts_again_at_the_next_height() {
    check_restarts(false, 2);
}

#[test]
fn an_export_for_zero_height_starts_again_at_height_one() {
    check_restarts(true, 1);
}

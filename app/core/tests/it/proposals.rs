//! Which transactions a proposal may have.

use swing_core::proposals::{Limits, ProposalError, prepare, process};

use crate::{
    accounts::{Account, Draft, send},
    chain::{Chain, Genesis},
};

const OPEN: Limits = Limits { bytes_max: None, gas_max: None };

fn txs() -> Vec<Vec<u8>> {
    let (alice, bob) = (Account::new(1), Account::new(2));
    let chain = Chain::new(&[&alice, &bob]);
    (1..=4).map(|amount| chain.sign(&Draft::new(vec![send(&alice, &bob.address, amount)]), &alice)).collect()
}

#[test]
fn what_is_no_transaction_is_left_out_and_refused() {
    let good = txs();
    let mut mixed = good.clone();
    mixed.insert(1, vec![0]);
    mixed.insert(3, Vec::new());
    assert_eq!(prepare(mixed.clone(), OPEN), good);
    assert_eq!(process(&good, OPEN), Ok(()));
    let refused = process(&mixed, OPEN);
    assert_eq!(refused, Err(ProposalError::Transaction { index: 1, reason: "it does not decode" }));
}

#[test]
fn a_short_signature_is_left_out() {
    let mut tx = txs().remove(0);
    let length = tx.len();
    tx.truncate(length - 1);
    tx[length - 65] = 63;
    assert!(prepare(vec![tx.clone()], OPEN).is_empty());
    assert_eq!(
        process(&[tx], OPEN),
        Err(ProposalError::Transaction { index: 0, reason: "a signature has not 64 bytes" })
    );
}

#[test]
fn bytes_and_gas_bound_a_proposal() {
    let txs = txs();
    let two = txs.iter().take(2).map(|tx| tx.len() as u64 + 3).sum();
    assert_eq!(prepare(txs.clone(), Limits { bytes_max: Some(two), ..OPEN }).len(), 2);
    assert_eq!(prepare(txs.clone(), Limits { bytes_max: Some(two - 1), ..OPEN }).len(), 1);
    let limits = Limits { gas_max: Some(900_000), ..OPEN };
    let chosen = prepare(txs.clone(), limits);
    assert_eq!(chosen.len(), 3);
    assert_eq!(process(&chosen, limits), Ok(()));
    assert_eq!(process(&txs, limits), Err(ProposalError::Gas { wanted: 1_200_000, max: 900_000 }));
}

#[test]
fn the_gas_of_a_block_is_bounded_by_the_consensus_parameters_of_genesis() {
    let limits = |max_gas: i64| {
        let genesis = Genesis { max_gas, ..Genesis::with(&[&Account::new(1)]) };
        Limits::of(&genesis.start().expect("valid").state, Some(7)).expect("no fault")
    };
    assert_eq!(limits(900_000), Limits { bytes_max: Some(7), gas_max: Some(900_000) });
    assert_eq!(limits(-1), Limits { bytes_max: Some(7), gas_max: None });
}

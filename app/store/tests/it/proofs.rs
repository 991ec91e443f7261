//! ICS-23 proofs, verified by the ics23 crate against the root.

use bytes::Bytes;
use ics23::{CommitmentProof, HostFunctionsManager, ProofSpec, verify_membership, verify_non_membership};
use prost_ics23::Message;
use swing_core::state::Changes;
use swing_store::{
    Pruning, StoreError, View,
    proof::{EMPTY_VALUE, proof_spec},
};

use crate::{
    blocks::block,
    support::{Model, Temporary, apply, changes},
};

fn spec() -> ProofSpec {
    ProofSpec::decode(proof_spec().as_slice()).expect("an encoded ProofSpec")
}

/// Proves a key and verifies; the proof must hold for nothing else.
#[track_caller]
pub fn check(view: &View, key: &[u8], expected: Option<&[u8]>) {
    let (value, proof) = view.prove(key).expect("a proof");
    assert_eq!(value.as_deref(), expected, "{}", key.escape_ascii());
    let proof = CommitmentProof::decode(proof.as_slice()).expect("an encoded CommitmentProof");
    let (spec, root) = (spec(), view.root_hash().to_vec());
    let is_member = |value: &[u8]| verify_membership::<HostFunctionsManager>(&proof, &spec, &root, key, value);
    let is_absent = |key: &[u8]| verify_non_membership::<HostFunctionsManager>(&proof, &spec, &root, key);
    match expected {
        Some(value) => {
            let committed = if value.is_empty() { EMPTY_VALUE.as_slice() } else { value };
            assert!(is_member(committed), "presence of {}", key.escape_ascii());
            assert!(!is_member(b"another value"));
            assert!(!is_absent(key));
        }
        None => {
            assert!(is_absent(key), "absence of {}", key.escape_ascii());
            assert!(!is_member(b""));
        }
    }
    let mut other_root = root.clone();
    other_root[0] ^= 1;
    assert!(!verify_membership::<HostFunctionsManager>(&proof, &spec, &other_root, key, expected.unwrap_or_default()));
    assert!(!verify_non_membership::<HostFunctionsManager>(&proof, &spec, &other_root, key));
}

#[test]
fn the_spec_is_that_of_jmt() {
    assert_eq!(spec(), jmt::ics23_spec());
}

#[test]
fn presence_and_absence_are_proved_for_every_kept_version_through_churn_and_pruning() {
    let temporary = Temporary::new(Pruning::Everything);
    let mut models = vec![Model::new()];
    for version in 1..=25u64 {
        temporary.commit(version, block(version));
        let mut model = models.last().cloned().unwrap_or_default();
        apply(&mut model, &block(version));
        models.push(model);
        let kept = (0u64..).zip(&models).filter(|(at, _)| *at > 0 && version - at < 2);
        for (at, model) in kept {
            let view = temporary.store.at(at).expect("kept");
            for key in (0..400).step_by(7).map(|n| format!("bank/{n}").into_bytes()) {
                check(&view, &key, model.get(&key).map(|value| value.as_ref()));
            }
        }
    }
}

#[test]
fn a_key_deleted_and_made_again_still_proves_its_neighbours_absence() {
    let temporary = Temporary::new(Pruning::Everything);
    let mut version = 0;
    let mut commit = |list: Changes| {
        version += 1;
        temporary.commit(version, list);
        // With one key or none beside it, every absent key's proof needs the preimage of that one.
        let view = temporary.store.latest();
        if view.root_hash() != swing_store::tree::PLACEHOLDER {
            check(&view, b"absent", None);
        }
    };
    for round in 0..8 {
        commit(changes([("only", Some("1"))]));
        (0..round % 4).for_each(|_| commit(Changes::new()));
        commit(changes([("only", None)]));
        (0..round / 2).for_each(|_| commit(Changes::new()));
    }
    commit(changes([("only", Some("2"))]));
    (0..5).for_each(|_| commit(Changes::new()));
}

#[test]
fn a_tree_of_one_leaf_proves_both_ways() {
    let temporary = Temporary::new(Pruning::Default);
    temporary.commit(1, changes([("only", Some("1"))]));
    let view = temporary.store.latest();
    check(&view, b"only", Some(b"1"));
    for absent in 0..20u8 {
        check(&view, &[b'x', absent], None);
    }
}

#[test]
fn empty_values_and_values_that_look_like_their_stand_in_are_told_apart() {
    let temporary = Temporary::new(Pruning::Default);
    let stand_in = Bytes::from_static(EMPTY_VALUE);
    let root = temporary.commit(1, Changes::from([(b"k".to_vec(), Some(Bytes::new()))]));
    let view = temporary.store.latest();
    check(&view, b"k", Some(b""));
    let other = temporary.commit(2, Changes::from([(b"k".to_vec(), Some(stand_in.clone()))]));
    assert_ne!(root, other);
    let (value, proof) = temporary.store.latest().prove(b"k").expect("a proof");
    assert_eq!(value, Some(stand_in));
    let proof = CommitmentProof::decode(proof.as_slice()).expect("decodes");
    assert!(!verify_membership::<HostFunctionsManager>(&proof, &spec(), &other.to_vec(), b"k", EMPTY_VALUE));
    let twice = EMPTY_VALUE.repeat(2);
    assert!(verify_membership::<HostFunctionsManager>(&proof, &spec(), &other.to_vec(), b"k", &twice));
}

#[test]
fn what_cannot_be_proved_is_an_error_that_says_so() {
    let temporary = Temporary::new(Pruning::Default);
    temporary.commit(1, changes([("~page", Some("1"))]));
    let view = temporary.store.latest();
    assert!(matches!(view.prove(b"~page"), Err(StoreError::NotInTree)));
    assert!(matches!(view.prove(b""), Err(StoreError::EmptyKey)));
    assert!(matches!(view.prove(b"a"), Err(StoreError::EmptyTree { version: 1 })));
}

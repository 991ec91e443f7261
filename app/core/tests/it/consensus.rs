//! Consensus parameters: who may change them, to what, and what stays.

use prost::Message;
use swing_core::{
    modules::{
        consensus::{genesis, handler, state as consensus},
        upgrade::mark::Told,
    },
    state::{Empty, State},
};
use swing_proto::{
    cosmos::consensus::v1::MsgUpdateParams,
    google::protobuf::Duration,
    tendermint::types::{AbciParams, BlockParams, ConsensusParams, EvidenceParams, ValidatorParams, VersionParams},
};

use crate::support::{Memory, block, gov, line, message, refusal, write};

fn params() -> ConsensusParams {
    ConsensusParams {
        block: Some(BlockParams { max_bytes: 22_020_096, max_gas: -1 }),
        evidence: Some(EvidenceParams {
            max_age_num_blocks: 100_000,
            max_age_duration: Some(Duration { seconds: 172_800, nanos: 0 }),
            max_bytes: 1_048_576,
        }),
        validator: Some(ValidatorParams { pub_key_types: vec!["ed25519".to_owned()] }),
        version: Some(VersionParams { app: 7 }),
        abci: Some(AbciParams { vote_extensions_enable_height: 0 }),
    }
}

fn memory() -> Memory {
    let mut memory = Memory::new();
    write(&mut memory, |state| genesis::set_initial(state, &params())).expect("valid parameters");
    memory
}

fn update(params: &ConsensusParams) -> MsgUpdateParams {
    MsgUpdateParams {
        authority: gov(),
        block: params.block,
        evidence: params.evidence,
        validator: params.validator.clone(),
        abci: params.abci,
    }
}

#[test]
fn governance_changes_all_but_the_app_version() {
    let mut memory = memory();
    let mut wanted = params();
    wanted.block = Some(BlockParams { max_bytes: 1_048_576, max_gas: 5 });
    wanted.abci = None;
    let request = update(&wanted);
    let told = Told::before(&memory, 5).expect("memory");
    let (_, events) =
        message(&mut memory, &block(5), |context| handler::update_params(context, &request)).expect("gov");
    wanted.abci = params().abci;
    assert_eq!(consensus::params(&memory), Ok(wanted.clone()));
    assert_eq!(consensus::app_version(&memory), Ok(7));
    assert!(line(&events[0]).starts_with("update_consensus_params authority=swing10d07y265"), "{events:?}");
    assert_eq!(told.update(&memory, 6), Ok(Some(wanted.encode_to_vec())));
    assert_eq!(Told::before(&memory, 6).and_then(|told| told.update(&memory, 7)), Ok(None));
}

#[test]
fn nobody_else_changes_them() {
    let request = MsgUpdateParams { authority: "swing1x".to_owned(), ..update(&params()) };
    let refused = refusal(message(&mut memory(), &block(5), |context| handler::update_params(context, &request)));
    assert_eq!((refused.codespace, refused.code), ("gov", 13));
}

#[track_caller]
fn check_refused(reason: &str, change: impl FnOnce(&mut ConsensusParams)) {
    let mut params = params();
    change(&mut params);
    let refused =
        refusal(message(&mut memory(), &block(5), |context| handler::update_params(context, &update(&params))));
    assert!(refused.log.contains(reason), "{}", refused.log);
    assert_eq!((refused.codespace, refused.code), ("sdk", 18));
}

#[test]
fn parameters_that_cometbft_or_this_chain_cannot_take_are_refused() {
    let block = |max_bytes, max_gas| Some(BlockParams { max_bytes, max_gas });
    check_refused("block.max_bytes", |params| params.block = block(0, -1));
    check_refused("block.max_bytes", |params| params.block = block(-2, -1));
    check_refused("block.max_bytes", |params| params.block = block(104_857_601, -1));
    check_refused("block.max_gas", |params| params.block = block(1_048_576, -2));
    check_refused("evidence.max_bytes", |params| params.block = block(1_048_575, -1));
    check_refused("all parameters must be present", |params| params.block = None);
    check_refused("all parameters must be present", |params| params.validator = None);
    check_refused("pub_key_types", |params| params.validator = Some(ValidatorParams { pub_key_types: Vec::new() }));
    check_refused("vote_extensions", |params| params.abci = Some(AbciParams { vote_extensions_enable_height: 9 }));
    let evidence = params().evidence.expect("set above");
    check_refused("max_age_num_blocks", |params| {
        params.evidence = Some(EvidenceParams { max_age_num_blocks: 0, ..evidence });
    });
    check_refused("max_age_duration", |params| {
        params.evidence = Some(EvidenceParams { max_age_duration: None, ..evidence });
    });
    // CometBFT reads it as 64 bits of nanoseconds, and would end on every node.
    for (seconds, nanos) in [(9_223_372_036, 854_775_808), (10_000_000_000, 0), (5, -1), (-1, 999_999_999)] {
        check_refused("max_age_duration", |params| {
            let max_age_duration = Some(Duration { seconds, nanos });
            params.evidence = Some(EvidenceParams { max_age_duration, ..evidence });
        });
    }
}

#[test]
fn init_chain_always_answers_with_the_genesis_app_version() {
    let mut state = State::new(&Empty);
    let answer = genesis::set_initial(&mut state, &params()).expect("valid");
    assert_eq!(answer.version, Some(VersionParams { app: 7 }));
    let unnamed = ConsensusParams { version: None, ..params() };
    let answer = genesis::set_initial(&mut state, &unnamed).expect("valid");
    assert_eq!(answer.version, Some(VersionParams { app: 0 }));
    let error = genesis::set_initial(&mut state, &ConsensusParams::default()).expect_err("nothing in it");
    assert!(error.to_string().starts_with("consensus.params: all parameters"), "{error}");
}

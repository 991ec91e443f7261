//! Governance, each part in its file; here the recorded chain's parameters and its one validator.

mod export;
mod life;
mod recorded;
mod refused;
mod tally;

use crate::support::{Memory, NoEngine, TestRelease, block, commit, gov as authority, line, message, refusal, write};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost::Message;
use serde_json::{Value, json};
use swing_core::{
    address::{Address, module_address},
    block::Time,
    error::Rejected,
    event::Event,
    math::{Dec, Int},
    modules::{
        BlockContext, GenesisContext, QueryContext,
        bank::{self, keeper},
        gov::{self, genesis, handler, query, state},
        staking, upgrade,
    },
    router,
    state::State,
};
use swing_proto::{
    cosmos::{
        bank::v1beta1::MsgSend,
        gov::{
            v1::{
                MsgCancelProposal, MsgDeposit, MsgSubmitProposal, MsgUpdateParams, MsgVote, MsgVoteWeighted, Params,
                Proposal, ProposalStatus, QueryParamsRequest, QueryProposalRequest, QueryProposalsRequest,
                QueryTallyResultRequest, QueryVoteRequest, QueryVotesRequest, VoteOption, WeightedVoteOption,
            },
            v1beta1,
        },
        tx::v1beta1::{TxBody, TxRaw},
        upgrade::v1beta1::{MsgSoftwareUpgrade, Plan},
    },
    google::protobuf::{Any, Duration, Timestamp},
};

const ALICE: &str = "swing19rl4cm2hmr8afy4kldpxz3fka4jguq0aptwtvd";

const BOB: &str = "swing1avgyh77ycn997ja45q5q8ss8y9mr424ja3p9xe";

const EXPORT: &str = include_str!("../../../../../tests/vectors/export.json");

const GENESIS: &str = include_str!("../../../../../tests/vectors/genesis.json");

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}

fn fund(memory: &mut Memory, to: &Address, amount: u64) {
    let bytes = Int::from(amount).to_be_bytes_trimmed();
    write(memory, |state| state.set(bank::keys::balance(to, "uswing"), bytes)).expect("memory");
}

fn balance(memory: &Memory, of: &Address) -> u64 {
    keeper::balance(memory, of, "uswing").expect("memory").to_u64().expect("small")
}

fn init(memory: &mut Memory, section: &Value) -> Result<(), String> {
    let (mut engine, release, block) = (NoEngine, TestRelease::default(), block(0));
    let mut state = State::new(memory);
    let mut context = GenesisContext { state: &mut state, block: &block, engine: &mut engine, release: &release };
    genesis::init(&mut context, section).map_err(|error| error.to_string())?;
    let changes = state.into_changes();
    commit(memory, changes);
    Ok(())
}

/// The recorded chain's governance over its one validator: 50,001,000 tokens, 1,000 of them bob's.
fn chain() -> Memory {
    let mut memory = Memory::new();
    fund(&mut memory, &address(ALICE), 1_000_000_000);
    fund(&mut memory, &address(BOB), 1_000_000_000);
    fund(&mut memory, &module_address("bonded_tokens_pool"), 50_001_000);
    write(&mut memory, |state| {
        state.set(bank::keys::supply("uswing"), Int::from(2_050_001_000_u64).to_be_bytes_trimmed())
    })
    .expect("memory");
    let (mut engine, release, start) = (NoEngine, TestRelease::default(), block(0));
    let mut state = State::new(&memory);
    let mut context = GenesisContext { state: &mut state, block: &start, engine: &mut engine, release: &release };
    staking::genesis::init(&mut context, &parse(EXPORT)["app_state"]["staking"]).expect("an SDK export");
    let changes = state.into_changes();
    commit(&mut memory, changes);
    init(&mut memory, &parse(GENESIS)["app_state"]["gov"]).expect("an SDK genesis");
    memory
}

fn at(seconds: i64) -> BlockContext {
    BlockContext { time: Time { seconds: 1_700_000_000 + seconds, nanos: 0 }, ..block(5) }
}

fn uswing(amount: u64) -> Vec<swing_proto::cosmos::base::v1beta1::Coin> {
    vec![swing_proto::cosmos::base::v1beta1::Coin { denom: "uswing".to_owned(), amount: amount.to_string() }]
}

fn upgrade_message(name: &str, height: i64) -> Any {
    // Clients of the SDK send Go's zero time.
    let time = Some(Timestamp { seconds: -62_135_596_800, nanos: 0 });
    let plan = Plan { name: name.to_owned(), time, height, ..Plan::default() };
    swing_proto::pack(&MsgSoftwareUpgrade { authority: authority(), plan: Some(plan) })
}

fn proposal(messages: Vec<Any>, deposit: u64) -> MsgSubmitProposal {
    MsgSubmitProposal {
        messages,
        initial_deposit: uswing(deposit),
        proposer: ALICE.to_owned(),
        title: "t".to_owned(),
        summary: "s".to_owned(),
        ..MsgSubmitProposal::default()
    }
}

#[track_caller]
fn submit(memory: &mut Memory, seconds: i64, request: MsgSubmitProposal) -> u64 {
    message(memory, &at(seconds), |context| handler::submit_proposal(context, request))
        .expect("submitted")
        .0
        .proposal_id
}

#[track_caller]
fn vote(memory: &mut Memory, proposal_id: u64, voter: &str, option: VoteOption) {
    let request = MsgVote { proposal_id, voter: voter.to_owned(), option: option.into(), metadata: String::new() };
    message(memory, &at(1), |context| handler::vote(context, request)).expect("voted");
}

#[track_caller]
fn end(memory: &mut Memory, seconds: i64) -> Vec<String> {
    end_at(memory, at(seconds).time)
}

#[track_caller]
fn end_at(memory: &mut Memory, time: Time) -> Vec<String> {
    let mut engine = NoEngine;
    let mut state = State::new(memory);
    let start = state.mark();
    gov::end_block(&mut state, &BlockContext { time, ..block(33) }, &mut engine).expect("no fault");
    let events = state.take_events(start).iter().map(line).collect();
    let changes = state.into_changes();
    commit(memory, changes);
    events
}

fn stored(memory: &Memory, id: u64) -> Proposal {
    state::proposal(memory, id).expect("memory").expect("a proposal")
}

fn counts(memory: &Memory, id: u64) -> [String; 4] {
    let result = stored(memory, id).final_tally_result.expect("set since submission");
    [result.yes_count, result.abstain_count, result.no_count, result.no_with_veto_count]
}

#[track_caller]
fn ask(memory: &Memory, package: &str, method: &str, request: &impl Message) -> Result<Value, String> {
    let (block, path) = (at(100), format!("/{package}.Query/{method}"));
    let context = QueryContext { state: memory, block: &block };
    let bytes = query::query(&context, &path, &request.encode_to_vec()).map_err(|error| error.message)?;
    let response = format!("{package}.Query{method}Response");
    Ok(swing_proto::json::wire_to_json(&response, &bytes).expect("its own encoding"))
}

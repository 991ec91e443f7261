//! Plans, each part in its file; here how they are scheduled and how a genesis is written.

mod begin;
mod export;
mod marked;
mod migrating;
mod numbered;
mod plans;
mod readiness;

use crate::support::{Memory, NoEngine, TestRelease, block, commit, gov, line, message, ports, refusal, write};
use prost::Message;
use serde_json::json;
use swing_core::{
    block::Next,
    error::Rejected,
    modules::{
        BlockContext, GenesisContext, QueryContext, consensus,
        upgrade::{
            genesis, handler, migration, migrations, plans as numbers,
            preblock::{self, PreBlock},
            query, state as upgrades,
        },
    },
    ports::upgrade::{Decision, Plan},
    query::Status,
    state::State,
};
use swing_proto::{
    cosmos::upgrade::v1beta1::{
        MsgCancelUpgrade, MsgSoftwareUpgrade, Plan as PlanProto, QueryAppliedPlanRequest, QueryAppliedPlanResponse,
        QueryAuthorityResponse, QueryCurrentPlanResponse, QueryModuleVersionsRequest, QueryModuleVersionsResponse,
    },
    google::protobuf::{Any, Timestamp},
    pack,
    swing::upgrade::v1::{
        MsgAttestUpgrade, MsgCancelPlan, MsgSchedulePlan, MsgUpdateParams, Params, PlanRecord, PlanStatus,
        QueryHistoryRequest, QueryHistoryResponse, QueryMigrationResponse, QueryPlanRequest, QueryPlanResponse,
        QueryPlansResponse, QueryReadinessRequest, QueryReadinessResponse,
    },
};

fn plan(name: &str, height: u64) -> Plan {
    Plan { name: name.to_owned(), height, info: "i".to_owned() }
}

fn software_upgrade(name: &str, height: i64) -> MsgSoftwareUpgrade {
    let plan = PlanProto { name: name.to_owned(), height, info: "i".to_owned(), ..PlanProto::default() };
    MsgSoftwareUpgrade { authority: gov(), plan: Some(plan) }
}

#[track_caller]
fn schedule(memory: &mut Memory, height: u64, name: &str, plan_height: i64) -> Vec<String> {
    let request = software_upgrade(name, plan_height);
    let (_, events) =
        message(memory, &block(height), |context| handler::software_upgrade(context, &request)).expect("scheduled");
    events.iter().map(line).collect()
}

/// State under the rules that version-2 brings: plans have numbers, and no notice is asked for.
fn numbered() -> Memory {
    let mut memory = Memory::new();
    write(&mut memory, |state| {
        let versions = [("bank".to_owned(), 4), ("upgrade".to_owned(), 3)];
        upgrades::set_versions(state, &versions.into()).expect("memory");
        migrations::to_3(state).expect("memory");
    });
    set_notice(&mut memory, 0);
    memory
}

fn set_notice(memory: &mut Memory, notice_blocks_min: u64) {
    let update = MsgUpdateParams { authority: gov(), params: Some(Params { notice_blocks_min }) };
    run(memory, 1, &update).expect("governance may");
}

/// A message through the module's handler, in a block of its own; gives its events.
fn run<M: prost::Message + prost::Name>(
    memory: &mut Memory,
    height: u64,
    request: &M,
) -> Result<Vec<String>, swing_core::error::Failure> {
    let request = pack(request);
    let block = BlockContext { app_version: 2, ..block(height) };
    let (_, events) = message(memory, &block, |context| handler::handle(context, &request))?;
    Ok(events.iter().map(line).collect())
}

/// A block's end.
fn end(memory: &mut Memory, height: u64) -> Vec<String> {
    let (context, mut state) = (block(height), State::new(memory));
    let start = state.mark();
    preblock::end_block(&mut state, &context).expect("no fault");
    let events = state.take_events(start).iter().map(line).collect();
    let changes = state.into_changes();
    commit(memory, changes);
    events
}

/// A block's begin; keeps what it wrote unless it fails.
fn begin(
    memory: &mut Memory,
    height: u64,
    release: &TestRelease,
    skip: &[u64],
) -> Result<(PreBlock, Vec<String>), String> {
    let mut engine = NoEngine;
    let mut state = State::new(memory);
    let start = state.mark();
    let result = preblock::pre_block(&mut state, &block(height), &mut ports(&mut engine, release), skip);
    let result = result.map_err(|halt| halt.to_string())?;
    let events = state.take_events(start).iter().map(line).collect();
    let changes = state.into_changes();
    commit(memory, changes);
    Ok((result, events))
}

fn ask<R: Message + Default>(memory: &Memory, path: &str, request: &impl Message) -> Result<R, (Status, String)> {
    let block = block(50);
    let context = QueryContext { state: memory, block: &block };
    let bytes =
        query::query(&context, path, &request.encode_to_vec()).map_err(|error| (error.status, error.message))?;
    Ok(R::decode(bytes.as_slice()).expect("its own encoding"))
}

fn ours<R: Message + Default>(memory: &Memory, method: &str, request: &impl Message) -> Result<R, (Status, String)> {
    ask(memory, &format!("/swing.upgrade.v1.Query/{method}"), request)
}

/// Every plan that ever was, by number.
fn history(memory: &Memory) -> Vec<PlanRecord> {
    ours::<QueryHistoryResponse>(memory, "History", &QueryHistoryRequest::default()).expect("an answer").plans
}

/// Numbers of the pending plans, the nearest first; and whether the one that decisions are made about is the nearest.
#[track_caller]
fn pending(memory: &Memory) -> Vec<u64> {
    let pending = ours::<QueryPlansResponse>(memory, "Plans", &()).expect("an answer").plans;
    let nearest = pending.first().map(|record| (record.name.clone(), u64::try_from(record.height).expect("positive")));
    let decided = upgrades::plan(memory).expect("memory").map(|plan| (plan.name, plan.height));
    assert_eq!(decided, nearest, "decisions are made about the nearest plan");
    pending.iter().map(|record| record.id).collect()
}

fn genesis(memory: &mut Memory, section: &serde_json::Value, app_version: u64) -> Result<(), String> {
    let block = BlockContext { app_version, ..block(0) };
    let (mut engine, release) = (NoEngine, TestRelease::default());
    let mut state = State::new(memory);
    let mut context = GenesisContext { state: &mut state, block: &block, engine: &mut engine, release: &release };
    genesis::init(&mut context, section).map_err(|error| error.to_string())?;
    let changes = state.into_changes();
    commit(memory, changes);
    Ok(())
}

//! Plans, each part in its file; here how they are scheduled and how a genesis is written.

mod begin;
mod export;
mod plans;

use crate::support::{Memory, NoEngine, TestRelease, block, commit, gov, line, message, ports, refusal, write};
use prost::Message;
use serde_json::json;
use swing_core::{
    block::Next,
    error::Rejected,
    modules::{
        BlockContext, GenesisContext, QueryContext, consensus,
        upgrade::{
            genesis, handler,
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

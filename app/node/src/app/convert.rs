//! ABCI's protobuf to domain types, and back. The only place that knows both.

use bytes::Bytes;
use prost::Message;
use swing_core::{
    block::{Block, BlockOutput, Time, TxResult, ValidatorUpdate},
    error::Halt,
    event::Event,
    execute::CheckMode,
    genesis::InitChain,
};
use swing_proto::{
    cosmos::base::abci::v1beta1::{Result as TxOutcome, TxMsgData},
    tendermint::abci as own,
};
use tendermint_proto::{
    google::protobuf::Timestamp,
    v0_38::{abci as pb, crypto, types},
};

/// A height of the engine, which is never negative.
pub(super) fn height(height: i64) -> Result<u64, Halt> {
    u64::try_from(height).map_err(|_| Halt::new(format!("the engine sent height {height}")))
}

/// A height for the engine.
pub(super) fn to_height(height: u64) -> Result<i64, Halt> {
    i64::try_from(height).map_err(|_| Halt::new(format!("height {height} is above the protocol's largest")))
}

pub(super) fn time(time: Option<Timestamp>) -> Result<Time, Halt> {
    let Some(Timestamp { seconds, nanos }) = time else {
        return Ok(Time::default());
    };
    let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
    nanos.map(|nanos| Time { seconds, nanos }).ok_or_else(|| Halt::new("the engine sent a time with wrong nanoseconds"))
}

pub(super) fn block(request: pb::RequestFinalizeBlock) -> Result<Block, Halt> {
    Ok(Block {
        height: height(request.height)?,
        time: time(request.time)?,
        proposer: request.proposer_address.to_vec(),
        hash: request.hash.to_vec(),
        txs: request.txs.iter().map(|tx| tx.to_vec()).collect(),
    })
}

pub(super) fn txs(txs: &[Bytes]) -> Vec<Vec<u8>> {
    txs.iter().map(|tx| tx.to_vec()).collect()
}

pub(super) fn init_chain(request: pb::RequestInitChain) -> Result<InitChain, Halt> {
    Ok(InitChain {
        chain_id: request.chain_id,
        time: time(request.time)?,
        initial_height: height(request.initial_height)?,
        consensus_params: request.consensus_params.map(|params| params.encode_to_vec()).unwrap_or_default(),
        validators: request.validators.into_iter().map(validator).collect::<Result<_, _>>()?,
        app_state: request.app_state_bytes.to_vec(),
    })
}

fn validator(update: pb::ValidatorUpdate) -> Result<ValidatorUpdate, Halt> {
    let power = u64::try_from(update.power).map_err(|_| Halt::new(format!("validator power {}", update.power)))?;
    match update.pub_key.and_then(|key| key.sum) {
        Some(crypto::public_key::Sum::Ed25519(public_key)) => Ok(ValidatorUpdate { public_key, power }),
        _ => Err(Halt::new("the engine sent a validator whose key is not an ed25519 key")),
    }
}

pub(super) fn check_mode(kind: i32) -> Result<CheckMode, Halt> {
    match pb::CheckTxType::try_from(kind) {
        Ok(pb::CheckTxType::New) => Ok(CheckMode::New),
        Ok(pb::CheckTxType::Recheck) => Ok(CheckMode::Recheck),
        Err(_) => Err(Halt::new(format!("the engine sent CheckTx of the unknown type {kind}"))),
    }
}

fn gas(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

fn event(event: Event) -> pb::Event {
    let attribute = |(key, value)| pb::EventAttribute { key, value, index: true };
    pb::Event { r#type: event.kind, attributes: event.attributes.into_iter().map(attribute).collect() }
}

fn events(events: Vec<Event>) -> Vec<pb::Event> {
    events.into_iter().map(event).collect()
}

pub(super) fn check_result(result: TxResult) -> pb::ResponseCheckTx {
    pb::ResponseCheckTx {
        code: result.code,
        data: result.data.into(),
        log: result.log,
        gas_wanted: gas(result.gas_wanted),
        gas_used: gas(result.gas_used),
        events: events(result.events),
        codespace: result.codespace,
        ..pb::ResponseCheckTx::default()
    }
}

fn tx_result(result: TxResult) -> pb::ExecTxResult {
    pb::ExecTxResult {
        code: result.code,
        data: result.data.into(),
        log: result.log,
        info: String::new(),
        gas_wanted: gas(result.gas_wanted),
        gas_used: gas(result.gas_used),
        events: events(result.events),
        codespace: result.codespace,
    }
}

pub(super) fn validator_updates(updates: Vec<ValidatorUpdate>) -> Result<Vec<pb::ValidatorUpdate>, Halt> {
    let convert = |update: ValidatorUpdate| {
        let power = i64::try_from(update.power).map_err(|_| Halt::new(format!("validator power {}", update.power)))?;
        let sum = Some(crypto::public_key::Sum::Ed25519(update.public_key));
        Ok(pb::ValidatorUpdate { pub_key: Some(crypto::PublicKey { sum }), power })
    };
    updates.into_iter().map(convert).collect()
}

/// Encoded consensus parameters; the chain's own package has the same fields.
pub(super) fn consensus_params(bytes: &[u8]) -> Result<types::ConsensusParams, Halt> {
    types::ConsensusParams::decode(bytes).map_err(|error| Halt::new(format!("consensus parameters: {error}")))
}

pub(super) fn block_output(output: BlockOutput, app_hash: Vec<u8>) -> Result<pb::ResponseFinalizeBlock, Halt> {
    Ok(pb::ResponseFinalizeBlock {
        events: events(output.events),
        tx_results: output.tx_results.into_iter().map(tx_result).collect(),
        validator_updates: validator_updates(output.validator_updates)?,
        consensus_param_updates: output.consensus_params.as_deref().map(consensus_params).transpose()?,
        app_hash: Bytes::from(app_hash),
    })
}

/// A transaction's outcome as the SDK tells of a simulation: its events in the engine's form.
pub(super) fn outcome(result: TxResult) -> Result<TxOutcome, Halt> {
    let data =
        TxMsgData::decode(result.data.as_slice()).map_err(|error| Halt::new(format!("a result's data: {error}")))?;
    let attribute = |(key, value)| own::EventAttribute { key, value, index: true };
    let event = |event: Event| own::Event {
        r#type: event.kind,
        attributes: event.attributes.into_iter().map(attribute).collect(),
    };
    Ok(TxOutcome {
        data: result.data,
        log: result.log,
        events: result.events.into_iter().map(event).collect(),
        msg_responses: data.msg_responses,
    })
}

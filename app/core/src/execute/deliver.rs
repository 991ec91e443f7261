//! One transaction in a block. Source: SDK `runTx`, `runMsgs`.
//!
//! # Invariants
//! - A refused transaction changes nothing; one whose message fails keeps what the ante handler did and nothing of its messages.
//! - Code, data, gas wanted and gas used depend on state and bytes only.

use prost::Message;
use swing_proto::{cosmos::base::abci::v1beta1::TxMsgData, google::protobuf::Any};

use crate::{
    address::Party,
    ante::{self, AnteContext},
    block::TxResult,
    error::{Failure, Halt, Rejected},
    event::Event,
    modules::{BlockContext, MsgContext},
    ports::engine::Engine,
    router,
    sdk_error::SdkError,
    state::State,
    tx::Tx,
};

/// What a transaction did and used, before it is told to ABCI.
pub(super) struct Outcome {
    pub(super) result: TxResult,
    /// Gas that counts against the block's: never above the transaction's own limit.
    pub(super) block_gas: u64,
}

fn refused(refused: Rejected, gas_wanted: u64, gas_used: u64) -> TxResult {
    TxResult {
        code: refused.code,
        codespace: refused.codespace.to_owned(),
        log: refused.log,
        gas_wanted,
        gas_used,
        ..TxResult::default()
    }
}

/// The result of bytes that are no transaction, or come when the block's gas is used up: nothing was metered.
pub(super) fn unmetered(reason: Rejected) -> TxResult {
    refused(reason, 0, 0)
}

/// Runs a transaction under a meter of `gas_limit`; `block_gas_left` is what the block has left for it.
pub(super) fn run(
    state: &mut State<'_>,
    context: &AnteContext<'_>,
    engine: &mut dyn Engine,
    tx: &Tx,
    gas_limit: u64,
    block_gas_left: Option<u64>,
) -> Result<Outcome, Halt> {
    let start = state.mark();
    state.meter(gas_limit);
    let result = match run_metered(state, context, engine, tx, block_gas_left) {
        Ok(result) => Ok(result),
        Err(Failure::Rejected(reason)) => Ok(Err(reason)),
        Err(Failure::Halt(halt)) => Err(halt),
    };
    let used = state.unmeter();
    let outcome = match result? {
        Ok(result) => TxResult { gas_wanted: tx.gas_limit(), gas_used: used, ..result },
        Err(reason) => {
            state.rollback(start);
            refused(reason, tx.gas_limit(), used)
        }
    };
    Ok(Outcome { result: outcome, block_gas: used.min(gas_limit) })
}

/// `Ok(Err(_))` is a refusal by the ante handler; a failed message is a result.
fn run_metered(
    state: &mut State<'_>,
    context: &AnteContext<'_>,
    engine: &mut dyn Engine,
    tx: &Tx,
    block_gas_left: Option<u64>,
) -> Result<Result<TxResult, Rejected>, Failure> {
    if let Err(reason) = ante::precheck(tx, context.block_gas_max) {
        return Ok(Err(reason));
    }
    let start = state.mark();
    ante::run(state, context, tx)?;
    let ante_events = state.take_events(start);
    let messages = state.mark();
    let done = run_messages(state, context.block, engine, tx).and_then(|done| {
        // Source: SDK `consumeBlockGas`, before the messages' writes are kept.
        match block_gas_left {
            Some(left) if state.gas_used() > left => Err(block_gas_exhausted(left, state.gas_used()).into()),
            _ => Ok(done),
        }
    });
    match done {
        Ok((data, events)) => {
            let events = ante_events.into_iter().chain(events).collect();
            Ok(Ok(TxResult { data, events, ..TxResult::default() }))
        }
        Err(Failure::Rejected(reason)) => {
            state.rollback(messages);
            Ok(Ok(TxResult { events: ante_events, ..refused(reason, 0, 0) }))
        }
        Err(halt) => Err(halt),
    }
}

/// The refusal of a transaction that finds the block's gas used up.
pub(super) fn block_gas_exhausted(left: u64, used: u64) -> Rejected {
    SdkError::OutOfGas.wrap(format!("out of gas in location: block gas meter; gasWanted: {left}, gasUsed: {used}"))
}

fn run_messages(
    state: &mut State<'_>,
    block: &BlockContext,
    engine: &mut dyn Engine,
    tx: &Tx,
) -> Result<(Vec<u8>, Vec<Event>), Failure> {
    let mut responses = Vec::with_capacity(tx.messages().len());
    let mut events = Vec::new();
    for (index, (message, read)) in tx.messages().iter().zip(tx.read_messages()?).enumerate() {
        let mark = state.mark();
        let mut context = MsgContext { state: &mut *state, block, engine: &mut *engine };
        let response =
            router::handle_read(&mut context, message, &read.content).map_err(|failure| wrap(failure, index))?;
        responses.push(response);
        tell(&mut events, message, tx.sender(read), state.take_events(mark), index);
    }
    let data = TxMsgData { msg_responses: responses, ..TxMsgData::default() };
    Ok((data.encode_to_vec(), events))
}

/// The message's index before its refusal. Running out of gas is the transaction's, not the message's, as in the SDK.
fn wrap(failure: Failure, index: usize) -> Failure {
    match failure {
        Failure::Rejected(reason) if reason.codespace != "sdk" || reason.code != SdkError::OutOfGas as u32 => {
            let log = format!("failed to execute message; message index: {index}: {}", reason.log);
            Failure::Rejected(Rejected { log, ..reason })
        }
        other => other,
    }
}

/// A message's events, after the one that names it. Source: SDK `createEvents`.
fn tell(events: &mut Vec<Event>, message: &Any, signer: Option<&Party>, own: Vec<Event>, index: usize) {
    let index = index.to_string();
    let mut named = Event::new("message").with("action", message.type_url.as_str());
    if let Some(signer) = signer {
        named = named.with("sender", signer.text.as_str());
    }
    let names_module = own.iter().flat_map(|event| &event.attributes).any(|(key, _)| key == "module");
    if let Some(module) = module_of(&message.type_url).filter(|_| !names_module) {
        named = named.with("module", module);
    }
    events.extend(std::iter::once(named).chain(own).map(|event| event.with("msg_index", index.as_str())));
}

/// The second part of the package: `bank` in `/cosmos.bank.v1beta1.MsgSend`. Source: SDK `GetModuleNameFromTypeURL`.
fn module_of(type_url: &str) -> Option<&str> {
    type_url.split('.').nth(1).filter(|module| !module.is_empty())
}

/// Runs a genesis transaction: without a gas limit, and its refusal is the genesis'.
pub(crate) fn deliver_genesis(
    state: &mut State<'_>,
    context: &AnteContext<'_>,
    engine: &mut dyn Engine,
    tx: &Tx,
) -> Result<TxResult, Halt> {
    Ok(run(state, context, engine, tx, u64::MAX, None)?.result)
}

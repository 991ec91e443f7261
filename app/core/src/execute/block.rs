//! The block pipeline. Source: SDK `FinalizeBlock`: pre-block, begin, transactions, end.

use swing_proto::tendermint::types::ConsensusParams;

use super::deliver::{self, block_gas_exhausted, unmetered};
use crate::{
    ante::{AnteContext, GasPrices, Mode},
    block::{Block, BlockOutput, TxResult, ValidatorUpdate},
    chain,
    error::Halt,
    event::Event,
    modules::{
        BlockContext, consensus, gov, staking, swingset,
        upgrade::{
            mark::Told,
            preblock::{self, PreBlock, pre_block},
        },
    },
    ports::Ports,
    state::{State, StateError},
};

/// The operator's flags that execution looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--unsafe-skip-upgrades`.
    pub skip_heights: Vec<u64>,
}

fn fault(error: StateError) -> Halt {
    Halt::new(error.to_string())
}

/// Executes a block in `state`, an overlay on the version committed before it. The caller persists the overlay's changes when
/// CometBFT commits, or drops them.
///
/// # Errors
/// [`Halt`] when this node must not or cannot execute the block: the process stops and answers nothing.
pub fn execute_block(
    state: &mut State<'_>,
    block: &Block,
    ports: &mut Ports<'_>,
    flags: &Flags,
) -> Result<BlockOutput, Halt> {
    let told = Told::before(state, block.height).map_err(fault)?;
    let mut context = chain::block_context(state, block).map_err(fault)?;
    let start = state.mark();
    match pre_block(state, &context, ports, &flags.skip_heights)? {
        PreBlock::Proceed(_) => {}
        PreBlock::Refuse(decision) => {
            return Err(Halt::new(format!(
                "{} must not execute block {}: {decision:?}",
                ports.release.name(),
                block.height
            )));
        }
    }
    context.app_version = consensus::state::app_version(state).map_err(fault)?;
    swingset::begin_block(state, &context, ports.engine)?;
    let mut events = mode_events(state.take_events(start), "BeginBlock");

    let tx_results = run_transactions(state, &context, block, ports)?;

    let end = state.mark();
    let validator_updates = end_block(state, &context, ports)?;
    events.extend(mode_events(state.take_events(end), "EndBlock"));
    chain::record_block(state, block).map_err(fault)?;
    let consensus_params = told.update(state, block.height.saturating_add(1)).map_err(fault)?;
    Ok(BlockOutput { tx_results, events, validator_updates, consensus_params })
}

/// The SDK says of each event of a block in which part it was emitted.
fn mode_events(events: Vec<Event>, mode: &str) -> Vec<Event> {
    events.into_iter().map(|event| event.with("mode", mode)).collect()
}

fn end_block(
    state: &mut State<'_>,
    context: &BlockContext,
    ports: &mut Ports<'_>,
) -> Result<Vec<ValidatorUpdate>, Halt> {
    swingset::end_block(state, context, ports.engine)?;
    gov::end_block(state, context, ports.engine)?;
    let updates = staking::validator_set::end_block(state, context)
        .map_err(|failure| Halt::new(format!("staking: {failure}")))?;
    // Last, so that it sees what governance decided and the powers of the new set.
    preblock::end_block(state, context)?;
    Ok(updates)
}

fn run_transactions(
    state: &mut State<'_>,
    context: &BlockContext,
    block: &Block,
    ports: &mut Ports<'_>,
) -> Result<Vec<TxResult>, Halt> {
    let gas_prices = GasPrices::default();
    let block_gas_max = gas_max(&consensus::state::params(state).map_err(fault)?);
    let ante = AnteContext {
        block: context,
        mode: Mode::Deliver,
        gas_prices: &gas_prices,
        block_gas_max,
        signatures: ports.signatures,
    };
    let mut block_gas = 0_u64;
    let mut results = Vec::with_capacity(block.txs.len());
    for raw in &block.txs {
        let left = block_gas_max.map(|max| max.saturating_sub(block_gas));
        if left == Some(0) {
            results.push(unmetered(block_gas_exhausted(0, block_gas)));
            continue;
        }
        let tx = match ports.signatures.transaction(raw) {
            Ok(tx) => tx,
            Err(reason) => {
                results.push(unmetered(reason));
                continue;
            }
        };
        let outcome = deliver::run(state, &ante, ports.engine, &tx, tx.gas_limit(), left)?;
        block_gas = block_gas.saturating_add(outcome.block_gas);
        results.push(outcome.result);
    }
    Ok(results)
}

/// The block's gas limit; −1 and 0 are none.
pub(crate) fn gas_max(params: &ConsensusParams) -> Option<u64> {
    params.block.and_then(|block| u64::try_from(block.max_gas).ok()).filter(|max| *max > 0)
}

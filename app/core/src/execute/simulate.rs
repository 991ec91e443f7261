//! What a transaction would do and cost. No signature is checked, and no guest or compiler is entered.

use super::deliver::{self, unmetered};
use crate::{
    ante::{AnteContext, GasPrices, Mode},
    block::TxResult,
    chain,
    error::Halt,
    modules::swingset::SimulatedEngine,
    ports::signatures::SignatureVerifier,
    state::{State, StateRead},
    tx::Tx,
};

/// The most gas that a simulation may use when the block has no limit: a caller pays nothing for it.
const GAS_MAX: u64 = 100_000_000;

/// Accepts every signature: a simulation's are empty.
struct NoSignatures;

impl SignatureVerifier for NoSignatures {
    fn verify_secp256k1(&self, _public_key: &[u8], _message: &[u8], _signature: &[u8]) -> bool {
        true
    }
}

/// Runs a transaction on committed state and forgets what it did.
///
/// # Errors
/// A fault of this node only; a refusal is a result.
pub fn simulate(committed: &dyn StateRead, raw: &[u8]) -> Result<TxResult, Halt> {
    let tx = match Tx::decode(raw) {
        Ok(tx) => tx,
        Err(reason) => return Ok(unmetered(reason)),
    };
    let fault = |error: crate::state::StateError| Halt::new(error.to_string());
    let block = chain::next_block(committed).map_err(fault)?;
    let block_gas_max = chain::block_gas_max(committed).map_err(fault)?;
    let gas_prices = GasPrices::default();
    let context = AnteContext {
        block: &block,
        mode: Mode::Simulate,
        gas_prices: &gas_prices,
        // The limit that the transaction names does not count yet.
        block_gas_max: None,
        signatures: &NoSignatures,
    };
    let mut state = State::new(committed);
    let limit = block_gas_max.unwrap_or(GAS_MAX).min(GAS_MAX);
    Ok(deliver::run(&mut state, &context, &mut SimulatedEngine, &tx, limit, None)?.result)
}

//! The mempool's state: what the transactions that CheckTx accepted since the last commit would leave behind.

use swing_core::{
    ante::GasPrices,
    block::TxResult,
    error::Halt,
    execute::{CheckMode, check_tx},
    ports::signatures::SignatureVerifier,
    state::{Changes, State},
};
use swing_store::View;

use super::committed::Committed;

/// An overlay on committed state that lives from one commit to the next.
#[derive(Debug)]
pub(super) struct Mempool {
    view: View,
    changes: Changes,
}

impl Mempool {
    pub(super) fn new(committed: &Committed) -> Self {
        Mempool { view: committed.view.clone(), changes: committed.genesis.clone().unwrap_or_default() }
    }

    /// Checks a transaction after those that were accepted before it.
    pub(super) fn check(
        &mut self,
        raw: &[u8],
        mode: CheckMode,
        gas_prices: &GasPrices,
        signatures: &dyn SignatureVerifier,
    ) -> Result<TxResult, Halt> {
        let mut state = State::resume(&self.view, std::mem::take(&mut self.changes));
        let result = check_tx(&mut state, raw, mode, gas_prices, signatures);
        self.changes = state.into_changes();
        result
    }
}

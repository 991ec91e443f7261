//! The mempool's state: what the transactions that CheckTx accepted since the last commit would leave behind.

use swing_core::{
    ante::GasPrices,
    block::TxResult,
    error::Halt,
    execute::{CheckContext, CheckMode},
    ports::signatures::SignatureVerifier,
    state::{Changes, State},
};
use swing_store::View;

use super::committed::Committed;

/// An overlay on committed state that lives from one commit to the next.
pub(super) struct Mempool {
    view: View,
    changes: Changes,
    /// What is the same until the next commit, once a transaction has come.
    context: Option<CheckContext>,
}

impl std::fmt::Debug for Mempool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mempool").field("changes", &self.changes.len()).finish_non_exhaustive()
    }
}

impl Mempool {
    pub(super) fn new(committed: &Committed) -> Self {
        Mempool { view: committed.view.clone(), changes: committed.genesis.clone().unwrap_or_default(), context: None }
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
        let context = self.context.take().map_or_else(|| CheckContext::of(&state), Ok);
        let result = context.and_then(|context| {
            let result = context.check(&mut state, raw, mode, gas_prices, signatures);
            self.context = Some(context);
            result
        });
        self.changes = state.into_changes();
        result
    }
}

//! A transaction for the mempool. ABCI: CheckTx. No message runs, no guest, no compiler.

use super::deliver::unmetered;
use crate::{
    ante::{self, AnteContext, GasPrices, Mode},
    block::TxResult,
    chain,
    error::{Failure, Halt, Rejected},
    modules::BlockContext,
    ports::signatures::SignatureVerifier,
    state::{State, StateError, StateRead},
    tx::Tx,
};

/// Why a transaction is checked. ABCI: `CheckTxType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckMode {
    /// It is new.
    New,
    /// It was in the mempool when a block was committed.
    Recheck,
}

/// Checks a transaction for the block after the committed one. `state` is the mempool's overlay on committed state: what is
/// accepted here is seen by the next transaction of the same account.
///
/// # Errors
/// A fault of this node only; a refusal is a result.
pub fn check_tx(
    state: &mut State<'_>,
    raw: &[u8],
    mode: CheckMode,
    gas_prices: &GasPrices,
    signatures: &dyn SignatureVerifier,
) -> Result<TxResult, Halt> {
    CheckContext::of(state)?.check(state, raw, mode, gas_prices, signatures)
}

/// What is the same for all transactions that are checked between two commits.
#[derive(Clone, Debug)]
pub struct CheckContext {
    block: BlockContext,
    block_gas_max: Option<u64>,
}

impl CheckContext {
    /// That of the block after a committed one.
    ///
    /// # Errors
    /// A fault of this node.
    pub fn of(state: &dyn StateRead) -> Result<Self, Halt> {
        let fault = |error: StateError| Halt::new(error.to_string());
        Ok(CheckContext {
            block: chain::next_block(state).map_err(fault)?,
            block_gas_max: chain::block_gas_max(state).map_err(fault)?,
        })
    }

    /// [`check_tx`] in this context.
    ///
    /// # Errors
    /// Those of [`check_tx`].
    pub fn check(
        &self,
        state: &mut State<'_>,
        raw: &[u8],
        mode: CheckMode,
        gas_prices: &GasPrices,
        signatures: &dyn SignatureVerifier,
    ) -> Result<TxResult, Halt> {
        match signatures.transaction(raw) {
            Ok(tx) => self.check_decoded(state, &tx, mode, gas_prices, signatures),
            Err(reason) => Ok(unmetered(reason)),
        }
    }

    fn check_decoded(
        &self,
        state: &mut State<'_>,
        tx: &Tx,
        mode: CheckMode,
        gas_prices: &GasPrices,
        signatures: &dyn SignatureVerifier,
    ) -> Result<TxResult, Halt> {
        let mode = match mode {
            CheckMode::New => Mode::Check,
            CheckMode::Recheck => Mode::Recheck,
        };
        let context =
            AnteContext { block: &self.block, mode, gas_prices, block_gas_max: self.block_gas_max, signatures };
        let start = state.mark();
        state.meter(tx.gas_limit());
        let checked: Result<(), Failure> =
            ante::precheck(tx, self.block_gas_max).map_err(Failure::from).and_then(|()| ante::run(state, &context, tx));
        let gas_used = state.unmeter();
        let mut result = TxResult { gas_wanted: tx.gas_limit(), gas_used, ..TxResult::default() };
        match checked {
            Ok(()) => result.events = state.take_events(start),
            Err(Failure::Rejected(Rejected { codespace, code, log })) => {
                state.rollback(start);
                result = TxResult { code, codespace: codespace.to_owned(), log, ..result };
            }
            Err(Failure::Halt(halt)) => return Err(halt),
        }
        Ok(result)
    }
}

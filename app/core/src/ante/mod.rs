//! What happens to a transaction before its messages: its form, its fee, its signatures. Source: SDK ante handler, decorator by
//! decorator in the SDK's order.
//!
//! # Invariants
//! - A transaction that is refused here changes nothing: no fee, no sequence.
//! - What is done here stays when a message fails: the fee is paid and the sequence used up.

mod basic;
mod fee;
mod signatures;

pub use fee::{GasPrice, GasPrices};

use crate::{
    error::{Failure, Rejected},
    modules::{BlockContext, auth::keeper as auth},
    ports::signatures::SignatureVerifier,
    router,
    sdk_error::SdkError,
    state::State,
    tx::Tx,
};

/// For whom the transaction is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In a block.
    Deliver,
    /// A gentx: account number 0, no fee needed.
    Genesis,
    /// New in the mempool.
    Check,
    /// Still in the mempool after a block: signatures and form were checked before.
    Recheck,
    /// To find out what it costs: signatures, fee and gas limit do not count.
    Simulate,
}

/// What the ante handler works with.
#[derive(Clone, Copy)]
pub struct AnteContext<'a> {
    /// The block, or the one to come.
    pub block: &'a BlockContext,
    /// For whom.
    pub mode: Mode,
    /// This node's price of gas; looked at in [`Mode::Check`] and [`Mode::Recheck`] only.
    pub gas_prices: &'a GasPrices,
    /// The block's gas limit, if it has one.
    pub block_gas_max: Option<u64>,
    /// Signature checks.
    pub signatures: &'a dyn SignatureVerifier,
}

impl std::fmt::Debug for AnteContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnteContext").field("block", &self.block).field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// The refusals that need neither state nor gas: no message, an unknown one, a gas limit above the block's.
///
/// # Errors
/// SDK 18, 6, 41.
pub fn precheck(tx: &Tx, block_gas_max: Option<u64>) -> Result<(), Rejected> {
    if tx.messages().is_empty() {
        return Err(SdkError::InvalidRequest.wrap("must contain at least one message"));
    }
    for (index, message) in tx.messages().iter().enumerate() {
        if !router::is_routable(&message.type_url) {
            let reason = format!("no message handler found for {} (message {index})", message.type_url);
            return Err(SdkError::UnknownRequest.wrap(reason));
        }
    }
    match block_gas_max {
        Some(max) if tx.gas_limit() > max => {
            let reason = format!("tx gas limit {} exceeds block max gas {max}", tx.gas_limit());
            Err(SdkError::InvalidGasLimit.wrap(reason))
        }
        _ => Ok(()),
    }
}

/// Runs all decorators. The caller has set the gas meter, and rolls back when this fails.
///
/// # Errors
/// The first refusal, in the SDK's order; storage.
pub fn run(state: &mut State<'_>, context: &AnteContext<'_>, tx: &Tx) -> Result<(), Failure> {
    let params = auth::params(state)?;
    basic::extension_options(tx)?;
    let signers = tx.signers()?;
    if context.mode != Mode::Recheck {
        basic::validate_basic(tx, signers)?;
    }
    basic::timeouts(context, tx)?;
    basic::memo(tx, params.max_memo_characters)?;
    basic::size_gas(state, context, tx, params.tx_size_cost_per_byte, signers)?;
    fee::deduct(state, context, tx, signers)?;
    signatures::run(state, context, tx, signers, &params)?;
    Ok(())
}

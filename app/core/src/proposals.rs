//! Proposals: which transactions a block may have. Pure functions of bytes and parameters, by rules that every release shares
//! (decoding, size, signature form, gas limits), so that validators of two releases agree on a block at an upgrade's height.
//!
//! # Invariants
//! - What [`prepare`] gives, [`process`] accepts under the same parameters.
//! - No state is read beside the consensus parameters: a proposal is never refused for what a transaction would do.

use prost::Message;
use swing_proto::cosmos::tx::v1beta1::{AuthInfo, TxBody, TxRaw};

use crate::{
    chain,
    state::{StateError, StateRead},
    tx::{SIGNATURE_LEN, SignatureForm, TX_BYTES_MAX},
};

/// What bounds a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all transactions together, if bounded.
    pub bytes_max: Option<u64>,
    /// Gas limits of all transactions together, if bounded.
    pub gas_max: Option<u64>,
}

impl Limits {
    /// The limits of committed consensus parameters. `bytes_max` is what CometBFT gives with PrepareProposal.
    ///
    /// # Errors
    /// Storage.
    pub fn of(state: &dyn StateRead, bytes_max: Option<u64>) -> Result<Self, StateError> {
        Ok(Limits { bytes_max, gas_max: chain::block_gas_max(state)? })
    }
}

/// Why a proposal is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposalError {
    /// A transaction that no block may have.
    #[error("transaction {index}: {reason}")]
    Transaction {
        /// Its place.
        index: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More gas than a block may have.
    #[error("the gas limits come to {wanted}, the block may have {max}")]
    Gas {
        /// The sum.
        wanted: u64,
        /// The limit.
        max: u64,
    },
}

/// The gas limit of a transaction that a block may have.
fn examine(raw: &[u8]) -> Result<u64, &'static str> {
    if raw.len() > TX_BYTES_MAX {
        return Err("it is larger than a transaction may be");
    }
    let tx = TxRaw::decode(raw).map_err(|_| "it does not decode")?;
    let body = TxBody::decode(tx.body_bytes.as_slice()).map_err(|_| "its body does not decode")?;
    let auth_info = AuthInfo::decode(tx.auth_info_bytes.as_slice()).map_err(|_| "its signers do not decode")?;
    if body.messages.is_empty() {
        return Err("it has no message");
    }
    if tx.signatures.is_empty() || tx.signatures.len() != auth_info.signer_infos.len() {
        return Err("it has not one signature a signer");
    }
    if tx.signatures.iter().any(|signature| signature.len() != SIGNATURE_LEN) {
        return Err("a signature has not 64 bytes");
    }
    if auth_info.signer_infos.iter().any(|signer| SignatureForm::of(signer).is_err()) {
        return Err("a signer has a mode that is not supported");
    }
    Ok(auth_info.fee.map_or(0, |fee| fee.gas_limit))
}

/// Chooses the transactions of a proposal: those that a block may have, in order, as long as they fit. ABCI: PrepareProposal.
pub fn prepare(txs: Vec<Vec<u8>>, limits: Limits) -> Vec<Vec<u8>> {
    let (mut bytes, mut gas) = (0_u64, 0_u64);
    let mut chosen = Vec::with_capacity(txs.len());
    for raw in txs {
        let Ok(gas_limit) = examine(&raw) else { continue };
        let bytes_after = bytes.saturating_add(proto_size(raw.len()));
        let gas_after = gas.saturating_add(gas_limit);
        if limits.bytes_max.is_some_and(|max| bytes_after > max) || limits.gas_max.is_some_and(|max| gas_after > max) {
            continue;
        }
        (bytes, gas) = (bytes_after, gas_after);
        chosen.push(raw);
    }
    chosen
}

/// Bytes of a transaction within a block: CometBFT counts the field's tag and length too.
fn proto_size(length: usize) -> u64 {
    (1 + prost::length_delimiter_len(length) + length) as u64
}

/// Whether a proposal may be voted for. ABCI: ProcessProposal.
///
/// # Errors
/// The first transaction that no block may have, or too much gas.
pub fn process(txs: &[Vec<u8>], limits: Limits) -> Result<(), ProposalError> {
    let mut wanted = 0_u64;
    for (index, raw) in txs.iter().enumerate() {
        let gas_limit = examine(raw).map_err(|reason| ProposalError::Transaction { index, reason })?;
        wanted = wanted.saturating_add(gas_limit);
    }
    match limits.gas_max {
        Some(max) if wanted > max => Err(ProposalError::Gas { wanted, max }),
        _ => Ok(()),
    }
}

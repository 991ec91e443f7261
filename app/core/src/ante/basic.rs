//! Form, timeouts, memo and size.

use super::{AnteContext, Mode};
use crate::{
    address::Party,
    block::Time,
    error::Rejected,
    sdk_error::SdkError,
    state::{State, StateError},
    tx::{SIGNATURE_LEN, Tx},
};

/// The largest gas limit: the wire's figures are signed for some clients.
const GAS_LIMIT_MAX: u64 = i64::MAX as u64;
/// The SDK's registered error for a time that has passed.
const TX_TIMEOUT: u32 = 42;

/// Source: SDK `ExtensionOptionsDecorator`.
pub(super) fn extension_options(tx: &Tx) -> Result<(), Rejected> {
    if tx.body.extension_options.is_empty() { Ok(()) } else { Err(SdkError::UnknownExtensionOptions.bare()) }
}

/// Source: SDK `ValidateBasicDecorator` and `Tx.ValidateBasic`.
pub(super) fn validate_basic(tx: &Tx, signers: &[Party]) -> Result<(), Rejected> {
    if tx.gas_limit() > GAS_LIMIT_MAX {
        let reason = format!("invalid gas supplied; {} > {GAS_LIMIT_MAX}", tx.gas_limit());
        return Err(SdkError::InvalidRequest.wrap(reason));
    }
    tx.named_payer()?;
    if tx.signatures.is_empty() {
        return Err(SdkError::NoSignatures.bare());
    }
    if tx.signatures.len() != signers.len() {
        let reason = format!("wrong number of signers; expected {}, got {}", signers.len(), tx.signatures.len());
        return Err(SdkError::Unauthorized.wrap(reason));
    }
    if tx.auth_info.signer_infos.len() != signers.len() {
        let infos = tx.auth_info.signer_infos.len();
        let reason = format!("invalid number of signer infos; expected: {}, got {infos}", signers.len());
        return Err(SdkError::Unauthorized.wrap(reason));
    }
    if tx.body.unordered {
        return Err(SdkError::NotSupported.wrap("unordered transactions are not supported: use the account's sequence"));
    }
    Ok(())
}

/// Source: SDK `TxTimeoutHeightDecorator`.
pub(super) fn timeouts(context: &AnteContext<'_>, tx: &Tx) -> Result<(), Rejected> {
    let (height, timeout) = (context.block.height, tx.body.timeout_height);
    if timeout > 0 && height > timeout {
        return Err(SdkError::TxTimeoutHeight.wrap(format!("block height: {height}, timeout height: {timeout}")));
    }
    let Some(timestamp) = &tx.body.timeout_timestamp else { return Ok(()) };
    let timeout = Time { seconds: timestamp.seconds, nanos: u32::try_from(timestamp.nanos).unwrap_or(0) };
    if timeout.seconds != 0 && timeout < context.block.time {
        let log = format!(
            "block time: {}s, timeout timestamp: {}s: tx timeout",
            context.block.time.seconds, timestamp.seconds
        );
        return Err(Rejected::sdk(TX_TIMEOUT, log));
    }
    Ok(())
}

/// Source: SDK `ValidateMemoDecorator`.
pub(super) fn memo(tx: &Tx, characters_max: u64) -> Result<(), Rejected> {
    let length = tx.body.memo.len() as u64;
    if length > characters_max {
        let reason = format!("maximum number of characters is {characters_max} but received {length} characters");
        return Err(SdkError::MemoTooLarge.wrap(reason));
    }
    Ok(())
}

/// Source: SDK `ConsumeTxSizeGasDecorator`. A simulation is charged for the signatures that it does not have yet.
pub(super) fn size_gas(
    state: &State<'_>,
    context: &AnteContext<'_>,
    tx: &Tx,
    cost_per_byte: u64,
    signers: &[Party],
) -> Result<(), StateError> {
    let mut bytes = tx.size as u64;
    if context.mode == Mode::Simulate {
        let signed = tx.signatures.iter().filter(|signature| !signature.is_empty()).count();
        let missing = signers.len().saturating_sub(signed) as u64;
        bytes = bytes.saturating_add(missing.saturating_mul(SIGNATURE_LEN as u64 + 2));
    }
    state.charge_at(cost_per_byte.saturating_mul(bytes), "txSize")
}

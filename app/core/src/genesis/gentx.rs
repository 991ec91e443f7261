//! Genesis transactions: real, signed transactions that make the first validators. Source: x/genutil.

use prost::Message;
use serde_json::Value;
use swing_proto::{
    cosmos::{
        genutil::v1beta1::GenesisState,
        tx::v1beta1::{Tx as TxProto, TxRaw},
    },
    json,
};

use super::GenesisError;
use crate::{
    ante::{AnteContext, GasPrices, Mode},
    block::ValidatorUpdate,
    execute::deliver_genesis,
    modules::{BlockContext, staking::validator_set},
    ports::Ports,
    state::State,
    tx::Tx,
};

/// The section of a new chain.
pub(super) fn default() -> Value {
    json::to_json(&GenesisState::default()).unwrap_or(Value::Null)
}

/// Executes the genesis transactions; gives the validators that they made.
pub(super) fn init(
    state: &mut State<'_>,
    block: &BlockContext,
    ports: &mut Ports<'_>,
    section: &Value,
) -> Result<Vec<ValidatorUpdate>, GenesisError> {
    let section: GenesisState = json::from_json(section).map_err(|error| GenesisError::at("genutil", error))?;
    if section.gen_txs.is_empty() {
        return Ok(Vec::new());
    }
    for (index, document) in section.gen_txs.iter().enumerate() {
        let at = |reason: String| GenesisError::at(format!("genutil.gen_txs[{index}]"), reason);
        let document: Value = serde_json::from_slice(document).map_err(|error| at(error.to_string()))?;
        let tx: TxProto = json::from_json(&document).map_err(|error| at(error.to_string()))?;
        let raw = TxRaw {
            body_bytes: tx.body.unwrap_or_default().encode_to_vec(),
            auth_info_bytes: tx.auth_info.unwrap_or_default().encode_to_vec(),
            signatures: tx.signatures,
        };
        let tx = Tx::decode(&raw.encode_to_vec()).map_err(|refused| at(refused.log))?;
        let context = AnteContext {
            block,
            mode: Mode::Genesis,
            gas_prices: &GasPrices::default(),
            block_gas_max: None,
            signatures: ports.signatures,
        };
        let result = deliver_genesis(state, &context, ports.engine, &tx)?;
        if result.code != 0 {
            return Err(at(format!("{} (code {}, {})", result.log, result.code, result.codespace)));
        }
    }
    validator_set::apply_updates(state, block).map_err(|failure| GenesisError::of("genutil", failure))
}

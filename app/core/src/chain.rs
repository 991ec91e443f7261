//! What the chain knows of itself: its ID and the last block.

use prost::Message;

use crate::{
    block::{Block, Time},
    execute::gas_max,
    modules::{BlockContext, consensus},
    state::{State, StateError, StateRead},
};

/// State keys of the chain.
pub mod keys {
    /// The chain's ID, as text.
    pub const CHAIN_ID: &[u8] = b"chain/id";
    /// The last block: height, time, proposer.
    pub const LAST_BLOCK: &[u8] = b"chain/last";

    #[cfg(test)]
    mod tests {
        #[test]
        fn keys_are_as_recorded() {
            assert_eq!((super::CHAIN_ID, super::LAST_BLOCK), (b"chain/id".as_slice(), b"chain/last".as_slice()));
        }
    }
}

/// The stored form of the last block.
#[derive(Clone, PartialEq, Message)]
struct LastBlock {
    #[prost(uint64, tag = "1")]
    height: u64,
    #[prost(int64, tag = "2")]
    seconds: i64,
    #[prost(uint32, tag = "3")]
    nanos: u32,
    #[prost(bytes = "vec", tag = "4")]
    proposer: Vec<u8>,
}

/// The chain's ID.
///
/// # Errors
/// Storage; a state that no genesis was written to.
pub fn id(state: &dyn StateRead) -> Result<String, StateError> {
    let bytes =
        state.get(keys::CHAIN_ID)?.ok_or_else(|| StateError::Storage("state has no chain ID: no genesis".into()))?;
    String::from_utf8(bytes.to_vec()).map_err(|error| StateError::Storage(format!("chain ID: {error}")))
}

pub(crate) fn set_id(state: &mut State<'_>, chain_id: &str) -> Result<(), StateError> {
    state.set(keys::CHAIN_ID, chain_id.as_bytes().to_vec())
}

/// The committed block: what queries answer about. Height 0 before the first one.
///
/// # Errors
/// Storage.
pub fn last_block(state: &dyn StateRead) -> Result<BlockContext, StateError> {
    let last = match state.get(keys::LAST_BLOCK)? {
        Some(bytes) => LastBlock::decode(bytes).map_err(|error| StateError::Storage(format!("last block: {error}")))?,
        None => LastBlock::default(),
    };
    Ok(BlockContext {
        chain_id: id(state)?,
        height: last.height,
        time: Time { seconds: last.seconds, nanos: last.nanos },
        proposer: last.proposer,
        app_version: consensus::state::app_version(state)?,
    })
}

/// The block after the committed one, as far as it is known: what a transaction is checked for.
///
/// # Errors
/// Storage.
pub fn next_block(state: &dyn StateRead) -> Result<BlockContext, StateError> {
    let last = last_block(state)?;
    Ok(BlockContext { height: last.height.saturating_add(1), ..last })
}

/// The block's gas limit, if it has one.
///
/// # Errors
/// Storage.
pub fn block_gas_max(state: &dyn StateRead) -> Result<Option<u64>, StateError> {
    Ok(gas_max(&consensus::state::params(state)?))
}

pub(crate) fn block_context(state: &dyn StateRead, block: &Block) -> Result<BlockContext, StateError> {
    Ok(BlockContext {
        chain_id: id(state)?,
        height: block.height,
        time: block.time,
        proposer: block.proposer.clone(),
        app_version: consensus::state::app_version(state)?,
    })
}

pub(crate) fn record_block(state: &mut State<'_>, block: &Block) -> Result<(), StateError> {
    let last = LastBlock {
        height: block.height,
        seconds: block.time.seconds,
        nanos: block.time.nanos,
        proposer: block.proposer.clone(),
    };
    state.set(keys::LAST_BLOCK, last.encode_to_vec())
}

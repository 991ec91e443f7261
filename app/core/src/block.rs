//! What goes into block execution and what comes out of it.

use crate::{event::Event, ports::upgrade::Plan};

/// Block time: seconds and nanoseconds since the epoch, as in the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Seconds.
    pub seconds: i64,
    /// Nanoseconds, below 1,000,000,000.
    pub nanos: u32,
}

/// A block as consensus decided it. ABCI: FinalizeBlock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Its height, from 1.
    pub height: u64,
    /// The header's time.
    pub time: Time,
    /// The proposer's consensus address, 20 bytes; empty at genesis.
    pub proposer: Vec<u8>,
    /// Hash of the block.
    pub hash: Vec<u8>,
    /// Raw transactions, in order.
    pub txs: Vec<Vec<u8>>,
}

/// The result of one transaction. Code, data, gas_wanted and gas_used are consensus (they are in LastResultsHash).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TxResult {
    /// 0, or the registered code.
    pub code: u32,
    /// The code's codespace, empty when the code is 0.
    pub codespace: String,
    /// `cosmos.base.abci.v1beta1.TxMsgData`, encoded.
    pub data: Vec<u8>,
    /// For people.
    pub log: String,
    /// The limit that the transaction named.
    pub gas_wanted: u64,
    /// What it used.
    pub gas_used: u64,
    /// Its events, those of the ante handler first.
    pub events: Vec<Event>,
}

/// A change of a validator's power, for CometBFT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorUpdate {
    /// Its ed25519 key, 32 bytes.
    pub public_key: Vec<u8>,
    /// Its power; 0 removes it.
    pub power: u64,
}

/// What the node does after the block is committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Next {
    /// Go on.
    #[default]
    Continue,
    /// Stop before the next block: a plan is due that this release cannot handle.
    StopForUpgrade(Plan),
}

/// What a block did beside changing state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockOutput {
    /// One result a transaction, in order.
    pub tx_results: Vec<TxResult>,
    /// Events of begin and end.
    pub events: Vec<Event>,
    /// Changes of the validator set.
    pub validator_updates: Vec<ValidatorUpdate>,
    /// New consensus parameters (`tendermint.types.ConsensusParams`, encoded), when a block changed them.
    pub consensus_params: Option<Vec<u8>>,
}

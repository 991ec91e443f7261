//! The records of the block store.

use prost::Message;
use tendermint_proto::v0_38::{
    abci::ResponseFinalizeBlock,
    types::{Block, Commit, ConsensusParams},
};

use crate::solo::state::DecidedBlock;

/// What the chain began with.
#[derive(Clone, PartialEq, Message)]
pub struct GenesisRecord {
    /// The chain's ID.
    #[prost(string, tag = "1")]
    pub chain_id: String,
    /// The first block's height.
    #[prost(int64, tag = "2")]
    pub initial_height: i64,
    /// The hash of genesis.json.
    #[prost(bytes = "vec", tag = "3")]
    pub genesis_hash: Vec<u8>,
    /// The validator's power.
    #[prost(int64, tag = "4")]
    pub power: i64,
    /// The parameters.
    #[prost(message, optional, tag = "5")]
    pub params: Option<ConsensusParams>,
    /// The application's hash.
    #[prost(bytes = "vec", tag = "6")]
    pub app_hash: Vec<u8>,
}

/// A decided block. Written before it is executed.
#[derive(Clone, PartialEq, Message)]
pub(super) struct BlockRecord {
    #[prost(message, optional, tag = "1")]
    pub block: Option<Block>,
    #[prost(message, optional, tag = "2")]
    pub commit: Option<Commit>,
}

/// A block's results. Written before they are committed; a later record of the same height replaces an earlier one.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ResultsRecord {
    #[prost(int64, tag = "1")]
    pub height: i64,
    #[prost(message, optional, tag = "2")]
    pub response: Option<ResponseFinalizeBlock>,
    /// The validator's power two blocks later.
    #[prost(int64, tag = "3")]
    pub power_after: i64,
    /// The parameters of the next block, where they changed.
    #[prost(message, optional, tag = "4")]
    pub params_after: Option<ConsensusParams>,
}

/// Any record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Record {
    Genesis(GenesisRecord),
    Block(Box<DecidedBlock>),
    Results(ResultsRecord),
}

const KIND_GENESIS: u8 = 1;
const KIND_BLOCK: u8 = 2;
const KIND_RESULTS: u8 = 3;

impl Record {
    /// Kind and content.
    pub(super) fn encode(&self) -> (u8, Vec<u8>) {
        match self {
            Record::Genesis(record) => (KIND_GENESIS, record.encode_to_vec()),
            Record::Block(decided) => {
                let DecidedBlock { block, commit } = decided.as_ref();
                let record = BlockRecord { block: Some(block.clone()), commit: Some(commit.clone()) };
                (KIND_BLOCK, record.encode_to_vec())
            }
            Record::Results(record) => (KIND_RESULTS, record.encode_to_vec()),
        }
    }

    /// From kind and content.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn decode(kind: u8, content: &[u8]) -> Result<Self, String> {
        let wrong = |error: prost::DecodeError| error.to_string();
        match kind {
            KIND_GENESIS => GenesisRecord::decode(content).map(Record::Genesis).map_err(wrong),
            KIND_RESULTS => ResultsRecord::decode(content).map(Record::Results).map_err(wrong),
            KIND_BLOCK => match BlockRecord::decode(content).map_err(wrong)? {
                BlockRecord { block: Some(block), commit: Some(commit) } => {
                    Ok(Record::Block(Box::new(DecidedBlock { block, commit })))
                }
                _ => Err("a block without its commit".to_owned()),
            },
            other => Err(format!("unknown kind of record {other}: a later swingd wrote it")),
        }
    }
}

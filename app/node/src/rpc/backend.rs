//! What the RPC server asks of an engine.

use bytes::Bytes;
use serde_json::Value;
use tendermint_proto::v0_38::{
    abci::{RequestQuery, ResponseCheckTx, ResponseFinalizeBlock, ResponseInfo, ResponseQuery},
    types::{Block, Commit, ConsensusParams},
};

/// A local fault, told to the process's lifecycle already. The caller learns only that there was one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

/// What `status` tells of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeDescription {
    /// The peer-to-peer identity, lower case hex.
    pub id: String,
    /// The node's name.
    pub moniker: String,
    /// The chain's ID.
    pub network: String,
    /// Where it would listen for peers.
    pub p2p_laddr: String,
    /// The validator's public key (ed25519).
    pub validator_key: [u8; 32],
}

/// A block and the commit that decided it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredBlock {
    /// The block.
    pub block: Block,
    /// Its commit, which holds the block's ID.
    pub commit: Commit,
}

/// Where a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxPlace {
    /// The block.
    pub height: i64,
    /// Its position in the block.
    pub index: u32,
}

/// A proof that a transaction is in a block's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxProof {
    /// The block's data hash.
    pub root_hash: Vec<u8>,
    /// Transactions in the block.
    pub total: i64,
    /// The leaf's hash.
    pub leaf_hash: Vec<u8>,
    /// The siblings' hashes, from the leaf to the root.
    pub aunts: Vec<Vec<u8>>,
}

/// A validator in a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidatorPower {
    /// Its ed25519 key.
    pub public_key: [u8; 32],
    /// Its power.
    pub power: i64,
}

/// What waits for a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unconfirmed {
    /// All of them.
    pub total: usize,
    /// Their bytes.
    pub total_bytes: usize,
    /// The first ones.
    pub txs: Vec<Bytes>,
}

/// An engine as the RPC server sees it. Calls may block; none waits for a block.
pub trait Backend: Send + Sync + 'static {
    /// The node.
    fn node(&self) -> NodeDescription;

    /// Tells the last committed height, and every later one.
    fn heights(&self) -> tokio::sync::watch::Receiver<i64>;

    /// The first block's height, whether there is a block or not.
    fn first_height(&self) -> i64;

    /// The last committed block's height; one below the first's before it.
    fn last_height(&self) -> i64;

    /// A committed block.
    ///
    /// # Errors
    /// A local fault.
    fn block(&self, height: i64) -> Result<StoredBlock, Fault>;

    /// A committed block's results.
    ///
    /// # Errors
    /// A local fault.
    fn results(&self, height: i64) -> Result<ResponseFinalizeBlock, Fault>;

    /// The height of the committed block with this hash.
    fn height_of(&self, hash: &[u8]) -> Option<i64>;

    /// Where a committed transaction is.
    fn tx_place(&self, hash: &[u8]) -> Option<TxPlace>;

    /// The proof of a block's transaction; none where there is no such transaction.
    fn tx_proof(&self, block: &Block, index: u32) -> Option<TxProof>;

    /// The committed heights that have transactions, the last first.
    fn heights_with_txs(&self) -> Vec<i64>;

    /// The validators of a block, the next two included.
    fn validators(&self, height: i64) -> Vec<ValidatorPower>;

    /// The parameters of a block, the next one included.
    fn consensus_params(&self, height: i64) -> ConsensusParams;

    /// genesis.json.
    fn genesis(&self) -> Value;

    /// ABCI: Info.
    ///
    /// # Errors
    /// A local fault.
    fn info(&self) -> Result<ResponseInfo, Fault>;

    /// ABCI: Query.
    ///
    /// # Errors
    /// A local fault.
    fn query(&self, request: RequestQuery) -> Result<ResponseQuery, Fault>;

    /// ABCI: CheckTx, with nothing kept.
    ///
    /// # Errors
    /// A local fault.
    fn check_tx(&self, tx: Bytes) -> Result<ResponseCheckTx, Fault>;

    /// Gives a transaction to the mempool. The inner error is why it did not even come to CheckTx.
    ///
    /// # Errors
    /// A local fault.
    fn broadcast(&self, tx: Bytes) -> Result<Result<ResponseCheckTx, String>, Fault>;

    /// What waits for a block, at most `count` transactions of it.
    fn unconfirmed(&self, count: usize) -> Unconfirmed;
}

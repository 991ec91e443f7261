//! Why the solo engine does not start or go on.

use std::path::PathBuf;

use crate::{config::ConfigError, lifecycle::StopReason};

/// Why the solo engine does not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum SoloError {
    /// The application ended the process: a local fault or an upgrade.
    #[error(transparent)]
    App(#[from] StopReason),
    /// A file of the home.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The block store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The genesis document has something that this engine cannot use.
    #[error("genesis.json: {0}")]
    Genesis(String),
    /// The home belongs to another chain than the block store.
    #[error(
        "genesis.json is not the one that this chain began with (chain {chain_id}): put it back, or begin a new chain with an empty data folder"
    )]
    GenesisChanged {
        /// The stored chain's ID.
        chain_id: String,
    },
    /// More than one validator.
    #[error(
        "the solo engine is for one validator, this home's {own}, and the chain's set holds also {others}: use --engine cometbft for a network"
    )]
    OtherValidators {
        /// The others' addresses.
        others: String,
        /// The home's validator.
        own: String,
    },
    /// No validator.
    #[error(
        "the validator set does not hold this home's validator {own}: give it a gentx with power, or use the home whose key is in genesis"
    )]
    NoValidator {
        /// The home's validator.
        own: String,
    },
    /// The key has voted in a network.
    #[error(
        "{path}: this home's key has signed block {height} with another engine; signing other blocks with it would be a double signature: make a new home for the solo engine"
    )]
    KeyHasSigned {
        /// The file that says so.
        path: PathBuf,
        /// The height that it names.
        height: i64,
    },
    /// The application has blocks that the engine has not.
    #[error(
        "the application has committed block {app}, but the solo engine's store in data/solo ends with {store}: this home was run by another engine, or data/solo is not its own; use the engine that made these blocks"
    )]
    AppAhead {
        /// The application's height.
        app: i64,
        /// The store's height.
        store: i64,
    },
    /// The application computed something else for a block that was decided.
    #[error(
        "block {height} gave {what} {got} when it was executed again, {expected} is recorded: the binary or the state is not that of this chain"
    )]
    Diverged {
        /// The block.
        height: i64,
        /// What differs.
        what: &'static str,
        /// What is recorded.
        expected: String,
        /// What came out now.
        got: String,
    },
    /// The application made a proposal that cannot be.
    #[error("the application's proposal for block {height} cannot be used: {reason}")]
    Proposal {
        /// The block.
        height: i64,
        /// What is wrong with it.
        reason: String,
    },
    /// The application asks for something that this engine does not have.
    #[error("the solo engine does not have {0}: use --engine cometbft")]
    Unsupported(&'static str),
    /// The RPC server could not be started.
    #[error(transparent)]
    Rpc(#[from] crate::rpc::ServerError),
}

/// Why the block store does not work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process has it open.
    #[error("{path}: another swingd runs on this home; stop it first")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged in its middle, which no crash does.
    #[error("{path}: damaged at byte {offset}: {reason}; restore data/solo and application.db from one backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// A record above what can be stored.
    #[error("a record of {size} bytes is above the {max} that the block store takes")]
    TooLarge {
        /// The record's size.
        size: usize,
        /// The largest.
        max: usize,
    },
    /// A record that must be there is not.
    #[error("the block store has no {what} of block {height}")]
    Missing {
        /// What is missing.
        what: &'static str,
        /// Of which block.
        height: i64,
    },
}

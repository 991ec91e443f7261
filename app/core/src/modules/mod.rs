//! The modules, each with the same rooms: `msg`, `handler`, `keys`, `state`, `query`, `genesis`, `events`.
//!
//! A module's handler is reached by type URL through the router, from transactions and from passed governance proposals alike;
//! its queries by gRPC path; its genesis by section name.
//!
//! | room | what others call |
//! |---|---|
//! | `msg` | `signers(&Any) -> Result<Vec<Address>, Rejected>`: whose signatures the message needs, in order |
//! | `handler` | `handle(&mut MsgContext, &Any) -> Result<Any, Failure>`: does it; gives the response message |
//! | `query` | `query(&QueryContext, path, data) -> Result<Vec<u8>, QueryError>` for `/package.Query/Method` |
//! | `genesis` | `init(&mut GenesisContext, &Value) -> Result<_, GenesisError>`, `export(&dyn StateRead, …) -> Result<Value, _>`, `default() -> Value` |

pub mod auth;
pub mod authority;
pub mod bank;
pub mod consensus;
pub mod gov;
pub mod message;
pub mod staking;
pub mod swingset;
pub mod upgrade;

use crate::{
    block::Time,
    ports::{engine::Engine, upgrade::Release},
    state::{State, StateRead},
};

/// What is the same for all messages of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockContext {
    /// The chain's ID.
    pub chain_id: String,
    /// The block's height.
    pub height: u64,
    /// The block's time.
    pub time: Time,
    /// The proposer's consensus address.
    pub proposer: Vec<u8>,
    /// The committed app version, which decides which rules hold.
    pub app_version: u64,
}

/// What a message handler works with.
pub struct MsgContext<'a, 'base> {
    /// The message's overlay.
    pub state: &'a mut State<'base>,
    /// The block.
    pub block: &'a BlockContext,
    /// The contract engine. A transaction only queues with it, or installs bundles; cranks run after the last transaction.
    pub engine: &'a mut dyn Engine,
}

impl std::fmt::Debug for MsgContext<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MsgContext").field("block", &self.block).finish_non_exhaustive()
    }
}

/// What a query works with: one committed version, read only.
#[derive(Clone, Copy)]
pub struct QueryContext<'a> {
    /// The committed version.
    pub state: &'a dyn StateRead,
    /// The block that made it.
    pub block: &'a BlockContext,
}

impl std::fmt::Debug for QueryContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueryContext").field("block", &self.block).finish_non_exhaustive()
    }
}

/// What a module's genesis works with.
pub struct GenesisContext<'a, 'base> {
    /// The overlay of the first version.
    pub state: &'a mut State<'base>,
    /// Chain ID, initial height and genesis time.
    pub block: &'a BlockContext,
    /// The contract engine.
    pub engine: &'a mut dyn Engine,
    /// The running release, whose bundles a new chain starts from.
    pub release: &'a dyn Release,
}

impl std::fmt::Debug for GenesisContext<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GenesisContext").field("block", &self.block).finish_non_exhaustive()
    }
}

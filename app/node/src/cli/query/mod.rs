//! `query`: asks a running node.

mod blocks;
mod modules;
mod result;
mod swingset;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use swing_proto::json as proto_json;

use super::{
    Context, Failure,
    flags::{NodeArgs, OutputArgs},
    output::{self, Format},
};
use crate::client::{ClientError, RpcClient};

/// Arguments of `query`.
#[derive(Args, Debug)]
pub struct QueryCommand {
    #[command(flatten)]
    flags: QueryFlags,
    #[command(subcommand)]
    topic: Topic,
}

/// Flags that all queries share, in the SDK's names.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Query")]
pub struct QueryFlags {
    /// RPC address of the node, tcp://host:port
    #[arg(long, global = true, value_name = "URL")]
    node: Option<String>,
    /// Height of the state to ask; 0 is the latest
    #[arg(long, global = true, default_value_t = 0)]
    height: u64,
    /// Form of the answer
    #[arg(short, long, global = true, value_enum)]
    output: Option<Format>,
    /// The most entries of a list
    #[arg(long, global = true, alias = "page-limit")]
    limit: Option<u64>,
    /// Entries of a list to pass over
    #[arg(long, global = true, alias = "page-offset", conflicts_with = "page_key")]
    offset: Option<u64>,
    /// Where a list goes on: next_key of the page before, base64
    #[arg(long, global = true)]
    page_key: Option<String>,
    /// Say how long a list is
    #[arg(long, global = true, alias = "page-count-total")]
    count_total: bool,
    /// Begin at a list's end
    #[arg(long, global = true, alias = "page-reverse")]
    reverse: bool,
}

#[derive(Debug, Subcommand)]
enum Topic {
    /// Accounts
    #[command(subcommand)]
    Auth(modules::AuthQuery),
    /// Balances and supply
    #[command(subcommand)]
    Bank(modules::BankQuery),
    /// Validators and delegations
    #[command(subcommand)]
    Staking(modules::StakingQuery),
    /// Proposals, deposits and votes
    #[command(subcommand)]
    Gov(modules::GovQuery),
    /// Pending plans, applied ones, and what validators attest
    #[command(subcommand)]
    Upgrade(modules::UpgradeQuery),
    /// Consensus parameters
    #[command(subcommand)]
    Consensus(modules::ConsensusQuery),
    /// Kernel, bundles, vats and messages
    #[command(subcommand)]
    Swingset(swingset::SwingsetQuery),
    /// A transaction in a block
    Tx(blocks::TxArgs),
    /// Wait until a transaction is in a block
    WaitTx(blocks::WaitTxArgs),
    /// A block
    Block(blocks::BlockArgs),
    /// What the transactions of a block did
    BlockResults(blocks::BlockArgs),
}

/// Runs one.
pub fn run(context: &Context, command: &QueryCommand) -> Result<(), Failure> {
    let asker = Asker::new(context, &command.flags)?;
    match &command.topic {
        Topic::Auth(query) => asker.print(&query.ask(&asker.page())),
        Topic::Bank(query) => asker.print(&query.ask(&asker.page())),
        Topic::Staking(query) => asker.print(&query.ask(&asker.page())),
        Topic::Gov(query) => asker.print(&query.ask(&asker.page())?),
        Topic::Upgrade(query) => asker.print(&query.ask(&asker.page())),
        Topic::Consensus(query) => asker.print(&query.ask()),
        Topic::Swingset(swingset::SwingsetQuery::Result { id }) => {
            output::value(asker.format, &result::find(&asker, id)?)
        }
        Topic::Swingset(query) => asker.print(&query.ask(&asker.page())),
        Topic::Tx(arguments) => blocks::tx(&asker, arguments),
        Topic::WaitTx(arguments) => blocks::wait_tx(&asker, arguments),
        Topic::Block(arguments) => blocks::block(&asker, arguments),
        Topic::BlockResults(arguments) => blocks::block_results(&asker, arguments),
    }
}

/// A question: a gRPC path and the request in JSON.
#[derive(Debug)]
pub struct Ask {
    path: &'static str,
    request: Value,
    /// The one field of the response that is the answer.
    inner: Option<&'static str>,
}

impl Ask {
    fn new(path: &'static str, request: Value) -> Self {
        Ask { path, request, inner: None }
    }
}

/// A node, and how to ask it.
struct Asker {
    client: RpcClient,
    format: Format,
    flags: QueryFlags,
}

impl Asker {
    fn new(context: &Context, flags: &QueryFlags) -> Result<Self, Failure> {
        Ok(Asker {
            client: NodeArgs { node: flags.node.clone() }.client(context)?,
            format: OutputArgs { output: flags.output }.format(context)?,
            flags: flags.clone(),
        })
    }

    /// `PageRequest` in JSON, null where no flag asks for one.
    fn page(&self) -> Value {
        let flags = &self.flags;
        let asked = flags.limit.is_some() || flags.offset.is_some() || flags.page_key.is_some();
        if !asked && !flags.count_total && !flags.reverse {
            return Value::Null;
        }
        json!({
            "key": flags.page_key,
            "offset": flags.offset.unwrap_or_default().to_string(),
            "limit": flags.limit.unwrap_or_default().to_string(),
            "count_total": flags.count_total,
            "reverse": flags.reverse,
        })
    }

    fn ask(&self, ask: &Ask) -> Result<Value, Failure> {
        let method =
            swing_proto::method(ask.path).ok_or_else(|| ClientError::Input(format!("no query {}", ask.path)))?;
        let request = proto_json::json_to_wire(method.input().full_name(), &ask.request)?;
        let answer = self.client.abci_query(ask.path, &request, self.flags.height)?;
        let mut value = proto_json::wire_to_json(method.output().full_name(), &answer.value)?;
        Ok(match ask.inner {
            Some(field) => value[field].take(),
            None => value,
        })
    }

    fn print(&self, ask: &Ask) -> Result<(), Failure> {
        output::value(self.format, &self.ask(ask)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_a_method_that_takes_its_request() {
        for ask in modules::one_of_each() {
            let method = swing_proto::method(ask.path).unwrap_or_else(|| panic!("no query {}", ask.path));
            proto_json::json_to_wire(method.input().full_name(), &ask.request)
                .unwrap_or_else(|error| panic!("{}: {error}", ask.path));
            if let Some(field) = ask.inner {
                assert!(method.output().get_field_by_name(field).is_some(), "{}: no field {field}", ask.path);
            }
        }
    }
}

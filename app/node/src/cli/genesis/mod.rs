//! `genesis`: work on the genesis file.

mod accounts;
mod collect;
mod dry_run;
mod gentx;
mod sections;
mod validate;
mod vats;

use clap::Subcommand;

use super::{Context, Failure};

/// Commands of `genesis`.
#[derive(Debug, Subcommand)]
pub enum GenesisCommand {
    /// Give an account a balance
    #[command(visible_alias = "add-genesis-account")]
    AddAccount(accounts::AddAccountArgs),
    /// Sign a transaction that makes this node a validator from the first block on
    Gentx(Box<gentx::GentxArgs>),
    /// Take the signed transactions of all validators into the genesis file
    CollectGentxs(collect::CollectArgs),
    /// Check a genesis file
    #[command(visible_alias = "validate-genesis")]
    Validate(validate::ValidateArgs),
    /// Start a vat with the chain
    AddVat(vats::AddVatArgs),
}

/// Runs one.
pub fn run(context: &Context, command: &GenesisCommand) -> Result<(), Failure> {
    match command {
        GenesisCommand::AddAccount(arguments) => accounts::add(context, arguments),
        GenesisCommand::Gentx(arguments) => gentx::run(context, arguments),
        GenesisCommand::CollectGentxs(arguments) => collect::run(context, arguments),
        GenesisCommand::Validate(arguments) => validate::run(context, arguments),
        GenesisCommand::AddVat(arguments) => vats::add(context, arguments),
    }
}

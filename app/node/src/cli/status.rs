//! `status`: where the node stands, from its database.

use clap::Args;

use super::{
    Context, Failure,
    output::{self, Format},
};
use crate::status::Status;

/// Arguments of `status`.
#[derive(Args, Debug)]
pub struct StatusArgs {
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "json")]
    output: Format,
    /// Taken for the sake of scripts written for the SDK; the answer comes from the database
    #[arg(long, value_name = "URL", hide = true)]
    node: Option<String>,
}

/// Prints the status.
pub fn run(context: &Context, arguments: &StatusArgs) -> Result<(), Failure> {
    let status =
        Status::read(&context.home.data_folder(), context.release).map_err(|halt| Failure::new(halt.reason))?;
    output::value(arguments.output, &status.to_json(&context.home, context.release))
}

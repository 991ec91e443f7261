//! `version`.

use clap::Args;
use serde_json::json;

use super::{
    Context, Failure,
    output::{self, Format},
};

/// The CometBFT version whose formats and rules this node keeps.
pub const COMETBFT_VERSION: &str = "0.38.26";

/// Arguments of `version`.
#[derive(Args, Debug)]
pub struct VersionArgs {
    /// Say also what this binary is built for
    #[arg(long)]
    long: bool,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Prints the version.
pub fn run(context: &Context, arguments: &VersionArgs) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    if !arguments.long {
        return output::line(version);
    }
    let value = json!({
        "name": "swing",
        "server_name": "swingd",
        "version": version,
        "release": context.release.name(),
        "app_version": context.release.app_version().to_string(),
        "cometbft_version": COMETBFT_VERSION,
        "abci_version": "2.0.0",
        // A supervisor may start it ahead of its height.
        "standby": true,
    });
    output::value(arguments.output, &value)
}

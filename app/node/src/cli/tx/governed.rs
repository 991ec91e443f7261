//! `tx swingset upgrade-vat` and `core-eval`: proposals about the engine's vats.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use clap::Args;
use serde_json::{Value, json};

use super::{flags::TxFlags, submit::Signer, upgrade::ProposalArgs};
use crate::cli::{Context, Failure, smallcaps};

/// Arguments of `tx swingset upgrade-vat`.
#[derive(Args, Debug)]
pub struct UpgradeVatArgs {
    /// The vat's name
    vat: String,
    /// ID of an installed vat bundle
    bundle: String,
    /// The new incarnation's parameters, JSON
    #[arg(long, value_name = "JSON", default_value = "{}")]
    parameters: String,
    /// Why, for those whose promises are disconnected
    #[arg(long, default_value = "vat upgraded")]
    message: String,
    #[command(flatten)]
    proposal: ProposalArgs,
}

/// Arguments of `tx swingset core-eval`.
#[derive(Args, Debug)]
pub struct CoreEvalArgs {
    /// ID of an installed vat bundle
    bundle: String,
    /// A static vat whose root it is given; vatAdmin is vat administration. Once for each
    #[arg(long = "vat", value_name = "NAME")]
    vats: Vec<String>,
    /// A device that it is given: vatAdmin, timer, mailbox or bridge. Once for each
    #[arg(long = "device", value_name = "NAME")]
    devices: Vec<String>,
    #[command(flatten)]
    proposal: ProposalArgs,
}

/// Proposes a vat's upgrade.
pub fn upgrade_vat(
    context: &Context,
    flags: &TxFlags,
    signer: &Signer,
    arguments: &UpgradeVatArgs,
) -> Result<(), Failure> {
    arguments.proposal.propose(context, flags, signer, upgrade_message(arguments)?)
}

/// Proposes to run a bundle as a vat.
pub fn core_eval(context: &Context, flags: &TxFlags, signer: &Signer, arguments: &CoreEvalArgs) -> Result<(), Failure> {
    arguments.proposal.propose(context, flags, signer, eval_message(arguments))
}

fn upgrade_message(arguments: &UpgradeVatArgs) -> Result<Value, Failure> {
    let parameters = smallcaps::body_of_text("the parameters", &arguments.parameters)?;
    Ok(json!({
        "@type": "/swing.swingset.v1.MsgUpgradeVat",
        "authority": arguments.proposal.authority(),
        "vat_name": arguments.vat,
        "bundle_id": arguments.bundle,
        "parameters": BASE64.encode(parameters),
        "upgrade_message": arguments.message,
    }))
}

fn eval_message(arguments: &CoreEvalArgs) -> Value {
    let permits = json!({"vats": arguments.vats, "devices": arguments.devices});
    json!({
        "@type": "/swing.swingset.v1.MsgCoreEval",
        "authority": arguments.proposal.authority(),
        "bundle_id": arguments.bundle,
        "json_permits": permits.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line<T: Args> {
        #[command(flatten)]
        arguments: T,
    }

    fn parse<T: Args>(words: &[&str]) -> T {
        let proposal = ["--title", "t", "--summary", "s", "--authority", "swing1a"];
        let words = ["x"].iter().chain(words).chain(&proposal);
        Line::<T>::try_parse_from(words).expect("a line that is complete").arguments
    }

    #[test]
    fn parameters_become_a_smallcaps_body() {
        let message = upgrade_message(&parse(&["mint", "b1-0", "--parameters", "{\"a\":\"$b\"}"])).expect("JSON");
        let expected = json!({
            "@type": "/swing.swingset.v1.MsgUpgradeVat",
            "authority": "swing1a",
            "vat_name": "mint",
            "bundle_id": "b1-0",
            "parameters": BASE64.encode("#{\"a\":\"!$b\"}"),
            "upgrade_message": "vat upgraded",
        });
        assert_eq!(message, expected);
        assert!(upgrade_message(&parse(&["mint", "b1-0", "--parameters", "{"])).is_err());
    }

    #[test]
    fn powers_become_permits() {
        let message = eval_message(&parse(&["b1-0", "--vat", "vatAdmin", "--vat", "mint", "--device", "bridge"]));
        assert_eq!(message["json_permits"], "{\"vats\":[\"vatAdmin\",\"mint\"],\"devices\":[\"bridge\"]}");
    }
}

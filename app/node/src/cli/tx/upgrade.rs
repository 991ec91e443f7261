//! `tx upgrade`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use swing_core::{address::module_address, modules::upgrade::info};

use super::{
    flags::TxFlags,
    gov::{ProposalText, submit_proposal},
    message, plans,
    submit::{Signer, submit},
};
use crate::cli::{Context, Failure};

/// Commands of `tx upgrade`.
#[derive(Debug, Subcommand)]
pub enum UpgradeCommand {
    /// Propose a software upgrade
    SoftwareUpgrade(SoftwareUpgradeArgs),
    /// Propose to cancel the nearest pending software upgrade
    CancelSoftwareUpgrade(ProposalArgs),
    /// Propose a software upgrade beside those that are pending, or in place of one
    Schedule(plans::ScheduleArgs),
    /// Propose to cancel a pending software upgrade by its number
    CancelPlan(plans::CancelPlanArgs),
    /// Propose how many blocks of notice a software upgrade needs
    SetNotice(plans::SetNoticeArgs),
    /// Attest, as a validator's operator, which binary is at hand for an upgrade and what its rehearsal came to
    Attest(plans::AttestArgs),
}

/// What a proposal says of itself.
#[derive(Args, Debug)]
pub struct ProposalArgs {
    /// The proposal's title
    #[arg(long)]
    title: String,
    /// The proposal's summary
    #[arg(long)]
    summary: String,
    /// Initial deposit, such as 10000000uswing
    #[arg(long, default_value = "")]
    deposit: String,
    /// Metadata
    #[arg(long, default_value = "")]
    metadata: String,
    /// A shorter vote with a higher threshold
    #[arg(long)]
    expedited: bool,
    /// Address that may upgrade; governance's by default
    #[arg(long)]
    authority: Option<String>,
}

impl ProposalArgs {
    /// Who may do what the proposal asks for.
    pub fn authority(&self) -> String {
        self.authority.clone().unwrap_or_else(|| module_address("gov").to_string())
    }

    /// Proposes one message.
    pub fn propose(&self, context: &Context, flags: &TxFlags, signer: &Signer, proposed: Value) -> Result<(), Failure> {
        let text = ProposalText {
            title: &self.title,
            summary: &self.summary,
            metadata: &self.metadata,
            deposit: &self.deposit,
            expedited: self.expedited,
        };
        let value = submit_proposal(&[proposed], &text, &signer.address().to_string())?;
        submit(context, flags, signer, vec![message(&value)?])
    }
}

/// Arguments of `tx upgrade software-upgrade`.
#[derive(Args, Debug)]
pub struct SoftwareUpgradeArgs {
    /// The plan's name, which a release has a handler for
    name: String,
    /// The first block of the new rules
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=i64::MAX as u64))]
    upgrade_height: u64,
    /// Information for operators and their supervisors
    #[arg(long, default_value = "")]
    upgrade_info: String,
    /// Do not check the information
    #[arg(long)]
    no_validate: bool,
    #[command(flatten)]
    proposal: ProposalArgs,
}

/// Runs one.
pub fn run(context: &Context, flags: &TxFlags, command: &UpgradeCommand) -> Result<(), Failure> {
    let signer = Signer::resolve(context, flags, None)?;
    match command {
        UpgradeCommand::SoftwareUpgrade(arguments) => {
            if !arguments.no_validate {
                check_info(&arguments.upgrade_info)?;
            }
            arguments.proposal.propose(context, flags, &signer, software_upgrade(arguments))
        }
        UpgradeCommand::CancelSoftwareUpgrade(arguments) => {
            let cancel =
                json!({"@type": "/cosmos.upgrade.v1beta1.MsgCancelUpgrade", "authority": arguments.authority()});
            arguments.propose(context, flags, &signer, cancel)
        }
        UpgradeCommand::Schedule(arguments) => plans::schedule(context, flags, &signer, arguments),
        UpgradeCommand::CancelPlan(arguments) => plans::cancel(context, flags, &signer, arguments),
        UpgradeCommand::SetNotice(arguments) => plans::set_notice(context, flags, &signer, arguments),
        UpgradeCommand::Attest(arguments) => plans::attest(context, flags, &signer, arguments),
    }
}

fn software_upgrade(arguments: &SoftwareUpgradeArgs) -> Value {
    json!({
        "@type": "/cosmos.upgrade.v1beta1.MsgSoftwareUpgrade",
        "authority": arguments.proposal.authority(),
        "plan": {
            "name": arguments.name,
            "time": "0001-01-01T00:00:00Z",
            "height": arguments.upgrade_height.to_string(),
            "info": arguments.upgrade_info,
            "upgraded_client_state": null,
        },
    })
}

/// As the SDK's and cosmovisor's: `{"binaries":{"os/arch":"https://…?checksum=sha256:…"}}`. The binaries are not fetched here.
fn check_info(text: &str) -> Result<(), Failure> {
    let wrong = |reason: String| {
        Failure::new(format!(
            "invalid --upgrade-info: {reason}: pass --no-validate where the information is not for a supervisor that downloads"
        ))
    };
    match info::parse(text) {
        Err(problem) => Err(wrong(problem.to_string())),
        Ok(None) => Err(wrong("not JSON".to_owned())),
        Ok(Some(info)) if info.binaries.is_empty() => Err(wrong("no binaries in it".to_owned())),
        Ok(Some(_)) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn information_for_supervisors_needs_checksums() {
        #[track_caller]
        fn check(info: &str, expected: Option<&str>) {
            match (check_info(info), expected) {
                (Ok(()), None) => {}
                (Err(failure), Some(part)) => assert!(failure.to_string().contains(part), "{failure}"),
                (got, _) => panic!("{info}: {got:?}"),
            }
        }
        let sum = "ab".repeat(32);
        check(&format!("{{\"binaries\":{{\"linux/amd64\":\"https://x/y?checksum=sha256:{sum}\"}}}}"), None);
        check("{\"binaries\":{\"linux/amd64\":\"https://x/y\"}}", Some("needs a URL with ?checksum=sha256:"));
        check(&format!("{{\"binaries\":{{\"linux\":\"https://x/y?checksum=sha256:{sum}\"}}}}"), Some("os/arch"));
        check("{}", Some("no binaries"));
        check("", Some("not JSON"));
    }
}

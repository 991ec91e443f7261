//! `tx gov`.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};
use swing_core::math::Dec;

use super::{
    flags::TxFlags,
    message,
    submit::{Signer, coins_json, submit},
};
use crate::cli::{Context, Failure, context::read_input};

/// Commands of `tx gov`.
#[derive(Debug, Subcommand)]
pub enum GovCommand {
    /// Propose messages that are run when the vote passes
    SubmitProposal {
        /// JSON file: {"messages":[…],"deposit":"10uswing","title":"…","summary":"…","metadata":"","expedited":false}
        file: PathBuf,
    },
    /// Add to a proposal's deposit
    Deposit {
        /// The proposal
        proposal_id: u64,
        /// Coins, such as 10uswing
        deposit: String,
    },
    /// Vote yes, no, no_with_veto or abstain
    Vote {
        /// The proposal
        proposal_id: u64,
        /// The option
        option: String,
        /// Metadata
        #[arg(long, default_value = "")]
        metadata: String,
    },
    /// Divide a vote, such as yes=0.6,no=0.3,abstain=0.1
    WeightedVote {
        /// The proposal
        proposal_id: u64,
        /// The options with their weights; the sum is 1
        weighted_options: String,
        /// Metadata
        #[arg(long, default_value = "")]
        metadata: String,
    },
    /// Take back a proposal of one's own
    CancelProposal {
        /// The proposal
        proposal_id: u64,
    },
}

/// Runs one.
pub fn run(context: &Context, flags: &TxFlags, command: &GovCommand) -> Result<(), Failure> {
    let signer = Signer::resolve(context, flags, None)?;
    let from = signer.address().to_string();
    let value = match command {
        GovCommand::SubmitProposal { file } => {
            let text = read_input(file)?;
            let value: Value = serde_json::from_slice(&text)
                .map_err(|error| Failure::new(format!("{}: not JSON: {error}", file.display())))?;
            proposal_of_file(&value, &from).map_err(|failure| Failure::new(format!("{}: {failure}", file.display())))?
        }
        GovCommand::Deposit { proposal_id, deposit } => json!({
            "@type": "/cosmos.gov.v1.MsgDeposit",
            "proposal_id": proposal_id.to_string(),
            "depositor": from,
            "amount": coins_json("deposit", deposit)?,
        }),
        GovCommand::Vote { proposal_id, option, metadata } => json!({
            "@type": "/cosmos.gov.v1.MsgVote",
            "proposal_id": proposal_id.to_string(),
            "voter": from,
            "option": vote_option(option)?,
            "metadata": metadata,
        }),
        GovCommand::WeightedVote { proposal_id, weighted_options, metadata } => json!({
            "@type": "/cosmos.gov.v1.MsgVoteWeighted",
            "proposal_id": proposal_id.to_string(),
            "voter": from,
            "options": weighted(weighted_options)?,
            "metadata": metadata,
        }),
        GovCommand::CancelProposal { proposal_id } => json!({
            "@type": "/cosmos.gov.v1.MsgCancelProposal",
            "proposal_id": proposal_id.to_string(),
            "proposer": from,
        }),
    };
    submit(context, flags, &signer, vec![message(&value)?])
}

/// What a proposal says of itself.
#[derive(Debug)]
pub struct ProposalText<'a> {
    pub title: &'a str,
    pub summary: &'a str,
    pub metadata: &'a str,
    pub deposit: &'a str,
    pub expedited: bool,
}

/// `MsgSubmitProposal` in JSON.
///
/// # Errors
/// The deposit is not coins, or title or summary is empty.
pub fn submit_proposal(messages: &[Value], text: &ProposalText<'_>, from: &str) -> Result<Value, Failure> {
    for (name, value) in [("title", text.title), ("summary", text.summary)] {
        if value.is_empty() {
            return Err(Failure::new(format!("a proposal needs a {name}")));
        }
    }
    Ok(json!({
        "@type": "/cosmos.gov.v1.MsgSubmitProposal",
        "messages": messages,
        "initial_deposit": coins_json("deposit", text.deposit)?,
        "proposer": from,
        "metadata": text.metadata,
        "title": text.title,
        "summary": text.summary,
        "expedited": text.expedited,
    }))
}

fn proposal_of_file(value: &Value, from: &str) -> Result<Value, Failure> {
    const FIELDS: [&str; 6] = ["messages", "metadata", "deposit", "title", "summary", "expedited"];
    let fields = value.as_object().ok_or_else(|| Failure::new("expected an object"))?;
    if let Some(name) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(Failure::new(format!("unknown field {name:?}: expected {}", FIELDS.join(", "))));
    }
    let text = |name: &str| match fields.get(name) {
        None => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(_) => Err(Failure::new(format!("{name}: expected a text"))),
    };
    let messages = match fields.get("messages") {
        None => &[],
        Some(Value::Array(messages)) => messages.as_slice(),
        Some(_) => return Err(Failure::new("messages: expected a list")),
    };
    let text = ProposalText {
        title: text("title")?,
        summary: text("summary")?,
        metadata: text("metadata")?,
        deposit: text("deposit")?,
        expedited: fields.get("expedited").and_then(Value::as_bool).unwrap_or(false),
    };
    submit_proposal(messages, &text, from)
}

fn vote_option(text: &str) -> Result<&'static str, Failure> {
    match text.to_ascii_lowercase().replace('-', "_").as_str() {
        "yes" | "vote_option_yes" => Ok("VOTE_OPTION_YES"),
        "abstain" | "vote_option_abstain" => Ok("VOTE_OPTION_ABSTAIN"),
        "no" | "vote_option_no" => Ok("VOTE_OPTION_NO"),
        "no_with_veto" | "nowithveto" | "vote_option_no_with_veto" => Ok("VOTE_OPTION_NO_WITH_VETO"),
        _ => Err(Failure::Usage(format!(
            "'{text}' is not a valid vote option: expected yes, no, no_with_veto or abstain"
        ))),
    }
}

fn weighted(text: &str) -> Result<Value, Failure> {
    let one = |part: &str| {
        let (option, weight) = part.trim().split_once('=').unwrap_or((part.trim(), "1"));
        let weight = Dec::parse(weight).map_err(|error| Failure::Usage(format!("weight of {option}: {error}")))?;
        Ok(json!({"option": vote_option(option)?, "weight": weight.to_string()}))
    };
    text.split(',').map(one).collect::<Result<Vec<_>, Failure>>().map(Value::Array)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_are_read_in_the_sdks_words() {
        for (text, expected) in [
            ("yes", "VOTE_OPTION_YES"),
            ("NoWithVeto", "VOTE_OPTION_NO_WITH_VETO"),
            ("no-with-veto", "VOTE_OPTION_NO_WITH_VETO"),
        ] {
            assert_eq!(vote_option(text).expect("a vote"), expected);
        }
        assert!(vote_option("maybe").is_err());
        let value = weighted("yes=0.6, no=0.4").expect("weights");
        assert_eq!(value[1], json!({"option": "VOTE_OPTION_NO", "weight": "0.400000000000000000"}));
        assert!(weighted("yes=much").is_err());
    }

    #[test]
    fn a_proposal_file_is_checked() {
        #[track_caller]
        fn check(value: &Value, expected: &str) {
            assert_eq!(proposal_of_file(value, "swing1x").expect_err("it is wrong").to_string(), expected);
        }
        check(&json!([]), "expected an object");
        check(
            &json!({"titel": "x"}),
            "unknown field \"titel\": expected messages, metadata, deposit, title, summary, expedited",
        );
        check(&json!({"title": "x"}), "a proposal needs a summary");
        check(
            &json!({"title": "x", "summary": "y", "deposit": "ten"}),
            "deposit: invalid decimal coin expression: ten",
        );
    }
}

//! Messages of governance, and what can be told of them without state. Source: x/gov `ValidateBasic` and msg server.

use prost::Name;
use serde_json::Value;
use swing_proto::{
    cosmos::{
        base::v1beta1::Coin as CoinProto,
        gov::{
            v1::{
                MsgCancelProposal, MsgDeposit, MsgSubmitProposal, MsgUpdateParams, MsgVote, MsgVoteWeighted, Params,
                VoteOption, WeightedVoteOption,
            },
            v1beta1,
        },
    },
    google::protobuf::{Any, Duration},
};

use super::error::GovError;
pub use crate::modules::message::signers;
use crate::{
    address::Address,
    error::{Failure, Rejected},
    math::{Coins, Dec},
    modules::authority,
    router,
    sdk_error::SdkError,
    time,
};

/// Longest metadata and title, in bytes.
const METADATA_MAX: usize = 255;
/// Longest summary, in bytes.
const SUMMARY_MAX: usize = 40 * METADATA_MAX;

/// Type names of the messages that [`super::handler::handle`] takes.
pub fn names() -> [String; 9] {
    [
        MsgSubmitProposal::full_name(),
        MsgDeposit::full_name(),
        MsgVote::full_name(),
        MsgVoteWeighted::full_name(),
        MsgCancelProposal::full_name(),
        MsgUpdateParams::full_name(),
        v1beta1::MsgVote::full_name(),
        v1beta1::MsgVoteWeighted::full_name(),
        v1beta1::MsgDeposit::full_name(),
    ]
}

/// The address of a role.
///
/// # Errors
/// SDK 7.
pub fn address(role: &str, text: &str) -> Result<Address, Rejected> {
    Address::parse(text).map_err(|error| SdkError::InvalidAddress.wrap(format!("invalid {role} address: {error}")))
}

/// Coins of a message; none are allowed.
///
/// # Errors
/// SDK 10.
pub fn coins(coins: &[CoinProto]) -> Result<Coins, Rejected> {
    Coins::from_proto(coins).map_err(|_| {
        let shown: Vec<String> = coins.iter().map(|coin| format!("{}{}", coin.amount, coin.denom)).collect();
        SdkError::InvalidCoins.wrap(shown.join(","))
    })
}

/// Checks a proposal's texts. Source: SDK `SubmitProposal`.
///
/// # Errors
/// SDK 18; gov 5, 11, 15, 22.
pub fn check_texts(message: &MsgSubmitProposal) -> Result<(), Rejected> {
    if message.title.is_empty() {
        return Err(SdkError::InvalidRequest.wrap("proposal title cannot be empty"));
    }
    if message.summary.is_empty() {
        return Err(SdkError::InvalidRequest.wrap("proposal summary cannot be empty"));
    }
    if message.messages.is_empty() && message.metadata.is_empty() {
        return Err(GovError::NoProposalMsgs.wrap("either metadata or Msgs length must be non-nil"));
    }
    check_metadata_agrees(message)?;
    check_metadata(&message.metadata)?;
    if message.summary.len() > SUMMARY_MAX {
        return Err(GovError::SummaryTooLong.wrap(format!("got summary with length {}", message.summary.len())));
    }
    check_metadata(&message.title)
}

/// Metadata that is JSON with a title or a summary must not contradict the proposal's own.
fn check_metadata_agrees(message: &MsgSubmitProposal) -> Result<(), Rejected> {
    let Ok(Value::Object(fields)) = serde_json::from_str(&message.metadata) else {
        return Ok(());
    };
    for (name, own) in [("title", &message.title), ("summary", &message.summary)] {
        let text = fields.get(name).and_then(Value::as_str).unwrap_or_default();
        if text != own {
            let reason = format!("metadata {name} '{text}' must equal proposal {name} '{own}'");
            return Err(GovError::InvalidProposalContent.wrap(reason));
        }
    }
    Ok(())
}

/// The length of metadata.
///
/// # Errors
/// gov 15.
pub fn check_metadata(metadata: &str) -> Result<(), Rejected> {
    if metadata.len() > METADATA_MAX {
        return Err(GovError::MetadataTooLong.wrap(format!("got metadata with length {}", metadata.len())));
    }
    Ok(())
}

/// Checks that a proposal's message has a handler and that governance alone signs it.
///
/// # Errors
/// gov 10, 12, 13.
pub fn check_proposed(message: &Any) -> Result<(), Rejected> {
    if !router::is_routable(&message.type_url) {
        return Err(GovError::UnroutableProposalMsg.wrap(&message.type_url));
    }
    let signers = signers(message).map_err(|refused| GovError::InvalidProposalMsg.wrap(refused))?;
    match signers.as_slice() {
        [signer] if *signer == authority::authority() => Ok(()),
        [signer] => Err(GovError::InvalidSigner.wrap(signer)),
        _ => Err(GovError::InvalidSigner.bare()),
    }
}

/// The refusal of a message by its own module, as the refusal of the proposal. Running out of gas stays what it is.
pub fn invalid_proposed(failure: Failure) -> Failure {
    match failure {
        Failure::Rejected(refused) if refused.codespace != "sdk" || refused.code != SdkError::OutOfGas as u32 => {
            GovError::InvalidProposalMsg.wrap(refused).into()
        }
        other => other,
    }
}

/// The options of a vote for one option.
///
/// # Errors
/// gov 7.
pub fn single_option(option: i32) -> Result<Vec<WeightedVoteOption>, Rejected> {
    check_option(option)?;
    Ok(vec![WeightedVoteOption { option, weight: Dec::one().to_string() }])
}

fn check_option(option: i32) -> Result<VoteOption, Rejected> {
    VoteOption::try_from(option)
        .ok()
        .filter(|option| *option != VoteOption::Unspecified)
        .ok_or_else(|| GovError::InvalidVote.wrap(option))
}

/// Checks the options of a split vote: each once, each above zero, one in all.
///
/// # Errors
/// SDK 18; gov 7.
pub fn check_options(options: &[WeightedVoteOption]) -> Result<(), Rejected> {
    if options.is_empty() {
        return Err(SdkError::InvalidRequest.wrap("[]"));
    }
    let mut total = Dec::ZERO;
    let mut used = Vec::new();
    for WeightedVoteOption { option, weight } in options {
        let option = check_option(*option)?;
        let weight =
            Dec::parse(weight).map_err(|error| GovError::InvalidVote.wrap(format!("invalid weight: {error}")))?;
        if weight.is_zero() || weight > Dec::one() {
            return Err(GovError::InvalidVote.wrap(format!("weight {weight} of {}", option.as_str_name())));
        }
        if used.contains(&option) {
            return Err(GovError::InvalidVote.wrap("duplicated vote option"));
        }
        used.push(option);
        total = total.add(weight)?;
    }
    match total.cmp(&Dec::one()) {
        std::cmp::Ordering::Greater => Err(GovError::InvalidVote.wrap("total weight overflow 1.00")),
        std::cmp::Ordering::Less => Err(GovError::InvalidVote.wrap("total weight lower than 1.00")),
        std::cmp::Ordering::Equal => Ok(()),
    }
}

/// The options as the event shows them.
pub fn options_text(options: &[WeightedVoteOption]) -> String {
    let show = |one: &WeightedVoteOption| {
        // A weight that parses has no character that JSON escapes.
        format!("{{\"option\":{},\"weight\":\"{}\"}}", one.option, one.weight)
    };
    format!("[{}]", options.iter().map(show).collect::<Vec<_>>().join(","))
}

/// Whether parameters can be in force. Source: SDK `Params.ValidateBasic`.
///
/// # Errors
/// SDK 18 with the parameter's name.
pub fn check_params(params: &Params) -> Result<(), Rejected> {
    let refuse = |reason: String| Err(SdkError::InvalidRequest.wrap(reason));
    let min = some_coins("minimum deposit", &params.min_deposit)?;
    let expedited_min = some_coins("expedited minimum deposit", &params.expedited_min_deposit)?;
    if min.covers(&expedited_min) {
        return refuse(format!("expedited minimum deposit must be greater than minimum deposit: {min}"));
    }
    period("maximum deposit period", params.max_deposit_period)?;
    let voting = period("voting period", params.voting_period)?;
    let expedited_voting = period("expedited voting period", params.expedited_voting_period)?;
    if time::nanos_of(&expedited_voting) >= time::nanos_of(&voting) {
        return refuse("expedited voting period must be strictly less than the regular voting period".to_owned());
    }
    fraction("quorum", &params.quorum)?;
    let threshold = positive("vote threshold", &params.threshold)?;
    let expedited = positive("expedited vote threshold", &params.expedited_threshold)?;
    if threshold >= expedited {
        return refuse(format!(
            "expedited vote threshold {expedited}, must be greater than the regular threshold {threshold}"
        ));
    }
    positive("veto threshold", &params.veto_threshold)?;
    fraction("minimum initial deposit ratio", &params.min_initial_deposit_ratio)?;
    fraction("minimum deposit ratio", &params.min_deposit_ratio)?;
    fraction("proposal cancel ratio", &params.proposal_cancel_ratio)?;
    if !params.proposal_cancel_dest.is_empty() {
        address("proposal cancel destination", &params.proposal_cancel_dest)
            .map_err(|refused| SdkError::InvalidRequest.wrap(refused))?;
    }
    Ok(())
}

fn some_coins(name: &str, list: &[CoinProto]) -> Result<Coins, Rejected> {
    match coins(list) {
        Ok(coins) if !coins.is_empty() => Ok(coins),
        Ok(_) => Err(SdkError::InvalidRequest.wrap(format!("invalid {name}: none"))),
        Err(refused) => Err(SdkError::InvalidRequest.wrap(format!("invalid {name}: {refused}"))),
    }
}

fn period(name: &str, duration: Option<Duration>) -> Result<Duration, Rejected> {
    time::check_positive(duration.as_ref())
        .map_err(|error| SdkError::InvalidRequest.wrap(format!("{name} must be positive: {error}")))
}

fn fraction(name: &str, text: &str) -> Result<Dec, Rejected> {
    match Dec::parse(text) {
        Ok(value) if value <= Dec::one() => Ok(value),
        Ok(value) => Err(SdkError::InvalidRequest.wrap(format!("{name} too large: {value}"))),
        Err(error) => Err(SdkError::InvalidRequest.wrap(format!("invalid {name} string: {error}"))),
    }
}

fn positive(name: &str, text: &str) -> Result<Dec, Rejected> {
    let value = fraction(name, text)?;
    if value.is_zero() {
        return Err(SdkError::InvalidRequest.wrap(format!("{name} must be positive: {value}")));
    }
    Ok(value)
}

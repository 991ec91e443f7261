//! Messages of staking, and what can be told of them without state. Source: x/staking `ValidateBasic` of each.

use prost::Name;
use swing_proto::cosmos::{
    base::v1beta1::Coin as CoinProto,
    staking::v1beta1::{
        Description, MsgBeginRedelegate, MsgCreateValidator, MsgDelegate, MsgEditValidator, MsgUndelegate,
        MsgUpdateParams, Params,
    },
};

use super::{
    error::StakingError,
    validator::{CONSENSUS_KEY_LEN, Rates, consensus_key},
};
pub use crate::modules::message::signers;
use crate::{
    address::Address,
    error::Rejected,
    math::{Coin, Dec, Int, validate_denom},
    sdk_error::SdkError,
    time,
};

/// What an edit says where it leaves a text as it is.
pub const DO_NOT_MODIFY: &str = "[do-not-modify]";

/// Longest texts of a description, in bytes: moniker, identity, website, security contact, details.
const DESCRIPTION_MAX: [(&str, usize); 5] =
    [("moniker", 70), ("identity", 3000), ("website", 140), ("security contact", 140), ("details", 280)];

/// Type names of the messages that [`super::handler::handle`] takes.
pub fn names() -> [String; 6] {
    [
        MsgCreateValidator::full_name(),
        MsgEditValidator::full_name(),
        MsgDelegate::full_name(),
        MsgUndelegate::full_name(),
        MsgBeginRedelegate::full_name(),
        MsgUpdateParams::full_name(),
    ]
}

/// A message to make a validator, checked.
#[derive(Clone, Debug)]
pub struct NewValidator {
    /// Its operator.
    pub operator: Address,
    /// Its ed25519 key.
    pub consensus_key: [u8; CONSENSUS_KEY_LEN],
    /// How it presents itself.
    pub description: Description,
    /// Commission rates.
    pub rates: Rates,
    /// The least own delegation.
    pub min_self_delegation: Int,
    /// Its first delegation.
    pub value: Coin,
}

/// Checks a message to make a validator.
///
/// # Errors
/// In the SDK's words and codes.
pub fn new_validator(message: &MsgCreateValidator) -> Result<NewValidator, Rejected> {
    let operator = operator(&message.validator_address)?;
    let consensus_key = consensus_key(message.pubkey.as_ref())?;
    let value = amount(message.value.as_ref())?;
    let description = message.description.clone().unwrap_or_default();
    if description == Description::default() {
        return Err(SdkError::InvalidRequest.wrap("empty description"));
    }
    check_description(&description)?;
    let rates = message.commission.as_ref().ok_or_else(|| SdkError::InvalidRequest.wrap("empty commission"))?;
    let rates = Rates::from_proto(rates)?;
    rates.validate()?;
    let min_self_delegation = Int::parse(&message.min_self_delegation)?;
    if min_self_delegation.is_zero() {
        return Err(SdkError::InvalidRequest.wrap("minimum self delegation must be a positive integer"));
    }
    if value.amount < min_self_delegation {
        return Err(StakingError::SelfDelegationBelowMinimum.bare());
    }
    Ok(NewValidator { operator, consensus_key, description, rates, min_self_delegation, value })
}

/// An operator's address.
///
/// # Errors
/// SDK 7.
pub fn operator(text: &str) -> Result<Address, Rejected> {
    let invalid = |error| SdkError::InvalidAddress.wrap(format!("invalid validator address: {error}"));
    Address::parse_operator(text).map_err(invalid)
}

/// A delegator's address.
///
/// # Errors
/// SDK 7.
pub fn delegator(text: &str) -> Result<Address, Rejected> {
    Address::parse(text).map_err(|error| SdkError::InvalidAddress.wrap(format!("invalid delegator address: {error}")))
}

/// An amount above zero.
///
/// # Errors
/// SDK 18.
pub fn amount(coin: Option<&CoinProto>) -> Result<Coin, Rejected> {
    let coin = coin.and_then(|coin| Coin::from_proto(coin).ok()).filter(|coin| !coin.amount.is_zero());
    coin.ok_or_else(|| SdkError::InvalidRequest.wrap("invalid delegation amount"))
}

/// Source: SDK `Description.EnsureLength`.
///
/// # Errors
/// SDK 18 with the text's name.
pub fn check_description(description: &Description) -> Result<(), Rejected> {
    let texts = [
        &description.moniker,
        &description.identity,
        &description.website,
        &description.security_contact,
        &description.details,
    ];
    for ((name, max), text) in DESCRIPTION_MAX.iter().zip(texts) {
        if text.len() > *max {
            let reason = format!("invalid {name} length; got: {}, max: {max}", text.len());
            return Err(SdkError::InvalidRequest.wrap(reason));
        }
    }
    Ok(())
}

/// The description after an edit.
///
/// # Errors
/// As [`check_description`].
pub fn edited(before: &Description, edit: &Description) -> Result<Description, Rejected> {
    let choose = |before: &String, edit: &String| {
        if edit == DO_NOT_MODIFY { before.clone() } else { edit.clone() }
    };
    let description = Description {
        moniker: choose(&before.moniker, &edit.moniker),
        identity: choose(&before.identity, &edit.identity),
        website: choose(&before.website, &edit.website),
        security_contact: choose(&before.security_contact, &edit.security_contact),
        details: choose(&before.details, &edit.details),
    };
    check_description(&description)?;
    Ok(description)
}

/// Whether parameters can be in force. Source: SDK `Params.Validate`.
///
/// # Errors
/// SDK 18 with the parameter's name.
pub fn check_params(params: &Params) -> Result<(), Rejected> {
    let refuse = |reason: String| Err(SdkError::InvalidRequest.wrap(reason));
    if let Err(error) = time::check_positive(params.unbonding_time.as_ref()) {
        return refuse(format!("unbonding time must be positive: {error}"));
    }
    if params.max_validators == 0 {
        return refuse("max validators must be positive: 0".to_owned());
    }
    if params.max_entries == 0 {
        return refuse("max entries must be positive: 0".to_owned());
    }
    if let Err(error) = validate_denom(&params.bond_denom) {
        return refuse(format!("bond denom: {error}"));
    }
    match Dec::parse_scaled(&params.min_commission_rate) {
        Ok(rate) if rate <= Dec::one() => Ok(()),
        Ok(rate) => refuse(format!("minimum commission rate cannot be greater than 100%: {rate}")),
        Err(error) => refuse(format!("minimum commission rate: {error}")),
    }
}

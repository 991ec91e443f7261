//! Messages of transfers.

use prost::{Message, Name};
use swing_proto::{
    cosmos::{
        bank::v1beta1::{MsgMultiSend, MsgSend, MsgSetSendEnabled, MsgUpdateParams},
        base::v1beta1::Coin,
    },
    google::protobuf::Any,
};

use crate::{
    address::{Address, Party},
    error::Rejected,
    math::Coins,
    sdk_error::SdkError,
};

/// The type URL of the message that nearly all transactions carry.
pub const SEND: &str = "/cosmos.bank.v1beta1.MsgSend";

/// Type names of the messages that [`super::handler::handle`] takes.
pub fn names() -> [String; 4] {
    [MsgSend::full_name(), MsgMultiSend::full_name(), MsgUpdateParams::full_name(), MsgSetSendEnabled::full_name()]
}

/// A [`SEND`] in which everything is checked that can be without state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// Who pays.
    pub from: Party,
    /// Who is paid.
    pub to: Party,
    /// What.
    pub amount: Coins,
    /// What, as events tell it.
    pub amount_text: String,
}

impl Send {
    /// Reads the message.
    ///
    /// # Errors
    /// SDK 7 for what is no address, SDK 10 for what is no amount.
    pub fn read(message: &MsgSend) -> Result<Self, Rejected> {
        let from = address("from", &message.from_address)?.into();
        let to = address("to", &message.to_address)?.into();
        let amount = coins(&message.amount)?;
        let amount_text = amount.to_string();
        Ok(Send { from, to, amount, amount_text })
    }
}

/// A [`SEND`]'s signer, and the message read: without the descriptors, and decoded once.
///
/// # Errors
/// SDK 34 for what does not decode, SDK 7 for a signer that is no address; the message's own is that of [`Send::read`].
pub fn read_send(any: &Any) -> Result<(Address, Result<Send, Rejected>), Rejected> {
    let message = MsgSend::decode(any.value.as_slice()).map_err(|error| SdkError::UnpackAny.wrap(error))?;
    let send = Send::read(&message);
    let signer = match &send {
        Ok(send) => send.from.address,
        Err(_) => Address::parse(&message.from_address).map_err(|error| SdkError::InvalidAddress.wrap(error))?,
    };
    Ok((signer, send))
}

/// The address in a message's field.
pub(super) fn address(role: &str, text: &str) -> Result<Address, Rejected> {
    Address::parse(text).map_err(|error| SdkError::InvalidAddress.wrap(format!("invalid {role} address: {error}")))
}

/// The coins of a message: in order, positive, and some.
pub(super) fn coins(coins: &[Coin]) -> Result<Coins, Rejected> {
    let shown = || coins.iter().map(|coin| format!("{}{}", coin.amount, coin.denom)).collect::<Vec<_>>().join(",");
    match Coins::from_proto(coins) {
        Ok(valid) if !valid.is_empty() => Ok(valid),
        _ => Err(SdkError::InvalidCoins.wrap(shown())),
    }
}

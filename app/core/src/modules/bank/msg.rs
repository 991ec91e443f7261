//! Messages of transfers.

use prost::{Message, Name};
use swing_proto::{
    cosmos::bank::v1beta1::{MsgMultiSend, MsgSend, MsgSetSendEnabled, MsgUpdateParams},
    google::protobuf::Any,
};

use crate::{address::Address, error::Rejected, sdk_error::SdkError};

/// The type URL of the message that nearly all transactions carry.
pub const SEND: &str = "/cosmos.bank.v1beta1.MsgSend";

/// Type names of the messages that [`super::handler::handle`] takes.
pub fn names() -> [String; 4] {
    [MsgSend::full_name(), MsgMultiSend::full_name(), MsgUpdateParams::full_name(), MsgSetSendEnabled::full_name()]
}

/// The signer of a [`SEND`], without the descriptors.
///
/// # Errors
/// SDK 34 for what does not decode, SDK 7 for what is no address.
pub fn send_signers(any: &Any) -> Result<Vec<Address>, Rejected> {
    let message = MsgSend::decode(any.value.as_slice()).map_err(|error| SdkError::UnpackAny.wrap(error))?;
    let from = Address::parse(&message.from_address).map_err(|error| SdkError::InvalidAddress.wrap(error))?;
    Ok(vec![from])
}

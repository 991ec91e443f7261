//! From a packed message to a typed handler and back.

use prost::{Message, Name};
use swing_proto::{Signer, google::protobuf::Any};

use crate::{
    address::{Address, OPERATOR_PREFIX},
    error::{Failure, Rejected},
    sdk_error::SdkError,
};

/// Whose signatures a message needs, in order, each once. Staking names some signers by their operator address.
///
/// # Errors
/// SDK 7 for what is no address; SDK 34 for what does not decode or is no transaction message.
pub fn signers(any: &Any) -> Result<Vec<Address>, Rejected> {
    let mut signers = Vec::new();
    for signer in swing_proto::signers(any).map_err(|error| SdkError::UnpackAny.wrap(error))? {
        let address = match &signer {
            Signer::Address(text) if text.starts_with(OPERATOR_PREFIX) => Address::parse_operator(text),
            Signer::Address(text) => Address::parse(text),
            Signer::Account(bytes) => Address::from_slice(bytes),
        };
        let address = address.map_err(|error| SdkError::InvalidAddress.wrap(error))?;
        if !signers.contains(&address) {
            signers.push(address);
        }
    }
    Ok(signers)
}

/// Unpacks a message.
///
/// # Errors
/// SDK 34, with what does not decode.
pub fn unpack<M: Message + Name + Default>(any: &Any) -> Result<M, Rejected> {
    swing_proto::unpack(any).map_err(|error| SdkError::UnpackAny.wrap(error))
}

/// Runs a typed handler on a packed message and packs its response.
///
/// # Errors
/// As [`unpack`], and the handler's.
pub fn run<M, R>(any: &Any, handler: impl FnOnce(M) -> Result<R, Failure>) -> Result<Any, Failure>
where
    M: Message + Name + Default,
    R: Message + Name,
{
    Ok(swing_proto::pack(&handler(unpack(any)?)?))
}

/// The refusal of a message that no handler takes. Source: SDK message router.
pub fn unroutable(type_url: &str) -> Failure {
    SdkError::UnknownRequest.wrap(format!("no message handler found for {type_url}")).into()
}

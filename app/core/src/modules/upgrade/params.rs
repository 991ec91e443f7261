//! The parameters of plans.

use prost::Message;
use swing_proto::swing::upgrade::v1::Params;

use super::keys;
use crate::{
    error::Rejected,
    sdk_error::SdkError,
    state::{State, StateError, StateRead},
};

/// The most notice that may be asked for: a year of blocks of a second.
const NOTICE_MAX: u64 = 31_536_000;

/// The parameters that a chain gets when its plans get numbers. Ten blocks are enough for supervisors to see a plan; a chain whose
/// votes must be able to take a plan back sets more: the blocks of an expedited vote, and some.
pub const fn default() -> Params {
    Params { notice_blocks_min: 10 }
}

/// The parameters.
///
/// # Errors
/// Storage, out of gas.
pub fn params(state: &dyn StateRead) -> Result<Params, StateError> {
    let Some(bytes) = state.get(keys::PARAMS)? else { return Ok(Params::default()) };
    Params::decode(bytes).map_err(|error| StateError::Storage(format!("upgrade parameters: {error}")))
}

/// Writes the parameters.
///
/// # Errors
/// Storage, out of gas.
pub fn set(state: &mut State<'_>, params: &Params) -> Result<(), StateError> {
    state.set(keys::PARAMS, params.encode_to_vec())
}

/// Refuses parameters that cannot be.
///
/// # Errors
/// SDK 18.
pub fn check(params: &Params) -> Result<(), Rejected> {
    if params.notice_blocks_min <= NOTICE_MAX {
        return Ok(());
    }
    let found = params.notice_blocks_min;
    Err(SdkError::InvalidRequest.wrap(format!("notice_blocks_min: at most {NOTICE_MAX} expected, got {found}")))
}

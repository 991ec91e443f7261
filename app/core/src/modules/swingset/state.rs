//! The parameters, and numbers in state.

use prost::Message;
use swing_proto::{
    cosmos::base::v1beta1::Coin as CoinProto,
    swing::swingset::v1::{Beans, Params},
};

use super::{Refusal, fees::Unit, keys};
use crate::{
    error::Rejected,
    math::{Coins, Int},
    state::{State, StateError, StateRead},
};

/// The largest bundle that any parameter may allow: what a host buffers.
const BUNDLE_MAX: u64 = 16 << 20;
/// The largest chunk, below what a transaction may be.
const CHUNK_MAX: u64 = 2 << 20;
/// The longest queue: it is read one by one in a block.
const QUEUE_MAX: u64 = 100_000;

/// The app version from which on the limit of arguments is a parameter; before, it is fixed.
const ARGS_LIMIT_SINCE: u64 = 2;
/// The limit of arguments while it is fixed, and what it begins with as a parameter.
const ARGS_LIMIT_DEFAULT: u64 = 128 << 10;
/// The largest limit of arguments.
const ARGS_LIMIT_MAX: u64 = 1 << 20;

/// The parameters of a new chain of version-1. Source: upstream's defaults.
pub fn default_params() -> Params {
    Params {
        beans_per_unit: Unit::ALL
            .iter()
            .map(|unit| Beans { key: unit.key().to_owned(), beans: unit.default_beans().to_string() })
            .collect(),
        computrons_per_block: 8_000_000,
        inbound_queue_max: 1_000,
        fee_unit_price: vec![CoinProto { denom: "uswing".to_owned(), amount: "1000000".to_owned() }],
        bundle_uncompressed_size_limit_bytes: 10 << 20,
        chunk_size_limit_bytes: 490_000,
        installation_deadline_blocks: 24_000,
        inbound_args_size_limit_bytes: 0,
    }
}

/// The parameters, with those that an app version brought at their first values where they are not set.
pub fn completed(params: Params, app_version: u64) -> Params {
    let unset = params.inbound_args_size_limit_bytes == 0;
    if unset && app_version >= ARGS_LIMIT_SINCE {
        Params { inbound_args_size_limit_bytes: ARGS_LIMIT_DEFAULT, ..params }
    } else {
        params
    }
}

/// Bytes that the arguments of an inbound message may have.
pub fn args_limit(params: &Params) -> u64 {
    match params.inbound_args_size_limit_bytes {
        0 => ARGS_LIMIT_DEFAULT,
        limit => limit,
    }
}

/// The parameters.
///
/// # Errors
/// Storage, out of gas.
pub fn params(state: &dyn StateRead) -> Result<Params, StateError> {
    match state.get(keys::PARAMS)? {
        Some(bytes) => {
            Params::decode(bytes).map_err(|error| StateError::Storage(format!("parameters of swingset: {error}")))
        }
        None => Ok(default_params()),
    }
}

/// Writes the parameters.
///
/// # Errors
/// Storage, out of gas.
pub fn set_params(state: &mut State<'_>, params: &Params) -> Result<(), StateError> {
    state.set(keys::PARAMS, params.encode_to_vec())
}

/// Whether a chain under the rules of `app_version` can live with the parameters.
///
/// # Errors
/// swingset 10 with the parameter's name.
pub fn validate_params(params: &Params, app_version: u64) -> Result<(), Rejected> {
    let refuse = |reason: String| Err(Refusal::Params.because(reason));
    let args = params.inbound_args_size_limit_bytes;
    if app_version < ARGS_LIMIT_SINCE && args != 0 {
        return refuse(format!(
            "inbound_args_size_limit_bytes must be 0 before app version {ARGS_LIMIT_SINCE}, got {args}"
        ));
    }
    if app_version >= ARGS_LIMIT_SINCE && !(1..=ARGS_LIMIT_MAX).contains(&args) {
        return refuse(format!("inbound_args_size_limit_bytes must be from 1 to {ARGS_LIMIT_MAX}, got {args}"));
    }
    for (name, figure, max) in [
        ("inbound_queue_max", params.inbound_queue_max, QUEUE_MAX),
        ("bundle_uncompressed_size_limit_bytes", params.bundle_uncompressed_size_limit_bytes, BUNDLE_MAX),
        ("chunk_size_limit_bytes", params.chunk_size_limit_bytes, CHUNK_MAX),
        ("computrons_per_block", params.computrons_per_block, i64::MAX as u64),
    ] {
        if figure == 0 || figure > max {
            return refuse(format!("{name} must be from 1 to {max}, got {figure}"));
        }
    }
    if params.installation_deadline_blocks <= 0 {
        return refuse(format!(
            "installation_deadline_blocks must be above 0, got {}",
            params.installation_deadline_blocks
        ));
    }
    if let Err(error) = Coins::from_proto(&params.fee_unit_price) {
        return refuse(format!("fee_unit_price: {error}"));
    }
    for (index, beans) in params.beans_per_unit.iter().enumerate() {
        if Unit::from_key(&beans.key).is_none() {
            return refuse(format!("beans_per_unit[{index}]: there is no unit {:?}", beans.key));
        }
        if params.beans_per_unit.iter().take(index).any(|other| other.key == beans.key) {
            return refuse(format!("beans_per_unit[{index}]: {:?} stands twice", beans.key));
        }
        match Int::parse(&beans.beans) {
            Err(error) => return refuse(format!("beans_per_unit[{index}].beans: {error}")),
            Ok(amount) if amount.is_zero() && beans.key == Unit::FeeUnit.key() => {
                return refuse("beans_per_unit: a feeUnit must have beans".to_owned());
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

/// A number kept as 8 big-endian bytes; 0 when there is none.
pub(super) fn number(state: &dyn StateRead, key: &[u8]) -> Result<u64, StateError> {
    let Some(bytes) = state.get(key)? else { return Ok(0) };
    let bytes: [u8; 8] = bytes
        .as_ref()
        .try_into()
        .map_err(|_| StateError::Storage(format!("{} is not a number of 8 bytes", String::from_utf8_lossy(key))))?;
    Ok(u64::from_be_bytes(bytes))
}

/// The number at the end of a key.
pub(super) fn number_of_key(key: &[u8]) -> Result<u64, StateError> {
    let tail = key.last_chunk::<8>();
    tail.map(|bytes| u64::from_be_bytes(*bytes))
        .ok_or_else(|| StateError::Storage(format!("{} does not end in a number", hex::encode(key))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_parameters_are_valid() {
        validate_params(&default_params(), 1).unwrap();
        validate_params(&completed(default_params(), 2), 2).unwrap();
    }

    #[track_caller]
    fn check_refused(change: impl FnOnce(&mut Params), part: &str) {
        let mut params = default_params();
        change(&mut params);
        let refused = validate_params(&params, 1).unwrap_err();
        assert!(refused.code == 10 && refused.log.contains(part), "{refused}");
    }

    #[test]
    fn the_limit_of_arguments_is_a_parameter_from_version_2_on_only() {
        let with = |limit| Params { inbound_args_size_limit_bytes: limit, ..default_params() };
        for (limit, app_version, valid) in [
            (0, 0, true),
            (0, 1, true),
            (1, 1, false),
            (0, 2, false),
            (1, 2, true),
            (1 << 20, 2, true),
            ((1 << 20) + 1, 2, false),
        ] {
            assert_eq!(validate_params(&with(limit), app_version).is_ok(), valid, "{limit} under {app_version}");
        }
        assert_eq!((args_limit(&with(0)), args_limit(&with(5))), (128 << 10, 5));
        assert_eq!(completed(with(0), 1), with(0));
        assert_eq!(completed(with(0), 2), with(128 << 10));
        assert_eq!(completed(with(5), 2), with(5));
    }

    #[test]
    fn parameters_that_cannot_be_are_refused_by_name() {
        check_refused(|params| params.inbound_queue_max = 0, "inbound_queue_max");
        check_refused(|params| params.chunk_size_limit_bytes = u64::MAX, "chunk_size_limit_bytes");
        check_refused(|params| params.installation_deadline_blocks = -1, "installation_deadline_blocks");
        check_refused(|params| params.beans_per_unit.push(Beans { key: "x".into(), beans: "1".into() }), "no unit");
        check_refused(|params| params.beans_per_unit[0].beans = "0".into(), "feeUnit");
        check_refused(|params| params.fee_unit_price[0].denom = "!".into(), "fee_unit_price");
    }
}

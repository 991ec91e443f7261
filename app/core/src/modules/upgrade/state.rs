//! Plans, applied upgrades and module versions in state.

use prost::Message;
use swing_proto::cosmos::upgrade::v1beta1::Plan as PlanProto;

use super::keys;
use crate::{
    modules::consensus,
    ports::upgrade::{DecisionInput, Plan, VersionMap},
    state::{State, StateError, StateRead},
};

/// The pending plan; the nearest, where there are several.
///
/// # Errors
/// Storage, out of gas.
pub fn plan(state: &dyn StateRead) -> Result<Option<Plan>, StateError> {
    let Some(bytes) = state.get(keys::PLAN)? else {
        return Ok(None);
    };
    let stored = PlanProto::decode(bytes).map_err(|error| StateError::Storage(format!("upgrade plan: {error}")))?;
    let height = u64::try_from(stored.height)
        .map_err(|_| StateError::Storage(format!("upgrade plan {}: height {}", stored.name, stored.height)))?;
    Ok(Some(Plan { name: stored.name, height, info: stored.info }))
}

/// Writes the pending plan over the one before.
///
/// # Errors
/// Storage, out of gas.
pub fn set_plan(state: &mut State<'_>, plan: &Plan) -> Result<(), StateError> {
    state.set(keys::PLAN, to_proto(plan).encode_to_vec())
}

/// Removes the pending plan.
///
/// # Errors
/// Storage, out of gas.
pub fn clear_plan(state: &mut State<'_>) -> Result<(), StateError> {
    state.delete(keys::PLAN)
}

/// The plan on the wire.
pub fn to_proto(plan: &Plan) -> PlanProto {
    PlanProto {
        name: plan.name.clone(),
        height: i64::try_from(plan.height).unwrap_or(i64::MAX),
        info: plan.info.clone(),
        ..PlanProto::default()
    }
}

/// The height at which an upgrade was applied.
///
/// # Errors
/// Storage, out of gas.
pub fn applied_height(state: &dyn StateRead, name: &str) -> Result<Option<u64>, StateError> {
    state.get(&keys::applied(name))?.map(|bytes| number(&bytes, "applied upgrade")).transpose()
}

/// All applied upgrades with their heights, by name.
///
/// # Errors
/// Storage, out of gas.
pub fn all_applied(state: &dyn StateRead) -> Result<Vec<(String, u64)>, StateError> {
    numbers_under(state, keys::APPLIED)
}

/// Records that an upgrade was applied.
///
/// # Errors
/// Storage, out of gas.
pub fn record_applied(state: &mut State<'_>, name: &str, height: u64) -> Result<(), StateError> {
    state.set(keys::applied(name), height.to_be_bytes().to_vec())?;
    state.set(keys::LAST_APPLIED, [height.to_be_bytes().as_slice(), name.as_bytes()].concat())
}

/// Name and height of the upgrade applied last.
///
/// # Errors
/// Storage, out of gas.
pub fn last_applied(state: &dyn StateRead) -> Result<Option<(String, u64)>, StateError> {
    let Some(bytes) = state.get(keys::LAST_APPLIED)? else {
        return Ok(None);
    };
    let error = || StateError::Storage("the upgrade applied last is not a height and a name".to_owned());
    let (height, name) = bytes.split_at_checked(8).ok_or_else(error)?;
    let name = std::str::from_utf8(name).map_err(|_| error())?;
    Ok(Some((name.to_owned(), number(height, "applied upgrade")?)))
}

/// The modules' versions.
///
/// # Errors
/// Storage, out of gas.
pub fn versions(state: &dyn StateRead) -> Result<VersionMap, StateError> {
    Ok(numbers_under(state, keys::VERSIONS)?.into_iter().collect())
}

/// Writes the modules' versions in place of those before.
///
/// # Errors
/// Storage, out of gas.
pub fn set_versions(state: &mut State<'_>, versions: &VersionMap) -> Result<(), StateError> {
    for gone in self::versions(state)?.keys().filter(|module| !versions.contains_key(*module)) {
        state.delete(keys::version(gone))?;
    }
    for (module, version) in versions {
        state.set(keys::version(module), version.to_be_bytes().to_vec())?;
    }
    Ok(())
}

/// A module's version; none when it is not in state.
///
/// # Errors
/// Storage, out of gas.
pub fn version(state: &dyn StateRead, module: &str) -> Result<Option<u64>, StateError> {
    state.get(&keys::version(module))?.map(|bytes| number(&bytes, module)).transpose()
}

/// What the decision about block `height` is made from. `state` is the one committed before it.
///
/// # Errors
/// Storage.
pub fn decision_input(state: &dyn StateRead, height: u64, skip_heights: &[u64]) -> Result<DecisionInput, StateError> {
    Ok(DecisionInput {
        height,
        plan: plan(state)?,
        last_applied: last_applied(state)?,
        app_version: consensus::state::app_version(state)?,
        skip_heights: skip_heights.to_vec(),
    })
}

pub(super) fn number(bytes: &[u8], what: &str) -> Result<u64, StateError> {
    let bytes =
        bytes.try_into().map_err(|_| StateError::Storage(format!("{what}: {} bytes, 8 expected", bytes.len())))?;
    Ok(u64::from_be_bytes(bytes))
}

fn numbers_under(state: &dyn StateRead, prefix: &[u8]) -> Result<Vec<(String, u64)>, StateError> {
    let mut numbers = Vec::new();
    for entry in state.prefix(prefix) {
        let (key, value) = entry?;
        let name = key.strip_prefix(prefix).and_then(|name| std::str::from_utf8(name).ok());
        let name = name.ok_or_else(|| StateError::Storage(format!("name in {}", hex::encode(&key))))?;
        numbers.push((name.to_owned(), number(&value, name)?));
    }
    Ok(numbers)
}

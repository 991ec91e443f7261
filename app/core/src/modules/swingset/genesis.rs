//! Genesis of the chain side and of the engine's state. An exported section carries every key of kernel and host; a new chain's
//! starts from the release's bundles.

use serde_json::Value;
use swing_proto::{
    json,
    swing::swingset::v1::{GenesisState, GenesisVat, KernelEntry},
};

use super::{keys, state as params, swap};
use crate::{
    genesis::GenesisError,
    modules::GenesisContext,
    ports::engine::{EngineFailure, ReleaseBundles, StaticVatConfig},
    state::{State, StateRead},
};

/// What kernel entries may begin with: the engine's own keys and this module's.
const PREFIXES: [&[u8]; 2] = [b"swingset/", b"~swingset/"];
/// Vats of a new chain whose section names none, as far as the release carries their bundles: name and bundle, in the order in
/// which they are made.
const DEFAULT_VATS: [(&str, &str); 6] = [
    ("bootstrap", "bootstrap"),
    ("counter", "counter"),
    ("mint", "mint"),
    ("alice", "party"),
    ("bob", "party"),
    ("timer", "timer"),
];
/// Parameters of a vat that has none: an empty smallcaps record.
const NO_PARAMETERS: &str = "#{}";

/// The section of a new chain.
pub fn default() -> Value {
    let state = GenesisState { params: Some(params::default_params()), ..GenesisState::default() };
    json::to_json(&state).unwrap_or(Value::Null)
}

/// Writes the section, or initializes the engine from the release's bundles.
///
/// # Errors
/// What is wrong with the section; an engine that refuses the bundles.
pub fn init(context: &mut GenesisContext<'_, '_>, section: &Value) -> Result<(), GenesisError> {
    let section: GenesisState = match section {
        Value::Null => GenesisState::default(),
        value => json::from_json(value).map_err(|error| GenesisError::at("swingset", error))?,
    };
    let app_version = context.block.app_version;
    let new = params::completed(section.params.clone().unwrap_or_else(params::default_params), app_version);
    params::validate_params(&new, app_version).map_err(|refused| GenesisError::at("swingset.params", refused))?;
    params::set_params(context.state, &new)?;
    refuse_unused(&section)?;
    if section.kernel_state.is_empty() {
        return initialize(context, &section.vats);
    }
    if !section.vats.is_empty() {
        return Err(GenesisError::at("swingset.vats", "kernel_state has its vats already: leave this empty"));
    }
    for (index, entry) in section.kernel_state.into_iter().enumerate() {
        let KernelEntry { key, value } = entry;
        if key == keys::PARAMS || !PREFIXES.iter().any(|prefix| key.starts_with(prefix)) {
            let shown = String::from_utf8_lossy(&key).into_owned();
            let path = format!("swingset.kernel_state[{index}].key");
            return Err(GenesisError::at(path, format!("{shown:?} is no key of the engine")));
        }
        context.state.set(key, value)?;
    }
    swap::pending(context.state).map_err(|error| GenesisError::at("swingset.kernel_state", error))?;
    Ok(())
}

/// Fields that this release has no use for are refused when they say something: nothing in a genesis is ignored.
fn refuse_unused(section: &GenesisState) -> Result<(), GenesisError> {
    let unused = [
        ("bundles", section.bundles.is_empty()),
        ("action_queue", section.action_queue.is_empty()),
        ("pending_installations", section.pending_installations.is_empty()),
        ("vat_memory", section.vat_memory.is_empty()),
        ("next_chunked_artifact_id", section.next_chunked_artifact_id == 0),
        ("next_action_number", section.next_action_number == 0),
        ("kernel_bundle_id", section.kernel_bundle_id.is_empty()),
        ("lockdown_bundle_id", section.lockdown_bundle_id.is_empty()),
        ("supervisor_bundle_id", section.supervisor_bundle_id.is_empty()),
    ];
    match unused.iter().find(|(_, empty)| !empty) {
        Some((field, _)) => {
            let reason =
                "must be empty: a new chain starts from its release's bundles, an exported one from kernel_state";
            Err(GenesisError::at(format!("swingset.{field}"), reason))
        }
        None => Ok(()),
    }
}

fn initialize(context: &mut GenesisContext<'_, '_>, vats: &[GenesisVat]) -> Result<(), GenesisError> {
    let app_version = context.block.app_version;
    let bundles = context.release.bundles(app_version).ok_or_else(|| {
        let release = context.release.name();
        GenesisError::at("swingset", format!("{release} has no bundles for app version {app_version}"))
    })?;
    if bundles.kernel.is_empty() {
        return if vats.is_empty() {
            Ok(())
        } else {
            Err(GenesisError::at("swingset.vats", "this release carries no kernel: no vat can be made"))
        };
    }
    let vats = static_vats(&bundles, vats)?;
    context.engine.initialize(context.state, &bundles, &vats).map_err(|failure| match failure {
        EngineFailure::Halt(halt) => GenesisError::Halt(halt),
        other => GenesisError::at("swingset", other),
    })
}

/// The vats that the section names, or the default ones when it names none.
fn static_vats(bundles: &ReleaseBundles, vats: &[GenesisVat]) -> Result<Vec<StaticVatConfig>, GenesisError> {
    let config = |name: &str, bundle: &str, parameters: String, critical: bool| StaticVatConfig {
        name: name.to_owned(),
        bundle: bundle.to_owned(),
        parameters,
        critical,
        raw: false,
    };
    let carried = |bundle: &str| bundles.vats.iter().any(|(name, _)| name == bundle);
    if vats.is_empty() {
        let vats = DEFAULT_VATS.iter().filter(|(_, bundle)| carried(bundle));
        return Ok(vats.map(|(name, bundle)| config(name, bundle, NO_PARAMETERS.to_owned(), false)).collect());
    }
    let mut configs = Vec::new();
    for (index, vat) in vats.iter().enumerate() {
        let at = |field: &str, reason: String| GenesisError::at(format!("swingset.vats[{index}].{field}"), reason);
        if !carried(&vat.bundle_id) {
            let known: Vec<_> = bundles.vats.iter().map(|(name, _)| name.as_str()).collect();
            let reason = format!("{:?} is no vat bundle of this release; it has {}", vat.bundle_id, known.join(", "));
            return Err(at("bundle_id", reason));
        }
        if vat.name.is_empty() || vat.name.contains(',') {
            return Err(at("name", format!("{:?} is empty or has a comma", vat.name)));
        }
        let parameters =
            String::from_utf8(vat.parameters.clone()).map_err(|error| at("parameters", error.to_string()))?;
        let body = if parameters.is_empty() { NO_PARAMETERS.to_owned() } else { format!("#{parameters}") };
        configs.push(config(&vat.name, &vat.bundle_id, body, vat.critical));
    }
    Ok(configs)
}

/// The section of a state: the parameters, and every other key as it is.
///
/// # Errors
/// Storage.
pub fn export(state: &dyn StateRead) -> Result<Value, GenesisError> {
    let mut entries = Vec::new();
    for prefix in PREFIXES {
        for entry in state.prefix(prefix) {
            let (key, value) = entry?;
            if key != keys::PARAMS {
                entries.push(KernelEntry { key, value: value.to_vec() });
            }
        }
    }
    let section =
        GenesisState { params: Some(params::params(state)?), kernel_state: entries, ..GenesisState::default() };
    json::to_json(&section).map_err(|error| GenesisError::at("swingset", error))
}

/// Drops what is bound to heights of the chain that is left behind: installations that wait for chunks, and a pending swap.
///
/// # Errors
/// Storage.
pub fn for_zero_height(state: &mut State<'_>) -> Result<(), GenesisError> {
    for prefix in [keys::PENDING, keys::CHUNKS] {
        let found: Vec<_> = state.prefix(prefix).map(|entry| entry.map(|(key, _)| key)).collect::<Result<_, _>>()?;
        for key in found {
            state.delete(key)?;
        }
    }
    Ok(state.delete(keys::PENDING_SWAP)?)
}

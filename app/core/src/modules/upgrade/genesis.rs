//! Genesis of upgrades. The SDK's section is empty and loses plan, applied upgrades and versions in an export; here they stay.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{info, state as upgrades};
use crate::{
    genesis::GenesisError,
    modules::GenesisContext,
    ports::upgrade::{Plan, VersionMap},
    state::StateRead,
};

/// The section. Numbers are texts, as everywhere in the SDK's JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<PlanEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    applied: Vec<AppliedEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    module_versions: Vec<VersionEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanEntry {
    name: String,
    height: String,
    #[serde(default)]
    info: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AppliedEntry {
    name: String,
    height: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionEntry {
    name: String,
    version: String,
}

/// The section of a new chain.
pub fn default() -> Value {
    json!({})
}

/// Writes the section. The module versions are those of the genesis' app version; a section that names others is from another
/// release.
///
/// # Errors
/// What is wrong with the section; an app version that the running release does not run.
pub fn init(context: &mut GenesisContext<'_, '_>, section: &Value) -> Result<(), GenesisError> {
    let section: Section = match section {
        Value::Null => Section::default(),
        value => Section::deserialize(value).map_err(|error| GenesisError::at("upgrade", error))?,
    };
    let app_version = context.block.app_version;
    let versions = context.release.module_versions(app_version).ok_or_else(|| {
        let release = context.release.name();
        GenesisError::at("upgrade", format!("{release} does not run app version {app_version} of consensus.params"))
    })?;
    check_versions(&section.module_versions, &versions)?;
    upgrades::set_versions(context.state, &versions)?;
    for (height, name) in applied(&section.applied)? {
        upgrades::record_applied(context.state, &name, height)?;
    }
    if let Some(plan) = section.plan {
        let height = positive("upgrade.plan.height", &plan.height)?;
        if plan.name.is_empty() {
            return Err(GenesisError::at("upgrade.plan.name", "name cannot be empty"));
        }
        if upgrades::applied_height(context.state, &plan.name)?.is_some() {
            let reason = format!("upgrade with name {} has already been completed", plan.name);
            return Err(GenesisError::at("upgrade.plan.name", reason));
        }
        info::check(&plan.info).map_err(|refused| GenesisError::at("upgrade.plan.info", refused))?;
        upgrades::set_plan(context.state, &Plan { name: plan.name, height, info: plan.info })?;
    }
    Ok(())
}

/// The section of a state.
///
/// # Errors
/// Storage.
pub fn export(state: &dyn StateRead) -> Result<Value, GenesisError> {
    let section = Section {
        plan: upgrades::plan(state)?.map(|plan| PlanEntry {
            name: plan.name,
            height: plan.height.to_string(),
            info: plan.info,
        }),
        applied: upgrades::all_applied(state)?
            .into_iter()
            .map(|(name, height)| AppliedEntry { name, height: height.to_string() })
            .collect(),
        module_versions: upgrades::versions(state)?
            .into_iter()
            .map(|(name, version)| VersionEntry { name, version: version.to_string() })
            .collect(),
    };
    serde_json::to_value(section).map_err(|error| GenesisError::at("upgrade", error))
}

/// Applied upgrades by height, so that the last one written is the one applied last.
fn applied(entries: &[AppliedEntry]) -> Result<Vec<(u64, String)>, GenesisError> {
    let mut by_name = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let height = positive(&format!("upgrade.applied[{index}].height"), &entry.height)?;
        if entry.name.is_empty() || by_name.insert(entry.name.clone(), height).is_some() {
            let reason = format!("\"{}\" is empty or was there before", entry.name);
            return Err(GenesisError::at(format!("upgrade.applied[{index}].name"), reason));
        }
    }
    let mut by_height: Vec<(u64, String)> = by_name.into_iter().map(|(name, height)| (height, name)).collect();
    by_height.sort();
    Ok(by_height)
}

fn check_versions(entries: &[VersionEntry], versions: &VersionMap) -> Result<(), GenesisError> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut named = VersionMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let version = positive(&format!("upgrade.module_versions[{index}].version"), &entry.version)?;
        named.insert(entry.name.clone(), version);
    }
    if named == *versions {
        return Ok(());
    }
    let reason = format!("{named:?} is not what consensus.params' app version has: {versions:?}");
    Err(GenesisError::at("upgrade.module_versions", reason))
}

fn positive(path: &str, text: &str) -> Result<u64, GenesisError> {
    text.parse()
        .ok()
        .filter(|number| *number > 0 && i64::try_from(*number).is_ok())
        .ok_or_else(|| GenesisError::at(path, format!("\"{text}\" is not a positive number")))
}

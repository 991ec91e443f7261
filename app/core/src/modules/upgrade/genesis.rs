//! Genesis of upgrades. The SDK's section is empty and loses plan, applied upgrades and versions in an export; here they stay, and so
//! do numbered plans, what became of each, and what validators attested.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json as value};
use swing_proto::{json, swing::upgrade::v1::PlansState};

use super::{
    info::{self, Keys},
    migration, params, plans, readiness, state as upgrades,
};
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
    /// `swing.upgrade.v1.PlansState`; its pending plans stand in place of `plan`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    numbered: Option<Value>,
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
    value!({})
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
    let layout_3 = plans::enabled(context.state)?;
    if let Some(plan) = section.plan {
        let plan = pending(context.state, plan, if layout_3 { Keys::All } else { Keys::First })?;
        upgrades::set_plan(context.state, &plan)?;
    }
    match section.numbered {
        Some(_) if !layout_3 => {
            let reason = format!("app version {app_version} has no numbered plans");
            return Err(GenesisError::at("upgrade.numbered", reason));
        }
        Some(numbered) => init_numbered(context, &numbered)?,
        None if layout_3 => params::set(context.state, &params::default())?,
        None => {}
    }
    if layout_3 {
        plans::complete(context.state)?;
    }
    Ok(())
}

/// The plan of a section that names one by the SDK's fields.
fn pending(state: &dyn StateRead, plan: PlanEntry, known: Keys) -> Result<Plan, GenesisError> {
    let height = positive("upgrade.plan.height", &plan.height)?;
    if plan.name.is_empty() {
        return Err(GenesisError::at("upgrade.plan.name", "name cannot be empty"));
    }
    if upgrades::applied_height(state, &plan.name)?.is_some() {
        let reason = format!("upgrade with name {} has already been completed", plan.name);
        return Err(GenesisError::at("upgrade.plan.name", reason));
    }
    info::check(&plan.info, known).map_err(|refused| GenesisError::at("upgrade.plan.info", refused))?;
    Ok(Plan { name: plan.name, height, info: plan.info })
}

fn init_numbered(context: &mut GenesisContext<'_, '_>, section: &Value) -> Result<(), GenesisError> {
    let at = |part: &str, reason: String| GenesisError::at(format!("upgrade.numbered.{part}"), reason);
    if upgrades::plan(context.state)?.is_some() {
        return Err(GenesisError::at("upgrade.plan", "it stands in numbered.records already: leave this out"));
    }
    let section: PlansState = json::from_json(section).map_err(|error| GenesisError::at("upgrade.numbered", error))?;
    let params = section.params.unwrap_or_else(params::default);
    params::check(&params).map_err(|refused| at("params", refused.log))?;
    params::set(context.state, &params)?;
    for record in &section.records {
        info::check(&record.info, Keys::All).map_err(|refused| at("records", refused.log))?;
    }
    plans::import(context.state, &section.records)?.map_err(|reason| at("records", reason))?;
    for attestation in section.attestations {
        readiness::import(context.state, &attestation)?.map_err(|reason| at("attestations", reason))?;
    }
    Ok(())
}

/// The section of a state.
///
/// # Errors
/// Storage; a module's migration that is under way: half a layout cannot be written down.
pub fn export(state: &dyn StateRead) -> Result<Value, GenesisError> {
    if let Some(migration) = migration::under_way(state)? {
        let reason = format!(
            "the migration of module {} by plan \"{}\" is under way: export when it has ended; a snapshot (`swingd snapshots export`) has its cursor and can be taken now",
            migration.module, migration.plan_name
        );
        return Err(GenesisError::at("upgrade", reason));
    }
    let numbered = if plans::enabled(state)? { Some(export_numbered(state)?) } else { None };
    let plan = upgrades::plan(state)?.filter(|_| numbered.is_none());
    let section = Section {
        plan: plan.map(|plan| PlanEntry { name: plan.name, height: plan.height.to_string(), info: plan.info }),
        numbered,
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

fn export_numbered(state: &dyn StateRead) -> Result<Value, GenesisError> {
    let section = PlansState {
        params: Some(params::params(state)?),
        records: plans::all(state)?,
        attestations: readiness::all(state)?,
    };
    json::to_json(&section).map_err(|error| GenesisError::at("upgrade.numbered", error))
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

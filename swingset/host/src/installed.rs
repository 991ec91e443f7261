//! Installed bundles, as they lie in state.

use std::sync::Arc;

use swingset_abi::wire::Wire;

use crate::{
    admission::ModuleRole,
    bundle::{self, Bundle, BundleRecord},
    engine::{EngineRuntime, PreparedModule},
    env::Environment,
    error::Halt,
    keys,
};

/// The record of a bundle, if it is installed.
pub(crate) fn record(env: &dyn Environment, id: &str) -> Result<Option<BundleRecord>, Halt> {
    let Some(bytes) = env.get(&keys::bundle_record(id))? else {
        return Ok(None);
    };
    parsed(id, &bytes).map(Some)
}

/// The record of a bundle, from its bytes in state.
pub(crate) fn parsed(id: &str, bytes: &[u8]) -> Result<BundleRecord, Halt> {
    let damaged = |_| Halt::new(format!("record of bundle {id} is damaged in this node's store"));
    BundleRecord::from_bytes(bytes).map_err(damaged)
}

/// The bundle itself, if it is installed. Its bytes are outside the tree, so they are checked against the ID.
pub(crate) fn read(env: &dyn Environment, id: &str) -> Result<Option<Bundle>, Halt> {
    if env.get(&keys::bundle_record(id))?.is_none() {
        return Ok(None);
    }
    let damaged = || Halt::new(format!("bundle {id} is missing or damaged in this node's store"));
    let bytes = env.get(&keys::bundle_bytes(id))?.ok_or_else(damaged)?;
    bundle::verify(&bytes, id).map(Some).map_err(|_| damaged())
}

/// The compiled module of an installed bundle; none when there is no such bundle of that role.
pub(crate) fn module(
    env: &dyn Environment,
    runtime: &EngineRuntime,
    id: &str,
    role: ModuleRole,
    floats: bool,
) -> Result<Option<Arc<PreparedModule>>, Halt> {
    // A module compiled before may be one that this state has not installed: presence is asked of the state.
    let Some(record) = record(env, id)? else {
        return Ok(None);
    };
    if ModuleRole::of(record.kind) != Some(role) {
        return Ok(None);
    }
    if let Some(prepared) = runtime.prepared(id, role, floats) {
        return Ok(Some(prepared));
    }
    let Some(bundle) = read(env, id)? else { return Ok(None) };
    runtime.prepare(id, role, floats, bundle.content()).map(Some)
}

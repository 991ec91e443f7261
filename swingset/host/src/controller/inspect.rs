//! Looking at the state: what the embedder shows, and what tests compare.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Controller, EngineStatus, Result};
use crate::{
    bundle::BundleRecord,
    env::{Environment, for_each_entry},
    installed, keys,
};

/// What the engine is made of now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineView {
    /// The kernel's bundle.
    pub kernel_bundle_id: Option<String>,
    /// The default lockdown policy's.
    pub lockdown_bundle_id: Option<String>,
    /// The default supervisor's.
    pub supervisor_bundle_id: Option<String>,
    /// The kernel state's schema.
    pub schema: Option<u32>,
    /// Cranks done.
    pub crank_number: u64,
    /// A schema migration is under way.
    pub migrating: bool,
    /// Why the engine is stopped, if it is.
    pub stopped: Option<EngineStatus>,
}

impl Controller {
    /// Hash chain over everything that the kernel ever did; empty before the first crank.
    ///
    /// # Errors
    /// Halt.
    pub fn get_activityhash(&self, env: &dyn Environment) -> Result<String> {
        Ok(self.host_text(env, keys::ACTIVITY_HASH)?.unwrap_or_default())
    }

    /// The three IDs, the schema and the status.
    ///
    /// # Errors
    /// Halt.
    pub fn view(&self, env: &dyn Environment) -> Result<EngineView> {
        let number = |name: &str| -> Result<Option<u64>> {
            let value = env.get(&keys::kernel(name.as_bytes()))?;
            Ok(value.and_then(|bytes| std::str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok())))
        };
        Ok(EngineView {
            kernel_bundle_id: self.host_text(env, keys::KERNEL_BUNDLE_ID)?,
            lockdown_bundle_id: self.host_text(env, keys::LOCKDOWN_BUNDLE_ID)?,
            supervisor_bundle_id: self.host_text(env, keys::SUPERVISOR_BUNDLE_ID)?,
            schema: number(keys::KERNEL_SCHEMA)?.and_then(|schema| u32::try_from(schema).ok()),
            crank_number: number(keys::KERNEL_CRANK_NUMBER)?.unwrap_or(0),
            migrating: env.get(&keys::host(keys::MIGRATION))?.is_some(),
            stopped: self.get_status(env)?,
        })
    }

    /// The record of an installed bundle.
    ///
    /// # Errors
    /// Halt.
    pub fn bundle_record(&self, env: &dyn Environment, id: &str) -> Result<Option<BundleRecord>> {
        Ok(installed::record(env, id)?)
    }

    /// The bytes of an installed bundle.
    ///
    /// # Errors
    /// Halt.
    pub fn bundle_bytes(&self, env: &dyn Environment, id: &str) -> Result<Option<Bytes>> {
        Ok(env.get(&keys::bundle_bytes(id))?)
    }

    /// The whole kvStore, by the kernel's keys. For tests and `dump`: it reads everything.
    ///
    /// # Errors
    /// Halt.
    pub fn dump(&self, env: &dyn Environment) -> Result<BTreeMap<Vec<u8>, Bytes>> {
        let mut entries = BTreeMap::new();
        for_each_entry(env, keys::KERNEL, |key, value| -> Result<()> {
            entries.insert(key.to_vec(), value);
            Ok(())
        })?;
        Ok(entries)
    }
}

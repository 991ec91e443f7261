//! The migration of the kernel's schema: at once, or a slice a run with its cursor in state.
//!
//! # Invariants
//! - While one is under way no command runs and no bundle is swapped. The one exception is a kernel that stopped in it: another that
//!   leads to the same schema takes it on.

use bytes::Bytes;
use swingset_abi::{
    kernel::{Command, Reply},
    wire::{Blob, Wire},
};

use super::{Controller, Result, crank::unexpected, swap::refuse};
use crate::{
    bundle::{BundleKind, BundleRecord},
    env::Environment,
    error::{EngineError, RejectCode},
    installed, keys,
};

/// How much of a migration may run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MigrationBudget {
    /// The kernel's measure of one slice (keys that it may touch).
    pub slice: u64,
    /// Slices in this call.
    pub slices_max: u32,
    /// Whether the rest may wait for later blocks; else a migration that does not end is refused.
    pub may_continue: bool,
}

impl MigrationBudget {
    /// For an in-band swap: one block or not at all.
    pub const IN_BAND: MigrationBudget = MigrationBudget { slice: 10_000, slices_max: 16, may_continue: false };
    /// For a software upgrade: one slice in the upgrade's block, the rest later.
    pub const UPGRADE: MigrationBudget = MigrationBudget { slice: 10_000, slices_max: 1, may_continue: true };
}

impl Controller {
    /// Whether a swap to this kernel takes on a migration whose own kernel stopped in it; an error while one runs. Only forward: the
    /// kernel must lead to the same schema, and finds the cursor where the last good slice left it.
    pub(super) fn takes_migration_on(&self, env: &dyn Environment, id: &str) -> Result<bool> {
        if env.get(&keys::host(keys::MIGRATION))?.is_none() {
            return Ok(false);
        }
        if self.get_status(env)?.is_none() {
            return refuse(
                RejectCode::Migrating,
                "a schema migration is under way; the next swap must wait until it is done",
            );
        }
        let leads_to = |id: &str| -> Result<Option<u32>> {
            Ok(installed::record(env, id)?
                .filter(|record| record.kind == BundleKind::Kernel {})
                .map(|record| record.schema_to))
        };
        let present = self.host_text(env, keys::KERNEL_BUNDLE_ID)?.unwrap_or_default();
        match (leads_to(&present)?, leads_to(id)?) {
            // What is no kernel at all is told of by the rules for kernels.
            (_, None) => Ok(true),
            (wanted, offered) if wanted == offered => Ok(true),
            (wanted, offered) => {
                let problem = format!(
                    "the engine stopped in a migration to schema {}; kernel {id} leads to schema {}: only one that leads to the same \
                     schema can take it on",
                    wanted.unwrap_or_default(),
                    offered.unwrap_or_default()
                );
                refuse(RejectCode::Migrating, problem)
            }
        }
    }

    /// Runs a migration; true when it goes on later.
    pub(super) fn migrate(
        &mut self,
        env: &mut dyn Environment,
        record: &BundleRecord,
        budget: MigrationBudget,
    ) -> Result<bool> {
        let mut cursor = Blob::default();
        for _ in 0..budget.slices_max {
            let command = Command::Migrate { cursor, budget: budget.slice };
            match self.try_command(env, &command)? {
                Reply::Migrated { more: false, .. } => {
                    self.settle(env)?;
                    return self.check_migrated(env, record).map(|()| false);
                }
                Reply::Migrated { cursor: next, .. } => cursor = next,
                other => return Err(unexpected(&other)),
            }
        }
        if !budget.may_continue {
            let problem =
                format!("the migration did not end within {} slices; use a software upgrade", budget.slices_max);
            return refuse(RejectCode::Migration, problem);
        }
        env.set(&keys::host(keys::MIGRATION), Bytes::from(cursor.to_bytes()))?;
        Ok(true)
    }

    fn check_migrated(&self, env: &dyn Environment, record: &BundleRecord) -> Result<()> {
        match self.view(env)?.schema {
            Some(schema) if schema == record.schema_to => Ok(()),
            schema => {
                let problem = format!("after the migration the schema is {schema:?}, not {}", record.schema_to);
                refuse(RejectCode::Migration, problem)
            }
        }
    }

    /// Whether the state, with what the kernel has pending, is of the schema that the kernel leads to.
    pub(super) fn has_migrated(&mut self, env: &dyn Environment) -> Result<bool> {
        let kernel = self.host_text(env, keys::KERNEL_BUNDLE_ID)?.unwrap_or_default();
        let wanted = installed::record(env, &kernel)?.map(|record| record.schema_to);
        let schema = self.desk.kv.get(env, keys::KERNEL_SCHEMA.as_bytes())?;
        let schema = schema.and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
        Ok(schema.is_some() && schema == wanted)
    }

    /// One slice of a migration that is under way; false when there is none. A fault, and an end in another schema than the kernel's,
    /// stop the engine with the cursor where the last good slice left it: there is only forward.
    pub(super) fn migrate_slice(&mut self, env: &mut dyn Environment) -> Result<bool> {
        let key = keys::host(keys::MIGRATION);
        let Some(cursor) = env.get(&key)? else { return Ok(false) };
        let cursor =
            Blob::from_bytes(&cursor).map_err(|_| EngineError::halt("the migration's cursor in state is damaged"))?;
        match self.command(env, &Command::Migrate { cursor, budget: MigrationBudget::UPGRADE.slice })? {
            Reply::Migrated { more: false, .. } => env.delete(&key)?,
            Reply::Migrated { cursor, .. } => env.set(&key, Bytes::from(cursor.to_bytes()))?,
            other => return Err(unexpected(&other)),
        }
        Ok(true)
    }
}

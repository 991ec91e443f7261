//! A network of validators.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, ensure};

use crate::{
    binaries::Binaries,
    genesis::{Plan, prepare},
    validator::Validator,
    wait,
};

/// Validators that share a genesis.
#[derive(Debug)]
pub struct Network {
    /// What it was made from.
    pub plan: Plan,
    /// Its validators.
    pub validators: Vec<Validator>,
    /// The binaries that it runs.
    pub binaries: Binaries,
}

impl Network {
    /// Makes the homes under `folder` with the binary `program`. Nothing is started.
    ///
    /// # Errors
    /// When a command fails.
    pub fn create(plan: Plan, folder: &Path, binaries: Binaries, program: &str) -> Result<Self> {
        let validators = prepare(&plan, folder, &binaries, program)?;
        Ok(Network { plan, validators, binaries })
    }

    /// Starts all validators with this binary.
    ///
    /// # Errors
    /// When one cannot be started.
    pub fn start_all(&mut self, program: &str) -> Result<()> {
        for validator in &mut self.validators {
            validator.start(&self.binaries, program, &[])?;
        }
        Ok(())
    }

    /// The first validator.
    ///
    /// # Errors
    /// Never in a network that [`Network::create`] made.
    pub fn first(&self) -> Result<&Validator> {
        self.validators.first().context("the network has no validators")
    }

    /// Waits until every validator's RPC reports at least `height`; a node that ends meanwhile is an error.
    ///
    /// # Errors
    /// At the deadline, with the last answer.
    pub fn wait_for_height(&mut self, height: u64, limit: Duration) -> Result<()> {
        for validator in &mut self.validators {
            let rpc = validator.rpc();
            let what = format!("{} to reach height {height}", validator.name);
            wait::until_ok(&what, limit, || rpc.height().map(|at| (at >= height).then_some(())))
                .with_context(|| validator.node().map(|node| node.output_tail(20)).unwrap_or_default())?;
        }
        Ok(())
    }

    /// App hashes after `height` of all validators, which must be one.
    ///
    /// # Errors
    /// When one lacks the block after `height`, or two differ.
    pub fn common_app_hash(&self, height: u64) -> Result<String> {
        let mut common: Option<String> = None;
        for validator in &self.validators {
            let hash = wait::until_ok("the next block", Duration::from_secs(30), || {
                Ok(Some(validator.rpc().app_hash_after(height)?))
            })?;
            if let Some(other) = &common {
                ensure!(*other == hash, "{} has app hash {hash} after {height}, others {other}", validator.name);
            }
            common = Some(hash);
        }
        common.context("the network has no validators")
    }

    /// Stops all validators.
    ///
    /// # Errors
    /// When one does not stop in time.
    pub fn stop_all(&mut self, limit: Duration) -> Result<()> {
        for validator in &mut self.validators {
            validator.stop(limit)?;
        }
        Ok(())
    }
}

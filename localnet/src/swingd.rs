//! The node's command line, as a function.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// One binary on one home.
#[derive(Clone, Debug)]
pub struct Swingd {
    /// The binary.
    pub program: PathBuf,
    /// The home folder.
    pub home: PathBuf,
}

impl Swingd {
    /// The command with these arguments and `--home`.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--home").arg(&self.home);
        command
    }

    /// Runs it; gives what it printed on standard output.
    ///
    /// # Errors
    /// When it ends with another code than 0; with what it said.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).output().with_context(|| format!("running {}", self.program.display()))?;
        if !output.status.success() {
            bail!(
                "`swingd {}` ended with {}: {}",
                arguments.join(" "),
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it with `-o json`.
    ///
    /// # Errors
    /// As [`Swingd::run`], or when it printed something that is not JSON.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        let mut arguments = arguments.to_vec();
        arguments.extend(["-o", "json"]);
        let text = self.run(&arguments)?;
        serde_json::from_str(&text).with_context(|| format!("`swingd {}` printed no JSON: {text}", arguments.join(" ")))
    }

    /// A query through the node at `rpc`.
    ///
    /// # Errors
    /// As [`Swingd::json`].
    pub fn query(&self, rpc: &str, arguments: &[&str]) -> Result<Value> {
        let mut all = vec!["query"];
        all.extend(arguments);
        all.extend(["--node", rpc]);
        self.json(&all)
    }

    /// Signs and broadcasts a transaction and waits until it is in a block with code 0.
    ///
    /// # Errors
    /// When it is refused, fails or is not included in time.
    pub fn tx(&self, rpc: &str, chain_id: &str, from: &str, arguments: &[&str]) -> Result<Value> {
        let mut all = vec!["tx"];
        all.extend(arguments);
        all.extend([
            "--from",
            from,
            "--chain-id",
            chain_id,
            "--node",
            rpc,
            "--keyring-backend",
            "test",
            "--gas",
            "2000000",
        ]);
        all.extend(["--fees", "20000uswing", "--yes"]);
        let sent = self.json(&all)?;
        if sent["code"].as_u64() != Some(0) {
            bail!("`swingd tx {}` was refused: {sent}", arguments.join(" "));
        }
        let hash = sent["txhash"].as_str().context("no txhash")?.to_owned();
        let included = self.query(rpc, &["wait-tx", &hash])?;
        if included["code"].as_u64() != Some(0) {
            bail!("`swingd tx {}` failed: {}", arguments.join(" "), included["raw_log"]);
        }
        Ok(included)
    }
}

/// Path as text for an argument.
///
/// # Errors
/// When it is not UTF-8.
pub fn text(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}

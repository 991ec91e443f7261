//! What a scenario saw, for people while it runs and for machines at its end.

use std::{io::Write, path::Path};

use anyhow::Result;
use serde::Serialize;

/// Tells a story line by line.
#[derive(Debug, Default)]
pub struct Narrator {
    quiet: bool,
    step: u32,
}

impl Narrator {
    /// One that prints, or, with `quiet`, does not.
    pub fn new(quiet: bool) -> Self {
        Narrator { quiet, step: 0 }
    }

    /// A new step.
    pub fn step(&mut self, text: &str) {
        self.step = self.step.saturating_add(1);
        self.line(&format!("\n[{}] {text}", self.step));
    }

    /// A detail of the present step.
    pub fn say(&mut self, text: &str) {
        self.line(&format!("    {text}"));
    }

    fn line(&mut self, text: &str) {
        if !self.quiet {
            let mut out = std::io::stdout().lock();
            // A closed pipe must not end the scenario half-way with processes running.
            let _ = writeln!(out, "{text}");
            let _ = out.flush();
        }
    }
}

/// The outcome of the upgrade scenario.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UpgradeReport {
    /// What made the blocks.
    pub engine: String,
    /// How many validators.
    pub validators: usize,
    /// Name of the plan.
    pub plan: String,
    /// Its height.
    pub upgrade_height: u64,
    /// Last height that each version-1 node committed.
    pub stop_heights: Vec<u64>,
    /// Exit code of each version-1 node at its stop, and at the restart after it.
    pub exit_codes: Vec<(i32, i32)>,
    /// Kernel, lockdown and supervisor bundle IDs before.
    pub bundles_before: [String; 3],
    /// The same after.
    pub bundles_after: [String; 3],
    /// Kernel schema before and after.
    pub schema: [u64; 2],
    /// App hash, common to all validators, after H−1, H and the last height looked at.
    pub app_hashes: Vec<(u64, String)>,
    /// Messages that the chain accepted while all this happened.
    pub messages_accepted: u64,
    /// Messages that the contract counted.
    pub messages_delivered: u64,
    /// Milliseconds from the last stop to block H on all validators.
    pub pause_ms: u64,
    /// Final height.
    pub final_height: u64,
}

impl UpgradeReport {
    /// Writes it as JSON.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        std::fs::write(path, serde_json::to_vec_pretty(self)?)?;
        Ok(())
    }
}

//! The toy node's state: one file, replaced by rename, and a log of what it did.

use std::{fs, io::Write as _, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Plan {
    #[serde(default)]
    pub id: Option<u64>,
    pub name: String,
    pub height: u64,
    pub info: String,
    /// What the node says of it beside.
    #[serde(default)]
    pub readiness: Option<Value>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub committed_height: u64,
    pub app_version: u64,
    pub plan: Option<Plan>,
    /// Plans behind that one.
    #[serde(default)]
    pub later: Vec<Plan>,
    /// What the node says of checkpoints.
    #[serde(default)]
    pub checkpoint: Option<Value>,
    /// It ends with 0 at this height.
    pub until: Option<u64>,
    pub block_ms: u64,
}

impl State {
    pub fn load(home: &Path) -> Self {
        let text = fs::read(home.join("data/application.db/state.json")).expect("the state");
        serde_json::from_slice(&text).expect("JSON")
    }

    pub fn store(&self, home: &Path) {
        let path = home.join("data/application.db/state.json");
        let made = path.with_extension("tmp");
        fs::write(&made, serde_json::to_vec(self).expect("JSON")).expect("written");
        fs::rename(&made, &path).expect("renamed");
    }

    pub fn app_hash(&self) -> String {
        format!("{:08X}", self.committed_height * 1000 + self.app_version)
    }
}

/// A line of the log of what it did.
pub fn note(home: &Path, line: &str) {
    let mut log = fs::OpenOptions::new().create(true).append(true).open(home.join("toy.log")).expect("the log");
    writeln!(log, "{line}").expect("written");
}

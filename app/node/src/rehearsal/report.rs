//! What a rehearsal found.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::invariants::Checked;

/// One block that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockReport {
    /// Its height.
    pub height: u64,
    /// The app hash after it.
    pub app_hash: Vec<u8>,
    /// How long it took, execution and commit, milliseconds.
    pub duration_ms: u64,
    /// Keys whose value changed.
    pub keys_written: u64,
    /// Keys that were there and are not.
    pub keys_deleted: u64,
    /// Bytes of the values written, and of their keys.
    pub bytes_written: u64,
}

/// A rehearsal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The release that was rehearsed.
    pub release: String,
    /// The app version that it leads to.
    pub app_version: u64,
    /// The chain.
    pub chain_id: String,
    /// What was rehearsed: the plan's name, or the bundles of a kernel swap.
    pub target: String,
    /// The committed height that it was rehearsed on.
    pub height: u64,
    /// The app hash of that height.
    pub app_hash: Vec<u8>,
    /// The blocks that were made, the upgrade's first.
    pub blocks: Vec<BlockReport>,
    /// Why a block could not be made.
    pub failure: Option<String>,
    /// What must be true, before and after.
    pub before: Vec<Checked>,
    /// The same after the last block.
    pub after: Vec<Checked>,
    /// By how many bytes the database's folder grew.
    pub growth_bytes: i64,
    /// The most memory that the process held, bytes; none where the system does not tell.
    pub memory_peak_bytes: Option<u64>,
}

impl Report {
    /// Whether the upgrade went through and left everything as it must be.
    pub fn passed(&self) -> bool {
        self.failure.is_none() && !self.after.is_empty() && self.after.iter().all(|checked| checked.broken == 0)
    }

    /// The digest that validators compare: SHA-256 over chain, state, target, and the app hashes after each block. None when the
    /// upgrade failed.
    pub fn digest(&self) -> Option<String> {
        if self.failure.is_some() {
            return None;
        }
        let mut text = format!(
            "swingd rehearsal 1\nchain {}\nheight {}\napp hash {}\ntarget {}\n",
            self.chain_id,
            self.height,
            hex::encode(&self.app_hash),
            self.target
        );
        for block in &self.blocks {
            text.push_str(&format!("block {} {}\n", block.height, hex::encode(&block.app_hash)));
        }
        Some(hex::encode(Sha256::digest(text.as_bytes())))
    }

    /// As it is printed: numbers of 64 bits as text, as everywhere in the SDK's JSON.
    pub fn to_json(&self) -> Value {
        let (first, rest) =
            self.blocks.split_first().map_or((None, [].as_slice()), |(first, rest)| (Some(first), rest));
        json!({
            "passed": self.passed(),
            "release": self.release,
            "app_version": self.app_version.to_string(),
            "chain_id": self.chain_id,
            "target": self.target,
            "height": self.height.to_string(),
            "app_hash": hex::encode_upper(&self.app_hash),
            "digest": self.digest(),
            "failure": self.failure,
            "upgrade_block": first.map(block_json),
            "blocks_after": rest.iter().map(block_json).collect::<Vec<_>>(),
            "invariants_before": self.before.iter().map(checked_json).collect::<Vec<_>>(),
            "invariants": self.after.iter().map(checked_json).collect::<Vec<_>>(),
            "growth_bytes": self.growth_bytes.to_string(),
            "memory_peak_bytes": self.memory_peak_bytes.map(|bytes| bytes.to_string()),
        })
    }
}

fn block_json(block: &BlockReport) -> Value {
    json!({
        "height": block.height.to_string(),
        "app_hash": hex::encode_upper(&block.app_hash),
        "duration_ms": block.duration_ms.to_string(),
        "keys_written": block.keys_written.to_string(),
        "keys_deleted": block.keys_deleted.to_string(),
        "bytes_written": block.bytes_written.to_string(),
    })
}

fn checked_json(checked: &Checked) -> Value {
    json!({
        "name": checked.name,
        "looked_at": checked.looked_at.to_string(),
        "broken": checked.broken.to_string(),
        "told": checked.told,
    })
}

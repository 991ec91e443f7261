//! `swingd status`, answered from the database by swingd itself: with the node running, during a handshake, and after it stopped.
//!
//! The shape is that of the SDK's command, under the keys of both of its generations (`sync_info` and `SyncInfo`), since
//! supervisors read either. `latest_block_height` is the committed height, and once a stop for an upgrade is due the plan's: that is
//! what a node of the SDK says there, whose engine has stored the block that nobody executes, and a supervisor acts at no
//! height below. `application.committed_height` is the committed height always.

mod readiness;
mod takeover;
mod ways_back;

use std::path::Path;

use serde_json::{Value, json};
use swing_core::{
    block::Time,
    chain,
    error::Halt,
    modules::upgrade::{self, plans, preblock},
    ports::upgrade::{Plan, Release},
    state::StateError,
};
use swing_files::Disk;
use swing_store::{Store, StoreError, StoreOptions, View};

use crate::{
    app::DATABASE_FOLDER,
    config::{Home, cometbft::CometConfig, node_keys::NodeKey},
    divergence::{self, Divergence},
    lifecycle::{Refusal, SkippedPlan, refusal_of, skipped_plans},
};

pub use readiness::Readiness;
pub use takeover::Takeover;

/// Tries to read while the node writes.
const TRIES: u32 = 10;

/// Memory for one look, bytes.
const CACHE_BYTES: usize = 8 << 20;

/// A plan among those that are pending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingPlan {
    /// Its number; none under rules that number no plans.
    pub id: Option<u64>,
    /// The plan.
    pub plan: Plan,
    /// Power that attests that it is ready, where the plan asks for some.
    pub readiness: Option<Readiness>,
}

impl PendingPlan {
    fn all(view: &View) -> Result<Vec<Self>, StateError> {
        if !plans::enabled(view)? {
            let alone = |plan| PendingPlan { id: None, plan, readiness: None };
            return Ok(upgrade::state::plan(view)?.into_iter().map(alone).collect());
        }
        // A record's height was checked when it was written; one that is none would never come.
        let height = |height: i64| u64::try_from(height).unwrap_or(u64::MAX);
        let pending = plans::pending(view)?.into_iter().map(|record| {
            Ok(PendingPlan {
                id: Some(record.id),
                readiness: Readiness::of(view, &record)?,
                plan: Plan { height: height(record.height), name: record.name, info: record.info },
            })
        });
        pending.collect()
    }

    fn to_json(&self) -> Value {
        let mut json = plan_json(&self.plan);
        json["id"] = json!(self.id.map(|id| id.to_string()));
        json["readiness"] = json!(self.readiness.map(Readiness::to_json));
        json
    }
}

/// What the database says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The chain's ID; empty before the first block.
    pub chain_id: String,
    /// The committed height; 0 before the first block.
    pub height: u64,
    /// The app hash after it.
    pub app_hash: Vec<u8>,
    /// The committed app version.
    pub app_version: u64,
    /// Time of the last block.
    pub time: Time,
    /// The pending plan; the nearest, where there are several.
    pub plan: Option<Plan>,
    /// All pending plans, the nearest first.
    pub plans: Vec<PendingPlan>,
    /// Why this binary goes no further, if it does not.
    pub refusal: Option<Refusal>,
    /// The upgrade that was applied last, and its height.
    pub last_applied: Option<(String, u64)>,
    /// The proof that the chain has gone on from another state, if CometBFT's log has it.
    pub diverged: Option<Divergence>,
    /// Plans that this node has skipped.
    pub skipped: Vec<SkippedPlan>,
}

impl Status {
    /// Reads the database in a data folder.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn read(data_folder: &Path, release: &dyn Release) -> Result<Self, Halt> {
        let failed = |error: StateError| Halt::new(error.to_string());
        let Some(view) = look(&data_folder.join(DATABASE_FOLDER)).map_err(|error| Halt::new(error.to_string()))? else {
            return Ok(Status::default());
        };
        if view.version() == 0 {
            return Ok(Status::default());
        }
        let block = chain::last_block(&view).map_err(failed)?;
        let next = view.version().saturating_add(1);
        let decision = preblock::decide(&view, next, release, &[]).map_err(failed)?;
        // A log that cannot be read proves nothing.
        let diverged = divergence::find(data_folder, &view, view.version(), &view.root_hash()).ok().flatten();
        Ok(Status {
            chain_id: block.chain_id,
            height: view.version(),
            app_hash: view.root_hash().to_vec(),
            app_version: block.app_version,
            time: block.time,
            plan: upgrade::state::plan(&view).map_err(failed)?,
            plans: PendingPlan::all(&view).map_err(failed)?,
            refusal: refusal_of(release, next, decision),
            last_applied: upgrade::state::last_applied(&view).map_err(failed)?,
            diverged,
            skipped: skipped_plans(&Disk, data_folder),
        })
    }

    /// The committed height; 0 where there is none to be read.
    pub fn committed_height(data_folder: &Path) -> u64 {
        look(&data_folder.join(DATABASE_FOLDER)).ok().flatten().map_or(0, |view| view.version())
    }

    /// A divergence, with what this node did in the block that came out otherwise.
    fn diverged_json(&self, diverged: &Divergence) -> Value {
        let applied = self.last_applied.as_ref().filter(|(_, height)| *height == diverged.height);
        let skipped = self.skipped.iter().find(|plan| plan.height == diverged.height);
        let did = match (applied, skipped) {
            (Some((name, _)), _) => format!("upgrade {name} was applied here in block {}", diverged.height),
            (None, Some(plan)) => format!("plan {} was skipped here in block {}", plan.name, diverged.height),
            (None, None) => "neither an upgrade nor a skipped plan is known of that block here".to_owned(),
        };
        json!({
            "height": diverged.height.to_string(),
            "app_hash": hex::encode_upper(&diverged.ours),
            "chains_app_hash": hex::encode_upper(&diverged.theirs),
            "signed_power": format!("{} of {}", diverged.power, diverged.power_in_all),
            "did": did,
            "what_to_do": diverged.to_string(),
        })
    }

    /// The height for supervisors.
    pub fn supervised_height(&self) -> u64 {
        let due = self.refusal.as_ref().and_then(Refusal::needed_plan);
        due.map_or(self.height, |plan| plan.height.max(self.height))
    }

    /// The answer of the command.
    pub fn to_json(&self, home: &Home, release: &dyn Release) -> Value {
        let moniker = CometConfig::load(home).map(|config| config.moniker).unwrap_or_default();
        let node_id = NodeKey::load(&home.node_key()).map(|key| key.id()).unwrap_or_default();
        let node_info = json!({
            "protocol_version": { "p2p": "8", "block": "11", "app": self.app_version.to_string() },
            "id": node_id,
            "network": self.chain_id,
            "moniker": moniker,
        });
        let sync_info = json!({
            "latest_app_hash": hex::encode_upper(&self.app_hash),
            "latest_block_height": self.supervised_height().to_string(),
            "latest_block_time": self.time.to_rfc3339(),
            "catching_up": false,
        });
        let validator_info = validator_info(home);
        json!({
            "node_info": node_info,
            "sync_info": sync_info,
            "validator_info": validator_info,
            "NodeInfo": node_info,
            "SyncInfo": sync_info,
            "ValidatorInfo": validator_info,
            "application": {
                "release": release.name(),
                "committed_height": self.height.to_string(),
                "app_version": self.app_version.to_string(),
                "plan": self.plan.as_ref().map(plan_json),
                "plans": self.plans.iter().map(PendingPlan::to_json).collect::<Vec<_>>(),
                "skipped_upgrades": self.skipped.iter().map(skipped_json).collect::<Vec<_>>(),
                "checkpoint": ways_back::next(home, self.height),
                "checkpoints": ways_back::kept(home, self.height),
                "diverged": self.diverged.as_ref().map(|diverged| self.diverged_json(diverged)),
                "stop": self.refusal.as_ref().map(|refusal| json!({
                    "exit_code": refusal.exit_code().code(), "lines": refusal.lines(),
                })),
            },
        })
    }
}

fn plan_json(plan: &Plan) -> Value {
    json!({ "name": plan.name, "height": plan.height.to_string(), "info": plan.info })
}

fn skipped_json(plan: &SkippedPlan) -> Value {
    json!({
        "name": plan.name,
        "height": plan.height.to_string(),
        "sync": format!(
            "a node that syncs from below {} needs --unsafe-skip-upgrades {}, and comes to another state without", plan.height, plan.height
        ),
    })
}

/// The committed version. The node may take a file away while it is looked at; then the next look sees the file's successor.
fn look(database: &Path) -> Result<Option<View>, StoreError> {
    let options =
        StoreOptions { block_cache_bytes: CACHE_BYTES, node_cache_bytes: CACHE_BYTES, ..StoreOptions::default() };
    let mut tried = Store::peek(database, options);
    for _ in 1..TRIES {
        if tried.is_ok() {
            break;
        }
        tried = Store::peek(database, options);
    }
    tried
}

fn validator_info(home: &Home) -> Value {
    match NodeKey::load(&home.priv_validator_key()) {
        Ok(key) => json!({ "Address": hex::encode_upper(key.address().as_bytes()) }),
        // A full node has none, or its key is with a remote signer.
        Err(_) => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use swing_core::ports::upgrade::{Decision, Plan};

    use super::Status;
    use crate::{
        divergence::Divergence,
        lifecycle::{Refusal, SkippedPlan},
    };

    #[test]
    fn a_node_that_diverged_is_told_what_it_did_in_that_block() {
        let diverged = Divergence { height: 100, ours: vec![1], theirs: vec![2], power: 30, power_in_all: 40 };
        let check = |applied: u64, skipped: u64, did: &str| {
            let status = Status {
                last_applied: Some(("version-2".to_owned(), applied)),
                skipped: vec![SkippedPlan { name: "version-2".to_owned(), height: skipped }],
                ..Status::default()
            };
            let told = status.diverged_json(&diverged);
            assert_eq!(told["did"], did);
            assert_eq!((&told["app_hash"], &told["chains_app_hash"]), (&"01".into(), &"02".into()));
        };
        check(100, 99, "upgrade version-2 was applied here in block 100");
        check(99, 100, "plan version-2 was skipped here in block 100");
        check(99, 101, "neither an upgrade nor a skipped plan is known of that block here");
    }

    #[test]
    fn a_supervisor_hears_the_plans_height_once_the_stop_is_due_and_the_committed_one_before() {
        let plan = Plan { name: "version-2".to_owned(), height: 100, info: String::new() };
        let mut status = Status { height: 98, plan: Some(plan.clone()), ..Status::default() };
        assert_eq!(status.supervised_height(), 98);
        status.height = 99;
        let decision = Decision::Needed(plan);
        status.refusal = Some(Refusal { release: "version-1".to_owned(), height: 100, decision });
        assert_eq!(status.supervised_height(), 100);
        assert_eq!(status.height, 99);
    }
}

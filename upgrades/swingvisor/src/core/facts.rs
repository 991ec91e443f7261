//! What is known when a decision is taken.

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Slot};

/// What the operator wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A missing binary may be downloaded.
    pub download: bool,
    /// A backup is made before a plan's switch.
    pub backup: bool,
    /// The new binary is started after a switch; otherwise swingvisor ends.
    pub restart_after_upgrade: bool,
    /// Folder names keep the case of plans' names.
    pub keep_case: bool,
    /// Heights whose plans the node was told to skip.
    pub skip_heights: BTreeSet<u64>,
    /// Crashes in a row after which swingvisor ends with the node's exit code; 0 is never.
    pub restarts_max: u32,
    /// The first rest, milliseconds.
    pub backoff_min_ms: u64,
    /// The longest rest, milliseconds.
    pub backoff_max_ms: u64,
    /// How long a node may go on once committed state says that it must stop, milliseconds.
    pub stop_grace_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            download: false,
            backup: true,
            restart_after_upgrade: true,
            keep_case: false,
            skip_heights: BTreeSet::new(),
            restarts_max: 0,
            backoff_min_ms: 1_000,
            backoff_max_ms: 60_000,
            stop_grace_ms: 30_000,
        }
    }
}

/// What became of the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Child {
    /// It was not started by this swingvisor yet.
    #[default]
    NotStarted,
    /// It ended by itself with this code, or by a signal (128 and its number), and what followed from that is not done yet.
    Ended {
        /// The code.
        code: u8,
    },
    /// It ended, and the rest after that is over.
    Rested,
    /// It was stopped because swingvisor was told to stop; with its exit code.
    Stopped {
        /// The code.
        code: u8,
    },
}

/// Everything that a decision with the node dead rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What the operator wants.
    pub policy: Policy,
    /// What became of the node.
    pub child: Child,
    /// Where the link points; none when it is missing or leads out of the layout.
    pub current: Option<Slot>,
    /// Slots that have a binary.
    pub installed: BTreeSet<Slot>,
    /// Answers to questions asked since the node died and since the last rest.
    pub asked: BTreeMap<Slot, Answer>,
    /// Why a download failed, since the last rest.
    pub fetch_failed: Option<String>,
    /// Slots whose binary is not the one that their plan names, and why.
    pub not_planned: BTreeMap<Slot, String>,
    /// Why the new binary, or the operator's own check, refused to take over.
    pub refused: Option<String>,
    /// A switch was finished and the new binary was not started yet.
    pub just_switched: bool,
    /// Crashes in a row.
    pub crashes: u32,
    /// Why the node that ended last was ended by swingvisor, if it was; until a block was committed since.
    pub ended_because: Option<String>,
    /// Slots whose handler failed in this swingvisor's life, with their binary's hash: the same bytes fail again.
    pub handler_failed: BTreeSet<Slot>,
}

impl Facts {
    /// What is known at the start, before anything was looked at.
    pub fn new(policy: Policy) -> Self {
        Facts {
            policy,
            child: Child::default(),
            current: None,
            installed: BTreeSet::new(),
            asked: BTreeMap::new(),
            fetch_failed: None,
            not_planned: BTreeMap::new(),
            refused: None,
            just_switched: false,
            crashes: 0,
            ended_because: None,
            handler_failed: BTreeSet::new(),
        }
    }
}

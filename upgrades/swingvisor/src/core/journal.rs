//! The journal: how far an upgrade has come, and which binary ran before. It remembers; committed state decides.

use serde::{Deserialize, Serialize};

use super::{Plan, Slot};

/// The form of the file; another one is not read.
const FORMAT: u32 = 1;
/// Finished switches that are kept.
const HISTORY_MAX: usize = 64;

/// What is kept across restarts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// The file's form.
    pub format: u32,
    /// The switch under way.
    pub upgrade: Option<Upgrade>,
    /// Finished ones, the latest last.
    pub history: Vec<Done>,
}

impl Default for Journal {
    fn default() -> Self {
        Journal { format: FORMAT, upgrade: None, history: Vec::new() }
    }
}

/// Why another binary takes over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Committed state has this plan for the next block.
    Plan(Plan),
    /// The linked binary does not fit committed state, as after a restored snapshot: no plan is applied.
    Repair {
        /// What the linked binary said.
        said: String,
    },
}

/// How far a switch has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Decided, with the node dead.
    Begun,
    /// A backup is complete, or none was wanted.
    BackedUp {
        /// Its folder.
        folder: Option<String>,
    },
    /// The new binary agrees to take over.
    Checked {
        /// The backup's folder.
        backup: Option<String>,
    },
    /// The link points at the new binary.
    Switched {
        /// The backup's folder.
        backup: Option<String>,
    },
}

/// A switch under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upgrade {
    /// Why.
    pub reason: Reason,
    /// The height committed when it was decided.
    pub committed_height: u64,
    /// The app hash after that height.
    pub app_hash: String,
    /// The binary that ran.
    pub from: Slot,
    /// The binary that takes over.
    pub to: Slot,
    /// How far it has come.
    pub stage: Stage,
}

impl Upgrade {
    /// The plan that it applies, if it is for one.
    pub fn plan(&self) -> Option<&Plan> {
        match &self.reason {
            Reason::Plan(plan) => Some(plan),
            Reason::Repair { .. } => None,
        }
    }
}

/// A finished switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Name of the plan; none for a repair.
    pub plan: Option<String>,
    /// The height committed then.
    pub committed_height: u64,
    /// The binary that ran before.
    pub from: Slot,
    /// The one since.
    pub to: Slot,
    /// The backup taken.
    pub backup: Option<String>,
}

/// Why the file's content is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// No journal at all.
    #[error("it is no journal: {reason}")]
    Malformed {
        /// What the parser said.
        reason: String,
    },
    /// Of a later swingvisor.
    #[error("it has form {found}, this swingvisor reads {FORMAT}")]
    Format {
        /// Its form.
        found: u32,
    },
}

impl Journal {
    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("texts, numbers and lists are always JSON");
        bytes.push(b'\n');
        bytes
    }

    /// From the file's bytes.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, JournalError> {
        let journal: Journal =
            serde_json::from_slice(bytes).map_err(|error| JournalError::Malformed { reason: error.to_string() })?;
        if journal.format != FORMAT {
            return Err(JournalError::Format { found: journal.format });
        }
        Ok(journal)
    }

    /// The journal with the switch at another stage.
    #[must_use]
    pub fn at(&self, stage: Stage) -> Self {
        let mut journal = self.clone();
        if let Some(upgrade) = &mut journal.upgrade {
            upgrade.stage = stage;
        }
        journal
    }

    /// The journal with the switch finished.
    #[must_use]
    pub fn finished(&self) -> Self {
        let mut journal = self.clone();
        if let Some(upgrade) = journal.upgrade.take() {
            let backup = match &upgrade.stage {
                Stage::Switched { backup } => backup.clone(),
                Stage::Begun | Stage::BackedUp { .. } | Stage::Checked { .. } => None,
            };
            journal.history.push(Done {
                plan: upgrade.plan().map(|plan| plan.name.clone()),
                committed_height: upgrade.committed_height,
                from: upgrade.from,
                to: upgrade.to,
                backup,
            });
            let surplus = journal.history.len().saturating_sub(HISTORY_MAX);
            journal.history.drain(..surplus);
        }
        journal
    }

    /// The binary that ran before the present one, if it is known.
    pub fn previous(&self) -> Option<&Slot> {
        self.history.last().map(|done| &done.from)
    }
}

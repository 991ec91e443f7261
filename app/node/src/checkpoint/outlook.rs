//! What an operator is told of checkpoints, beside a running node or a stopped one: whether one can be made, and to which it is still
//! possible to go back.
//!
//! # Invariants
//! - Nothing is written and no lock is taken: whoever asks never stands in the way of a node or an engine.
//! - That it is possible is no promise: `swingd rollback` asks again, with the locks.

use std::sync::Arc;

use swing_store::checkpoint::Checkpoints;

use super::{
    CheckpointPolicy, FOLDER, Heights,
    rollback::{Question, decide},
};
use crate::{
    app::DATABASE_FOLDER,
    config::{Home, toml_file::TomlFile},
    signing::has_remote_signer,
};

/// What is said where it is possible to go back.
const OPEN: &str = "open";

/// A home's checkpoints.
pub fn of_home(home: &Home) -> Checkpoints {
    Checkpoints::through(Arc::clone(home.files()), home.data_folder().join(FOLDER))
}

/// Whether a checkpoint of this home's database can be made.
///
/// # Errors
/// Why not.
pub fn check_possible(home: &Home) -> Result<(), String> {
    let path = home.app_toml();
    let file = path.exists().then(|| TomlFile::load(path).map_err(|error| error.to_string())).transpose()?;
    if CheckpointPolicy::keep_of(file.as_ref())? == 0 {
        return Err("app.toml: upgrade.checkpoints is 0, so none is made".to_owned());
    }
    let database = home.data_folder().join(DATABASE_FOLDER);
    of_home(home).look_at_room(&database).map(drop).map_err(|error| error.to_string())
}

/// How far engine and key have gone, as far as it is seen.
#[derive(Debug)]
pub struct Outlook {
    seen: Result<(Heights, bool), String>,
}

impl Outlook {
    /// Looks at a home whose application has committed this height.
    pub fn of_home(home: &Home, committed: u64) -> Self {
        let heights = Heights::glance(home, committed).map_err(|error| error.to_string());
        let remote = has_remote_signer(home).map_err(|error| error.to_string());
        Outlook { seen: heights.and_then(|heights| Ok((heights, remote?))) }
    }

    /// `open` where application state can go back to a checkpoint of this height; else why not.
    pub fn rollback(&self, checkpoint: u64) -> String {
        match &self.seen {
            Ok((heights, remote_signer)) => {
                let question =
                    Question { checkpoint, heights: *heights, remote_signer: *remote_signer, stated_signed: None };
                decide(&question).map_or_else(|refused| refused.to_string(), |_| OPEN.to_owned())
            }
            Err(reason) => format!("not known: {reason}"),
        }
    }
}

//! A plan in committed state, as a block of governance would leave it.

use std::path::Path;

use swing_core::{
    modules::{
        consensus,
        upgrade::{plans, state::set_plan},
    },
    ports::upgrade::Plan,
    state::State,
};
use swing_node::app::DATABASE_FOLDER;
use swing_store::{Store, StoreOptions};

/// Commits `version` with a plan in it.
pub fn schedule(data_folder: &Path, version: u64, name: &str, height: u64) {
    schedule_with(data_folder, version, Plan { name: name.to_owned(), height, info: "why".to_owned() });
}

/// The same with all that a plan can say; it gets a number where plans have numbers.
pub fn schedule_with(data_folder: &Path, version: u64, plan: Plan) {
    let store = Store::open(data_folder.join(DATABASE_FOLDER), StoreOptions::default()).expect("the database");
    let view = store.latest();
    let mut state = State::new(&view);
    if plans::enabled(&state).expect("there") {
        plans::add(&mut state, &plan, version).expect("written");
    } else {
        set_plan(&mut state, &plan).expect("written");
    }
    let mut params = consensus::state::params(&state).expect("there");
    // So low that what the engine may throw away is decided by other things.
    params.evidence.as_mut().expect("there").max_age_num_blocks = 1;
    consensus::state::set_params(&mut state, &params).expect("written");
    let staged = store.stage(version, state.into_changes()).expect("staged");
    store.commit(staged).expect("committed");
}

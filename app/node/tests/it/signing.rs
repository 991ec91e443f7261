//! An engine whose signing state was put back is not started, unless the operator takes the blame.

use std::{fs, path::Path};

use serde_json::Value;
use swing_node::{
    config::{Home, node_keys::NodeKey},
    lifecycle::ExitCode,
    signing::UNSAFE_FLAG,
};

use crate::support::starting::{AT_THE_PORT, check_exit, said, start};

const NEWEST: &str = env!("CARGO_BIN_EXE_swingd");

fn sign(home: &Path, height: u64) {
    let state = format!(r#"{{"height":"{height}","round":0,"step":3}}"#);
    fs::write(home.join("data/priv_validator_state.json"), state).expect("written");
}

fn mark(home: &Home) -> Value {
    let text = fs::read(home.priv_validator_high_water()).expect("there is a mark");
    let marks: Value = serde_json::from_slice(&text).expect("JSON");
    marks["signed"].as_object().expect("by key").values().next().expect("one key")["height"].clone()
}

#[test]
fn a_data_folder_that_was_put_back_starts_no_engine_without_the_frightening_flag_and_never_lowers_the_mark_tendermint_9174()
 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = Home::new(folder.path());
    fs::create_dir_all(home.data_folder()).expect("made");
    fs::create_dir_all(home.config_folder()).expect("made");
    NodeKey::from_seed([7; 32]).save_validator_key(&home.priv_validator_key()).expect("a key");
    sign(home.root(), 120);
    check_exit(&start(NEWEST, home.root(), &[]), ExitCode::Failed, AT_THE_PORT);
    assert_eq!(mark(&home), 120);

    sign(home.root(), 80);
    let output = start(NEWEST, home.root(), &[]);
    check_exit(&output, ExitCode::Failed, "DANGER OF SIGNING TWICE");
    assert!(!said(&output).contains(AT_THE_PORT), "it is told before a port is opened: {}", said(&output));
    assert!(said(&output).contains(UNSAFE_FLAG), "and what there is to be said against it: {}", said(&output));

    let output = start(NEWEST, home.root(), &[UNSAFE_FLAG]);
    check_exit(&output, ExitCode::Failed, AT_THE_PORT);
    check_exit(&output, ExitCode::Failed, "DANGER OF SIGNING TWICE");
    assert_eq!(mark(&home), 120, "the flag is for one start, and the mark stays");
    sign(home.root(), 121);
    check_exit(&start(NEWEST, home.root(), &[]), ExitCode::Failed, AT_THE_PORT);
    assert_eq!(mark(&home), 121);
}

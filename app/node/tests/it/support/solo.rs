//! A home and a running solo engine on it.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, mpsc::sync_channel},
    thread::JoinHandle,
    time::Duration,
};

use serde_json::{Value, json};
use swing_node::{
    config::{Home, cometbft, node_keys::NodeKey},
    lifecycle::{Lifecycle, StopReason, StopSwitch},
    solo::{Solo, SoloError, Started},
};
use tendermint_proto::v0_38::{
    abci::ValidatorUpdate,
    crypto::{PublicKey, public_key::Sum},
};

use super::counting::{Counting, Fate};

/// The longest that a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A home whose one validator has power 10.
pub struct SoloHome {
    folder: tempfile::TempDir,
    pub app: Counting,
}

pub fn key() -> NodeKey {
    NodeKey::from_seed([3; 32])
}

pub fn update(public_key: [u8; 32], power: i64) -> ValidatorUpdate {
    ValidatorUpdate { pub_key: Some(PublicKey { sum: Some(Sum::Ed25519(public_key.to_vec())) }), power }
}

impl SoloHome {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::new(folder.path());
        std::fs::create_dir_all(home.config_folder()).expect("a folder");
        std::fs::create_dir_all(home.data_folder()).expect("a folder");
        let mut app = Counting::default();
        app.validators.push(update(key().public_key(), 10));
        let made = SoloHome { folder, app };
        let mut config = cometbft::new_file(&home, "solo").expect("the template is valid");
        config.set("rpc.laddr", "tcp://127.0.0.1:0").expect("a setting");
        config.set("consensus.timeout_commit", "1ms").expect("a setting");
        config.save().expect("written");
        key().save_validator_key(&home.priv_validator_key()).expect("written");
        NodeKey::from_seed([4; 32]).save_node_key(&home.node_key()).expect("written");
        made.write_genesis("solo-1");
        made
    }

    pub fn home(&self) -> Home {
        Home::new(self.folder.path())
    }

    pub fn write_genesis(&self, chain_id: &str) {
        let doc = json!({"genesis_time": "2026-01-01T00:00:00.5Z", "chain_id": chain_id, "app_state": {}});
        std::fs::write(self.home().genesis(), doc.to_string()).expect("written");
    }

    pub fn set(&self, setting: &str, value: &str) {
        let mut config = swing_node::config::toml_file::TomlFile::load(self.home().config_toml()).expect("it is there");
        config.set(setting, value).expect("a setting");
        config.save().expect("written");
    }

    pub fn log(&self) -> PathBuf {
        self.home().data_folder().join("solo").join(swing_node::solo::LOG_FILE)
    }

    /// Starts a process's worth of engine; none where it stopped before it served.
    pub fn start(&self, fate: Option<Fate>) -> Result<Running, SoloError> {
        let switch = StopSwitch::new();
        let (home, app, thrown) = (self.home(), self.app.clone(), Arc::clone(&switch));
        let (started, begun) = sync_channel(1);
        let thread = std::thread::spawn(move || {
            let mut consensus = app.open(fate);
            match Solo::start(&mut consensus, Arc::new(app), &home, &thrown) {
                Ok(Started::Serving(solo)) => {
                    started.send(Ok(solo.rpc_address())).expect("the test waits");
                    solo.run(&mut consensus)
                }
                Ok(Started::Stopped(reason)) | Err(SoloError::App(reason)) => {
                    started.send(Ok(SocketAddr::from(([127, 0, 0, 1], 1)))).expect("the test waits");
                    Ok(reason)
                }
                Err(error) => {
                    started.send(Err(error)).expect("the test waits");
                    Err(SoloError::Unsupported("nothing: the start failed"))
                }
            }
        });
        let address = begun.recv_timeout(PATIENCE).expect("it starts or says why not")?;
        Ok(Running { address, switch, thread: Some(thread) })
    }

    /// Why the engine does not start.
    #[track_caller]
    pub fn refusal(&self) -> String {
        self.start(None).map(|_| ()).expect_err("it does not start").to_string()
    }

    /// Runs until the fate comes true.
    #[track_caller]
    pub fn run_into(&self, fate: Fate) -> StopReason {
        self.start(Some(fate)).expect("it starts").ended()
    }
}

/// A running engine, stopped with the value.
pub struct Running {
    pub address: SocketAddr,
    pub switch: Arc<StopSwitch>,
    thread: Option<JoinHandle<Result<StopReason, SoloError>>>,
}

impl Running {
    /// Waits for the engine's own end.
    #[track_caller]
    pub fn ended(mut self) -> StopReason {
        let thread = self.thread.take().expect("it was started");
        match thread.join().expect("no panic") {
            Ok(reason) | Err(SoloError::App(reason)) => reason,
            failed => failed.expect("it ends for a reason"),
        }
    }

    /// GET, and the status with the body.
    #[track_caller]
    pub fn get(&self, path: &str) -> (u16, String) {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        let path = path.replace('"', "%22");
        let mut response = agent.get(format!("http://{}/{path}", self.address)).call().expect("an answer");
        (response.status().as_u16(), response.body_mut().read_to_string().expect("text"))
    }

    /// POST, and the status with the body.
    #[track_caller]
    pub fn post(&self, body: &[u8]) -> (u16, String) {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        let mut response = agent.post(format!("http://{}/", self.address)).send(body).expect("an answer");
        (response.status().as_u16(), response.body_mut().read_to_string().expect("text"))
    }

    /// The result of a call by GET.
    #[track_caller]
    pub fn result(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        let mut answer: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!((status, &answer["error"]), (200, &Value::Null), "{path}: {body}");
        answer["result"].take()
    }

    /// The data of a call's error.
    #[track_caller]
    pub fn error(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        let mut answer: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(status, 500, "{path}: {body}");
        answer["error"].take()
    }

    pub fn height(&self) -> i64 {
        let status = self.result("status");
        status["sync_info"]["latest_block_height"].as_str().and_then(|text| text.parse().ok()).expect("a height")
    }

    /// Waits until a block of this height is committed.
    #[track_caller]
    pub fn wait_for(&self, height: i64) {
        // Each look is a request that takes its time; what is bounded is their number.
        let came = (0..100_000).any(|_| self.height() >= height);
        assert!(came, "block {height} does not come");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.switch.stop(StopReason::Signal { signal: "SIGTERM" });
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

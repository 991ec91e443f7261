//! The layout of a home directory, and the port through which what counts in it is changed.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use swing_files::{Disk, Files};

/// Its folder in the user's home, when neither `--home` nor `SWINGD_HOME` says another.
pub const DEFAULT_FOLDER: &str = ".swingd";
/// The environment variable that names it.
pub const HOME_VARIABLE: &str = "SWINGD_HOME";

/// A node's home directory.
#[derive(Clone, Debug)]
pub struct Home {
    root: PathBuf,
    files: Arc<dyn Files>,
}

impl Home {
    /// The home at this path.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Home { root: root.into(), files: Arc::new(Disk) }
    }

    /// The same, touched through this port.
    #[must_use]
    pub fn through(self, files: Arc<dyn Files>) -> Self {
        Home { files, ..self }
    }

    /// The port.
    #[must_use]
    pub fn files(&self) -> &Arc<dyn Files> {
        &self.files
    }

    /// `~/.swingd`; `.swingd` in the working directory where the user has no home.
    #[must_use]
    pub fn default_root() -> PathBuf {
        std::env::home_dir().unwrap_or_default().join(DEFAULT_FOLDER)
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `config/`.
    #[must_use]
    pub fn config_folder(&self) -> PathBuf {
        self.root.join("config")
    }

    /// `data/`.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        self.root.join("data")
    }

    /// `config/config.toml`, CometBFT's.
    #[must_use]
    pub fn config_toml(&self) -> PathBuf {
        self.config_folder().join("config.toml")
    }

    /// `config/app.toml`, the application's.
    #[must_use]
    pub fn app_toml(&self) -> PathBuf {
        self.config_folder().join("app.toml")
    }

    /// `config/client.toml`, the client commands'.
    #[must_use]
    pub fn client_toml(&self) -> PathBuf {
        self.config_folder().join("client.toml")
    }

    /// `config/genesis.json`.
    #[must_use]
    pub fn genesis(&self) -> PathBuf {
        self.config_folder().join("genesis.json")
    }

    /// `config/gentx/`.
    #[must_use]
    pub fn gentx_folder(&self) -> PathBuf {
        self.config_folder().join("gentx")
    }

    /// `config/node_key.json`: the key of the peer-to-peer identity.
    #[must_use]
    pub fn node_key(&self) -> PathBuf {
        self.config_folder().join("node_key.json")
    }

    /// `config/priv_validator_key.json`: the consensus key.
    #[must_use]
    pub fn priv_validator_key(&self) -> PathBuf {
        self.config_folder().join("priv_validator_key.json")
    }

    /// `data/priv_validator_state.json`: what was signed last. It only ever moves forward.
    #[must_use]
    pub fn priv_validator_state(&self) -> PathBuf {
        self.data_folder().join("priv_validator_state.json")
    }

    /// `config/priv_validator_high_water.json`: up to where the key has signed, remembered outside the data folder.
    #[must_use]
    pub fn priv_validator_high_water(&self) -> PathBuf {
        self.config_folder().join("priv_validator_high_water.json")
    }

    /// `data/upgrade-info.json`: advisory, for supervisors.
    #[must_use]
    pub fn upgrade_info(&self) -> PathBuf {
        self.data_folder().join("upgrade-info.json")
    }

    /// The socket between the node and the CometBFT that it starts. Not in the data folder: a supervisor copies that, and a socket
    /// that a killed node left behind cannot be copied (cosmovisor 1.5 ends there).
    #[must_use]
    pub fn abci_socket(&self) -> PathBuf {
        self.root.join("abci.sock")
    }

    /// The socket on which a command beside the node asks it for what only it can do. Not in the data folder, as above.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        self.root.join("control.sock")
    }

    /// The folder of keyring backend `test`.
    #[must_use]
    pub fn keyring_test_folder(&self) -> PathBuf {
        self.root.join("keyring-test")
    }
}

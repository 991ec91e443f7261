//! Where everything is: cosmovisor's layout, and one folder of our own in it.

use std::path::{Path, PathBuf};

use crate::core::Slot;

/// Paths under one home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    home: PathBuf,
    name: String,
    backups: PathBuf,
}

impl Layout {
    /// `home` is DAEMON_HOME, `name` is DAEMON_NAME, `backups` is where backups go.
    pub fn new(home: PathBuf, name: String, backups: PathBuf) -> Self {
        Layout { home, name, backups }
    }

    /// The node's home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// File name of the node's binary.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `cosmovisor/`.
    pub fn root(&self) -> PathBuf {
        self.home.join("cosmovisor")
    }

    /// `cosmovisor/upgrades/`.
    pub fn upgrades(&self) -> PathBuf {
        self.root().join("upgrades")
    }

    /// The folder of a slot; absolute, since cosmovisor does not take relative links.
    pub fn slot(&self, slot: &Slot) -> PathBuf {
        match slot {
            Slot::Genesis => self.root().join("genesis"),
            Slot::Upgrade(folder) => self.upgrades().join(folder),
        }
    }

    /// The binary of a slot.
    pub fn binary(&self, slot: &Slot) -> PathBuf {
        self.slot(slot).join("bin").join(&self.name)
    }

    /// The link `cosmovisor/current`.
    pub fn link(&self) -> PathBuf {
        self.root().join("current")
    }

    /// The slot that a link's target is, if it is one. A relative target counts from the link's folder.
    pub fn slot_of(&self, target: &Path) -> Option<Slot> {
        let absolute = self.root().join(target);
        if absolute == self.slot(&Slot::Genesis) {
            return Some(Slot::Genesis);
        }
        let folder = absolute.strip_prefix(self.upgrades()).ok()?.to_str()?;
        (!folder.is_empty() && !folder.contains('/') && folder != "..").then(|| Slot::Upgrade(folder.to_owned()))
    }

    /// Our own folder.
    pub fn own(&self) -> PathBuf {
        self.root().join("swingvisor")
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.own().join("journal.json")
    }

    /// The lock against a second swingvisor.
    pub fn lock(&self) -> PathBuf {
        self.own().join("lock")
    }

    /// Where the running swingvisor tells commands of its report.
    pub fn status_socket(&self) -> PathBuf {
        self.own().join("status.sock")
    }

    /// Where CometBFT finds its application in the mode `front`.
    pub fn front_socket(&self) -> PathBuf {
        self.own().join("front.sock")
    }

    /// Where the node listens then.
    pub fn node_socket(&self) -> PathBuf {
        self.own().join("node.sock")
    }

    /// The folder in which downloads are made.
    pub fn downloads(&self) -> PathBuf {
        self.own().join("downloads")
    }

    /// The note of what a download took out of an archive for a slot.
    pub fn unpacked(&self, slot: &Slot) -> PathBuf {
        let name = match slot {
            Slot::Genesis => "genesis",
            Slot::Upgrade(folder) => folder,
        };
        self.downloads().join(format!("{name}.unpacked"))
    }

    /// The file that a node leaves for supervisors. It is shown, and decides nothing.
    pub fn info_file(&self) -> PathBuf {
        self.home.join("data").join("upgrade-info.json")
    }

    /// The file by which cosmovisor knows what a slot's binary was installed for.
    pub fn slot_info_file(&self, slot: &Slot) -> PathBuf {
        self.slot(slot).join("upgrade-info.json")
    }

    /// Where backups go.
    pub fn backups(&self) -> &Path {
        &self.backups
    }
}

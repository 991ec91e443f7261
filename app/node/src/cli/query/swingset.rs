//! Queries of the module `swingset`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::Ask;

/// Queries of `swingset`.
#[derive(Debug, Subcommand)]
pub enum SwingsetQuery {
    /// Parameters
    Params,
    /// The kernel's bundles, schema and standing
    Kernel,
    /// An installed bundle
    Bundle {
        /// Its ID
        bundle_id: String,
    },
    /// All installed bundles
    Bundles,
    /// All vats
    Vats,
    /// A vat
    Vat {
        /// Its name, such as counter, or its ID, such as v3
        name: String,
    },
    /// The queue of messages that lead to the kernel
    Queue {
        /// Entries to show
        #[arg(default_value_t = 0)]
        show: u64,
    },
    /// Installations that wait for chunks
    PendingInstallations,
    /// The replacement of the engine's bundles that governance has decided
    PendingSwap,
    /// What became of such replacements
    SwapHistory,
    /// What waits in the mailbox for a peer
    Mailbox {
        /// The peer's address
        peer: String,
    },
    /// The value that vats publish at a path
    Published {
        /// The path, such as published.prices.swing
        path: String,
        /// Show the names of what is right below it instead
        #[arg(long)]
        children: bool,
    },
    /// What became of a message
    Result {
        /// Hash of its transaction, its number in the queue, or its promise (kp…)
        id: String,
    },
}

impl SwingsetQuery {
    pub(super) fn ask(&self, page: &Value) -> Ask {
        match self {
            SwingsetQuery::Params => Ask::new("/swing.swingset.v1.Query/Params", json!({})),
            SwingsetQuery::Kernel => {
                Ask { inner: Some("kernel"), ..Ask::new("/swing.swingset.v1.Query/Kernel", json!({})) }
            }
            SwingsetQuery::Bundle { bundle_id } => {
                Ask::new("/swing.swingset.v1.Query/Bundle", json!({"bundle_id": bundle_id}))
            }
            SwingsetQuery::Bundles => Ask::new("/swing.swingset.v1.Query/Bundles", json!({"pagination": page})),
            SwingsetQuery::Vats => Ask::new("/swing.swingset.v1.Query/Vats", json!({"pagination": page})),
            SwingsetQuery::Vat { name } => Ask::new("/swing.swingset.v1.Query/Vat", json!({"name": name})),
            SwingsetQuery::Queue { show } => {
                Ask::new("/swing.swingset.v1.Query/ActionQueue", json!({"limit": show.to_string()}))
            }
            SwingsetQuery::PendingInstallations => Ask::new("/swing.swingset.v1.Query/PendingInstallations", json!({})),
            SwingsetQuery::PendingSwap => Ask::new("/swing.swingset.v1.Query/PendingSwap", json!({})),
            SwingsetQuery::SwapHistory => Ask::new("/swing.swingset.v1.Query/SwapHistory", json!({"pagination": page})),
            SwingsetQuery::Mailbox { peer } => Ask::new("/agoric.swingset.Query/Mailbox", json!({"peer": peer})),
            SwingsetQuery::Published { path, children: false } => {
                Ask::new("/agoric.vstorage.Query/Data", json!({"path": path}))
            }
            SwingsetQuery::Published { path, children: true } => {
                Ask::new("/agoric.vstorage.Query/Children", json!({"path": path}))
            }
            SwingsetQuery::Result { id } if id.starts_with("kp") => {
                Ask::new("/swing.swingset.v1.Query/Promise", json!({"kpid": id}))
            }
            SwingsetQuery::Result { id } => {
                Ask::new("/swing.swingset.v1.Query/DeliveryResult", json!({"action_number": id}))
            }
        }
    }
}

/// Every question once, for the test that holds them against the descriptors.
#[cfg(test)]
pub(super) fn one_of_each(page: &Value) -> Vec<Ask> {
    let x = || "x".to_owned();
    let all = vec![
        SwingsetQuery::Params,
        SwingsetQuery::Kernel,
        SwingsetQuery::Bundle { bundle_id: x() },
        SwingsetQuery::Bundles,
        SwingsetQuery::Vats,
        SwingsetQuery::Vat { name: x() },
        SwingsetQuery::Queue { show: 5 },
        SwingsetQuery::PendingInstallations,
        SwingsetQuery::PendingSwap,
        SwingsetQuery::SwapHistory,
        SwingsetQuery::Mailbox { peer: swing_core::address::module_address("gov").to_string() },
        SwingsetQuery::Published { path: x(), children: false },
        SwingsetQuery::Published { path: x(), children: true },
        SwingsetQuery::Result { id: "kp5".to_owned() },
        SwingsetQuery::Result { id: "5".to_owned() },
    ];
    all.iter().map(|query| query.ask(page)).collect()
}

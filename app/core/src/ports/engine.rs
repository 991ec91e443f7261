//! The contract engine as a port. The node binds it to `swingset/host`.
//!
//! The engine reads and writes only `swingset/k/…`, `swingset/h/…` and `~swingset/…`, through the overlay that it is given. It
//! may keep instances between calls, but nothing that a new one could not rebuild from state: [`Engine::discard`] is always
//! allowed and changes no hash.

use crate::{
    block::Time,
    error::{Halt, Rejected},
    state::State,
};

/// A bundle's ID: `b1-` and the hex SHA-512 of its bytes.
pub type BundleId = String;

/// The bundles that a release carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseBundles {
    /// Kernel bundle, whole.
    pub kernel: Vec<u8>,
    /// Lockdown bundle.
    pub lockdown: Vec<u8>,
    /// Supervisor bundle.
    pub supervisor: Vec<u8>,
    /// Vat bundles by name, for genesis and for upgrades that bring new ones.
    pub vats: Vec<(String, Vec<u8>)>,
}

/// A vat to start at genesis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticVatConfig {
    /// Its name.
    pub name: String,
    /// The name of its bundle among the release's.
    pub bundle: String,
    /// Its parameters: a smallcaps body without slots.
    pub parameters: String,
    /// Its death stops the engine.
    pub critical: bool,
    /// No supervisor: it speaks syscalls itself.
    pub raw: bool,
}

/// What installing did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleReceipt {
    /// The bundle's ID.
    pub id: BundleId,
    /// `kernel`, `lockdown`, `supervisor`, `vat`.
    pub kind: String,
    /// It was there before.
    pub already_installed: bool,
    /// It was there, but released: who installs it now holds it.
    pub held_again: bool,
}

/// An inbound message that a transaction left in the action queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboundMessage {
    /// The vat's name.
    pub vat_name: String,
    /// The method.
    pub method: String,
    /// The marshalled argument list (smallcaps body without slots).
    pub args_body: String,
}

/// What the queues of actions bring to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// A message to a vat's root.
    Message(InboundMessage),
    /// Messages of a peer for the mailbox device, by number, and the highest number that the peer has got.
    Mailbox {
        /// Who sends: an account's address.
        peer: String,
        /// Numbers and texts, in growing order.
        messages: Vec<(u64, String)>,
        /// What the peer has got.
        ack: u64,
    },
    /// A message of one of the chain's modules for the bridge device.
    Bridge {
        /// The bridge's ID.
        bridge: String,
        /// A smallcaps value (without `#`) that holds no references.
        value: String,
    },
    /// Another code for a static vat.
    UpgradeVat(VatUpgrade),
    /// A new vat with some powers.
    Evaluate(Evaluation),
}

/// A static vat's upgrade.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VatUpgrade {
    /// The vat's name.
    pub vat_name: String,
    /// Its new code.
    pub bundle_id: BundleId,
    /// Its parameters: a smallcaps body without slots.
    pub parameters: String,
    /// Why, for those whose promises are disconnected.
    pub message: String,
}

/// A bundle that governance runs as a vat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// The code.
    pub bundle_id: BundleId,
    /// Static vats whose roots it is given, by name; `vatAdmin` is vat administration's root.
    pub vats: Vec<String>,
    /// Devices that it is given, by name.
    pub devices: Vec<String>,
}

/// What one [`Engine::run`] may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunBudget {
    /// Computrons; the last crank may go beyond them.
    pub computrons: u64,
    /// State of terminated vats may be deleted.
    pub cleanup: bool,
}

/// What became of the queue during one [`Engine::run`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunReport {
    /// Cranks run.
    pub cranks: u64,
    /// Computrons used, failed cranks included.
    pub computrons: u64,
    /// What it took of its budget: computrons, and what new vats, cranks without a delivery and deleted entries count for. All of it when
    /// the last crank went beyond.
    pub spent: u64,
    /// Nothing is left to do.
    pub idle: bool,
    /// The engine stopped in this run or before (EngineStopped); the reason is in state.
    pub stopped: Option<String>,
}

/// What a swap did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SwapReport {
    /// Kernel bundle before.
    pub kernel_before: BundleId,
    /// Kernel bundle now.
    pub kernel_after: BundleId,
    /// Lockdown bundle now.
    pub lockdown_after: BundleId,
    /// Supervisor bundle now.
    pub supervisor_after: BundleId,
    /// Schema before and now.
    pub schema_before: u32,
    /// Schema now.
    pub schema_after: u32,
}

/// Bundles that governance wants the engine to be made of. What is none stays as it is; at least one is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BundleSwap {
    /// Kernel bundle.
    pub kernel: Option<BundleId>,
    /// Default lockdown bundle.
    pub lockdown: Option<BundleId>,
    /// Default supervisor bundle.
    pub supervisor: Option<BundleId>,
}

/// What a swap would do to the kernel's schema, as the manifests say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwapForecast {
    /// Schema now.
    pub schema_before: u32,
    /// Schema after the swap.
    pub schema_after: u32,
}

/// Why an engine call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineFailure {
    /// The input is refused; nothing was changed.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The engine is stopped (EngineStopped): the call cannot be served until a kernel swap or upgrade clears it.
    #[error("engine stopped: {0}")]
    Stopped(String),
    /// A local fault.
    #[error(transparent)]
    Halt(#[from] Halt),
}

/// The contract engine.
pub trait Engine {
    /// `initialize_swingset`, once, at genesis.
    fn initialize(
        &mut self,
        state: &mut State<'_>,
        bundles: &ReleaseBundles,
        vats: &[StaticVatConfig],
    ) -> Result<(), EngineFailure>;

    /// A block begins: the kernel is made anew and page charges start over.
    fn begin_block(&mut self, state: &mut State<'_>, height: u64, time: Time) -> Result<(), EngineFailure>;

    /// Admission and installation of a bundle, in the transaction's overlay. Enters no guest and no compiler.
    fn install_bundle(&mut self, state: &mut State<'_>, bytes: &[u8]) -> Result<BundleReceipt, EngineFailure>;

    /// Nobody holds an installed bundle any more for its own sake: it is freed when nothing names it. Refused for one that is not
    /// installed or was released before.
    fn release_bundle(&mut self, state: &mut State<'_>, id: &str) -> Result<(), EngineFailure>;

    /// Deletes released bundles that nothing names, a few at most; gives their IDs.
    fn free_bundles(&mut self, state: &mut State<'_>) -> Result<Vec<BundleId>, EngineFailure>;

    /// Queues what an action brings. Where that has a result, its promise is kept until [`Engine::forget_result`]; gives its kpid.
    fn deliver_inbound(&mut self, state: &mut State<'_>, inbound: &Inbound) -> Result<Option<String>, EngineFailure>;

    /// Nobody asks for the result of an action any more: the kernel may free the promise. Refused for one that is not kept.
    fn forget_result(&mut self, state: &mut State<'_>, kpid: &str) -> Result<(), EngineFailure>;

    /// Queues the timer's wake-ups that are due at the block's time, some of them; says whether it did. While nothing is due no guest is
    /// entered.
    fn poll_timer(&mut self, state: &mut State<'_>) -> Result<bool, EngineFailure>;

    /// Runs cranks until nothing is left or the budget is used up.
    fn run(&mut self, state: &mut State<'_>, budget: RunBudget) -> Result<RunReport, EngineFailure>;

    /// Whether a bundle is installed and its record says that it can be a vat's code. Reads and changes nothing else; enters no guest and
    /// no compiler.
    fn check_vat_bundle(&mut self, state: &mut State<'_>, id: &str) -> Result<(), EngineFailure>;

    /// `reinitialize_swingset`: installs the release's bundles, swaps the three IDs, migrates the schema, rebuilds the
    /// controller. Clears a stopped engine.
    fn reinitialize(&mut self, state: &mut State<'_>, bundles: &ReleaseBundles) -> Result<SwapReport, EngineFailure>;

    /// Whether [`Engine::swap`] would accept these bundles, the kernel's start and its migration aside. Reads what is installed and
    /// changes nothing; enters no guest and no compiler.
    fn check_swap(&mut self, state: &mut State<'_>, swap: &BundleSwap) -> Result<SwapForecast, EngineFailure>;

    /// Between blocks: shutdown, the new IDs, start, with the whole migration of the schema, or nothing at all. A named kernel
    /// clears a stopped engine. A refusal is the same on every node, its words too: they are kept in state.
    fn swap(&mut self, state: &mut State<'_>, swap: &BundleSwap) -> Result<SwapReport, EngineFailure>;

    /// A block ends: dirty pages and roots are written into the overlay.
    fn end_block(&mut self, state: &mut State<'_>) -> Result<(), EngineFailure>;

    /// Forgets all instances: what they were made from was rolled back, or another state is at hand.
    fn discard(&mut self);
}

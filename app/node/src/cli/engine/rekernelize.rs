//! `engine rekernelize`: another kernel in a copy of this home's state, by the way that a vote takes: installed, named, and swapped in at
//! the beginning of a block. Source: SwingSet's `rekernelize` tool.

use std::path::{Path, PathBuf};

use clap::Args;
use prost::Message as _;
use serde_json::{Value, json};
use swing_core::{
    block::Block,
    chain,
    execute::{Flags, execute_block},
    modules::swingset::{
        keys::PENDING_SWAP,
        swap,
        view::{engine_status, number},
    },
    ports::{Ports, engine::Engine as _},
    state::State,
};
use swing_proto::swing::swingset::v1::{PendingSwap, SwapOutcome, SwapRecord};
use swing_store::{Store, StoreOptions, View, checkpoint::Checkpoints, checkpoint::Label};
use swingset_host::keys;

use super::{failed, kernel_state::KernelState};
use crate::{
    app::DATABASE_FOLDER,
    cli::{
        Context, Failure, checkpoint,
        output::{self, Format},
    },
    config::files,
    engine_adapter::SwingsetEngine,
    signatures::Secp256k1Verifier,
};

/// Arguments of `engine rekernelize`.
#[derive(Args, Debug)]
pub struct RekernelizeArgs {
    /// The kernel's bundle
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// The new folder for the copy, a home for `swingd engine … --home`, on the filesystem of this home; no validator can run it
    #[arg(long, value_name = "DIR")]
    output_home: PathBuf,
    /// Copy this checkpoint
    #[arg(long, value_name = "ID")]
    checkpoint: Option<String>,
    /// Empty blocks to run after the one that makes the swap, for what is queued
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    blocks: u64,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

/// Runs it.
pub fn run(context: &Context, arguments: &RekernelizeArgs) -> Result<(), Failure> {
    let home = &arguments.output_home;
    if home.exists() {
        return Err(Failure::new(format!("{} is there already: name a new folder", home.display())));
    }
    let bundle = files::read(&arguments.bundle)?;
    let database = home.join("data").join(DATABASE_FOLDER);
    let result = copy(context, arguments, &database).and_then(|()| swap_on(context, arguments, &bundle, &database));
    if result.is_err() && home.exists() {
        std::fs::remove_dir_all(home)?;
    }
    output::value(arguments.output, &result?)
}

/// Links the database: of a checkpoint, or of the stopped home.
fn copy(context: &Context, arguments: &RekernelizeArgs, to: &Path) -> Result<(), Failure> {
    let data = arguments.output_home.join("data");
    std::fs::create_dir_all(&data)?;
    if let Some(id) = &arguments.checkpoint {
        checkpoint::of_home(context).copy_database(id, to).map_err(checkpoint::failed)?;
        return Ok(());
    }
    let database = context.home.data_folder().join(DATABASE_FOLDER);
    if !database.is_dir() {
        return Err(Failure::new(format!("{} is not there: this node has no state yet", database.display())));
    }
    let store = Store::open(&database, StoreOptions::default()).map_err(failed)?;
    let last = chain::last_block(&store.latest()).map_err(failed)?;
    let label = Label {
        chain_id: last.chain_id,
        app_version: last.app_version,
        release: context.release.name().to_owned(),
        created_by_height: store.version().saturating_add(1),
    };
    let making = Checkpoints::new(data.join("copy"));
    let manifest = store.checkpoint(&making, label).map_err(checkpoint::failed)?;
    std::fs::rename(making.folder().join(manifest.id).join(DATABASE_FOLDER), to)?;
    Ok(std::fs::remove_dir_all(making.folder())?)
}

/// A copy, and what executes blocks on it.
struct Stage<'a> {
    context: &'a Context,
    store: Store,
    engine: SwingsetEngine,
}

fn swap_on(context: &Context, arguments: &RekernelizeArgs, bundle: &[u8], database: &Path) -> Result<Value, Failure> {
    let store = Store::open(database, StoreOptions::default()).map_err(failed)?;
    let engine = SwingsetEngine::new().map_err(failed)?;
    let mut stage = Stage { context, store, engine };
    let before = stage.store.latest();
    KernelState::of(&before)?;
    let height = before.version().saturating_add(1);
    stage.block(height, Some(bundle))?;
    let record = last_swap(&stage.store.latest())?;
    if record.outcome() != SwapOutcome::Done {
        return Err(Failure::new(format!("the state does not take this kernel: {}", record.reason)));
    }
    for after in 1..=arguments.blocks {
        stage.block(height.saturating_add(after), None)?;
    }
    let now = stage.store.latest();
    let cranks = |view: &View| number(view, keys::KERNEL_CRANK_NUMBER).map_err(failed);
    let (status, reason) = engine_status(&now).map_err(failed)?;
    Ok(json!({
        "home": arguments.output_home.display().to_string(),
        "height": now.version().to_string(),
        "app_hash": hex::encode_upper(now.root_hash()),
        "kernel_before": record.kernel_bundle_id_before,
        "kernel_after": record.swap.map(|swap| swap.kernel_bundle_id),
        "schema_before": record.schema_version_before.to_string(),
        "schema_after": record.schema_version_after.to_string(),
        "cranks": cranks(&now)?.saturating_sub(cranks(&before)?).to_string(),
        "engine_status": status.as_str_name(),
        "engine_stopped": Some(reason).filter(|reason| !reason.is_empty()),
    }))
}

impl Stage<'_> {
    /// Makes a block with no transaction; with a kernel, its swap is due in it.
    fn block(&mut self, height: u64, kernel: Option<&[u8]>) -> Result<(), Failure> {
        let view = self.store.latest();
        let last = chain::last_block(&view).map_err(failed)?;
        let mut state = State::new(&view);
        if let Some(bytes) = kernel {
            let receipt = self.engine.install_bundle(&mut state, bytes).map_err(failed)?;
            let height = i64::try_from(height).unwrap_or(i64::MAX);
            let swap = PendingSwap {
                kernel_bundle_id: receipt.id,
                height,
                scheduled_height: height.saturating_sub(1),
                ..PendingSwap::default()
            };
            state.set(PENDING_SWAP, swap.encode_to_vec()).map_err(failed)?;
        }
        let block = Block { height, time: last.time, proposer: vec![0; 20], hash: vec![0; 32], ..Block::default() };
        let signatures = Secp256k1Verifier::default();
        let mut ports = Ports { engine: &mut self.engine, signatures: &signatures, release: self.context.release };
        execute_block(&mut state, &block, &mut ports, &Flags::default()).map_err(failed)?;
        let staged = self.store.stage(height, state.into_changes()).map_err(failed)?;
        drop(view);
        self.store.commit(staged).map_err(failed)
    }
}

/// The record of the swap that ended last.
fn last_swap(state: &View) -> Result<SwapRecord, Failure> {
    let mut last = None;
    let mut number = 1u64;
    while let Some(record) = swap::record(state, number).map_err(failed)? {
        last = Some(record);
        number = number.saturating_add(1);
    }
    last.ok_or_else(|| Failure::new("the block made no swap: is an upgrade plan or a migration in the way?"))
}

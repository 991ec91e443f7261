//! Which state a command looks at.

use clap::Args;
use swing_store::{Reader, StoreError, StoreOptions, View};

use super::failed;
use crate::{
    app::DATABASE_FOLDER,
    cli::{Context, Failure, checkpoint},
};

/// How often a database that is being written is tried again: the node may take a file away while it is opened.
const TRIES: usize = 5;
/// Memory for caches: a tool reads most things once.
const CACHE_BYTES: usize = 32 << 20;

/// Which state.
#[derive(Args, Debug)]
pub struct StateArgs {
    /// State of this kept height; the last committed one by default
    #[arg(long, value_name = "HEIGHT")]
    height: Option<u64>,
    /// State of this checkpoint, not of the home
    #[arg(long, value_name = "ID")]
    checkpoint: Option<String>,
}

impl StateArgs {
    /// The state.
    pub fn view(&self, context: &Context) -> Result<View, Failure> {
        let reader = reader(context, self.checkpoint.as_deref())?;
        let view = match self.height {
            Some(height) => reader.at(height),
            None => reader.latest(),
        };
        view.map_err(failed)
    }
}

/// The home's database, or a checkpoint's.
pub fn reader(context: &Context, checkpoint: Option<&str>) -> Result<Reader, Failure> {
    if let Some(id) = checkpoint {
        return checkpoint::of_home(context).reader(id).map_err(checkpoint::failed);
    }
    let folder = context.home.data_folder().join(DATABASE_FOLDER);
    let options =
        StoreOptions { block_cache_bytes: CACHE_BYTES, node_cache_bytes: CACHE_BYTES, ..StoreOptions::default() };
    let mut opened: Result<Option<Reader>, StoreError> = Reader::open(&folder, options);
    for _ in 1..TRIES {
        if opened.is_ok() {
            break;
        }
        opened = Reader::open(&folder, options);
    }
    match opened.map_err(failed)? {
        Some(reader) if reader.version() > 0 => Ok(reader),
        _ => Err(Failure::new(format!("{} is not there or empty: this node has no state yet", folder.display()))),
    }
}

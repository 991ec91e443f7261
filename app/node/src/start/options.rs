//! From arguments and configuration files to the application's options.

use std::sync::Arc;

use swing_core::{ante::GasPrices, execute::Flags, ports::upgrade::Release};
use swing_store::{Pruning, StoreOptions};

use super::StartArgs;
use crate::{
    api::{ClientsConfig, NodeSettings},
    app::{AppOptions, snapshots::KEEP_RECENT_DEFAULT},
    checkpoint::CheckpointPolicy,
    config::{Home, toml_file::TomlFile},
};

/// The options; `app.toml` where an argument is not given.
///
/// # Errors
/// Which setting makes no sense.
pub(super) fn app_options(
    home: &Home,
    arguments: &StartArgs,
    release: &'static dyn Release,
) -> Result<AppOptions, String> {
    let file = app_toml(home)?;
    let setting =
        |given: &Option<String>, key: &str| given.clone().or_else(|| file.as_ref().and_then(|file| file.get(key)));
    let prices = setting(&arguments.minimum_gas_prices, "minimum-gas-prices").unwrap_or_default();
    let gas_prices = GasPrices::parse(&prices).map_err(|error| format!("minimum-gas-prices {prices:?}: {error}"))?;
    let mut options = AppOptions { files: Arc::clone(home.files()), ..AppOptions::new(home.data_folder(), release) };
    options.gas_prices = gas_prices;
    options.store = StoreOptions::with_pruning(pruning(arguments, file.as_ref())?);
    options.flags = Flags { skip_heights: arguments.unsafe_skip_upgrades.clone() };
    options.checkpoints.keep = CheckpointPolicy::keep_of(file.as_ref())?;
    (options.snapshots.interval, options.snapshots.keep_recent) = snapshots(arguments, file.as_ref())?;
    options.min_retain_blocks = arguments.min_retain_blocks;
    Ok(options)
}

/// What is served to clients.
///
/// # Errors
/// Which setting makes no sense.
pub(super) fn clients(home: &Home, arguments: &StartArgs) -> Result<ClientsConfig, String> {
    ClientsConfig::load(app_toml(home)?.as_ref(), &arguments.api)
}

/// What the node tells clients of its options.
pub(super) fn told(options: &AppOptions) -> NodeSettings {
    let (pruning_keep_recent, pruning_interval) = match options.store.pruning {
        Pruning::Custom { keep_recent, interval } => (keep_recent, interval),
        // Source: the SDK tells the numbers of its file, which mean something for `custom` only.
        Pruning::Default | Pruning::Nothing | Pruning::Everything => (0, 0),
    };
    NodeSettings { minimum_gas_prices: options.gas_prices.to_string(), pruning_keep_recent, pruning_interval }
}

fn app_toml(home: &Home) -> Result<Option<TomlFile>, String> {
    let path = home.app_toml();
    path.exists().then(|| TomlFile::load(path).map_err(|error| error.to_string())).transpose()
}

fn pruning(arguments: &StartArgs, file: Option<&TomlFile>) -> Result<Pruning, String> {
    let (name, keep_recent, interval) = match (&arguments.pruning, file) {
        (Some(name), _) => (name.clone(), arguments.pruning_keep_recent, arguments.pruning_interval),
        (None, None) => return Ok(Pruning::Default),
        (None, Some(file)) => {
            let number = |key: &str| {
                let text = file.get(key).unwrap_or_else(|| "0".to_owned());
                text.parse::<u64>().map_err(|_| format!("{key}: {text:?} is not a number of blocks"))
            };
            let name = file.get("pruning").unwrap_or_else(|| "default".to_owned());
            (name, number("pruning-keep-recent")?, number("pruning-interval")?)
        }
    };
    Pruning::from_settings(&name, keep_recent, interval).map_err(|error| error.to_string())
}

/// Blocks between two snapshots, and how many are kept.
fn snapshots(arguments: &StartArgs, file: Option<&TomlFile>) -> Result<(u64, usize), String> {
    let number = |given: Option<u64>, key: &str, default: u64| match (given, file.and_then(|file| file.get(key))) {
        (Some(given), _) => Ok(given),
        (None, None) => Ok(default),
        (None, Some(text)) => text.parse().map_err(|_| format!("{key}: {text:?} is not a number")),
    };
    let keep_default = u64::try_from(KEEP_RECENT_DEFAULT).unwrap_or(u64::MAX);
    let keep = number(arguments.snapshot_keep_recent, "state-sync.snapshot-keep-recent", keep_default)?;
    let interval = number(arguments.snapshot_interval, "state-sync.snapshot-interval", 0)?;
    Ok((interval, usize::try_from(keep).unwrap_or(usize::MAX)))
}

//! The operator's wishes, from environment variables: cosmovisor's, and a few of our own.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    net::SocketAddr,
    path::PathBuf,
};

use crate::{core::Policy, fetch::Checksum, layout::Layout, log::LogTime};

/// cosmovisor's rest between two looks is 0.3 s, at a file; ours is at a database.
const POLL_INTERVAL_MS: u64 = 5_000;
/// A node is given time to end by itself; cosmovisor's default is none.
const SHUTDOWN_GRACE_MS: u64 = 30_000;
const PROBE_TIMEOUT_MS: u64 = 60_000;
const HOOK_TIMEOUT_MS: u64 = 60_000;
const PRE_UPGRADE_TIMEOUT_MS: u64 = 600_000;
const DOWNLOAD_BYTES_MAX: u64 = 2 << 30;

const START_TIMEOUT_MS: u64 = 60_000;
/// Peers drop a node that is silent for 45 s.
const PARKED_LIMIT_MS: u64 = 30_000;
/// Less than clients' own patience, which is 10 s and more.
const CLIENT_WAIT_MS: u64 = 5_000;

/// How a binary takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The node is stopped and the next one started; CometBFT ends with it.
    Restart,
    /// swingvisor stands between CometBFT and the node, and CometBFT keeps its connections.
    Front,
}

impl Mode {
    /// As the variable has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mode::Restart => "restart",
            Mode::Front => "front",
        }
    }
}

/// The configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where everything is.
    pub layout: Layout,
    /// What the decisions need.
    pub policy: Policy,
    /// `DAEMON_RESTART_DELAY`: rest between the node's end and the switch, milliseconds.
    pub restart_delay_ms: u64,
    /// `DAEMON_SHUTDOWN_GRACE`: how long a node may take to end before it is killed, milliseconds.
    pub shutdown_grace_ms: u64,
    /// `DAEMON_POLL_INTERVAL`: how often committed state is looked at while the node runs, milliseconds.
    pub poll_interval_ms: u64,
    /// `DAEMON_PREUPGRADE_MAX_RETRIES`: how often `pre-upgrade` is tried again after its exit code 31.
    pub pre_upgrade_retries_max: u32,
    /// `COSMOVISOR_CUSTOM_PREUPGRADE`: a program in `cosmovisor/` that may refuse the upgrade.
    pub custom_pre_upgrade: Option<String>,
    /// `SWINGVISOR_PROBE_TIMEOUT`: how long a binary may take to answer, milliseconds.
    pub probe_timeout_ms: u64,
    /// `SWINGVISOR_PREUPGRADE_TIMEOUT`, milliseconds.
    pub pre_upgrade_timeout_ms: u64,
    /// `SWINGVISOR_HOOK_BEFORE_SWITCH`: a shell command.
    pub hook_before_switch: Option<String>,
    /// `SWINGVISOR_HOOK_AFTER_SWITCH`: a shell command.
    pub hook_after_switch: Option<String>,
    /// `SWINGVISOR_HOOK_TIMEOUT`, milliseconds.
    pub hook_timeout_ms: u64,
    /// `SWINGVISOR_WEBHOOK`: a URL that is told of events.
    pub webhook: Option<String>,
    /// `SWINGVISOR_LISTEN`: loopback address of the status pages; none is off.
    pub listen: Option<SocketAddr>,
    /// `SWINGVISOR_DOWNLOAD_BYTES_MAX`: the largest download, and the largest file in an archive.
    pub download_bytes_max: u64,
    /// `SWINGVISOR_ACCEPT_SHA256`: a binary that takes over although the plan names another one, as a repaired one does.
    pub accepted: Option<Checksum>,
    /// `SSL_CERT_FILE`: root certificates for https in place of the built-in ones.
    pub certificates: Option<PathBuf>,
    /// `SWINGVISOR_MODE`: `restart`, the default, or `front`.
    pub mode: Mode,
    /// `SWINGVISOR_ABCI`: where CometBFT connects in the mode `front`; else what the node's arguments or config.toml say for an
    /// external CometBFT, and a socket of our own for one that swingvisor starts.
    pub abci: Option<String>,
    /// `SWINGVISOR_START_TIMEOUT`: how long a new node may take to serve while CometBFT waits, milliseconds.
    pub start_timeout_ms: u64,
    /// `SWINGVISOR_PARKED_LIMIT`: how long CometBFT may be parked before that is reported, milliseconds.
    pub parked_limit_ms: u64,
    /// `SWINGVISOR_STANDBY`: the plan's binary is started before its height and stands by, in the mode `front`; true by default.
    pub standby: bool,
    /// `SWINGVISOR_HOLD_SOCKETS`: whether the node's listening sockets are held here and inherited by it.
    pub hold_sockets: bool,
    /// `SWINGVISOR_CLIENT_WAIT`: how long a client's connection waits for a node before it is told to try again, milliseconds.
    pub client_wait_ms: u64,
    /// `COSMOVISOR_DISABLE_LOGS`.
    pub disable_logs: bool,
    /// `COSMOVISOR_COLOR_LOGS`; where it is not set, a terminal has colours and a file has none.
    pub color_logs: Option<bool>,
    /// `COSMOVISOR_TIMEFORMAT_LOGS`.
    pub log_time: LogTime,
}

/// What is wrong with the environment; every fault, not the first alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", faults.join("; "))]
pub struct ConfigError {
    /// Each fault.
    pub faults: Vec<String>,
}

/// Reads variables, and collects what is wrong with them.
struct Reader {
    variables: BTreeMap<String, String>,
    faults: Vec<String>,
}

impl Reader {
    fn text(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|text| !text.is_empty()).cloned()
    }

    fn parsed<T>(&mut self, name: &str, default: T, parse: impl FnOnce(&str) -> Result<T, String>) -> T {
        let Some(text) = self.text(name) else { return default };
        parse(&text).unwrap_or_else(|fault| {
            self.faults.push(format!("{name}: {fault}"));
            default
        })
    }

    fn boolean(&mut self, name: &str, default: bool) -> bool {
        self.parsed(name, default, |text| match text.to_lowercase().as_str() {
            "true" | "1" | "on" => Ok(true),
            "false" | "0" | "off" => Ok(false),
            _ => Err(format!("{text:?} is neither true nor false")),
        })
    }

    fn millis(&mut self, name: &str, default: u64) -> u64 {
        self.parsed(name, default, |text| {
            duration_ms(text).ok_or_else(|| format!("{text:?} is no duration such as 300ms, 10s or 1h30m"))
        })
    }

    fn number<T: std::str::FromStr>(&mut self, name: &str, default: T) -> T {
        self.parsed(name, default, |text| text.parse().map_err(|_| format!("{text:?} is no number in range")))
    }

    fn folder(&mut self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.text(name)?);
        if !path.is_absolute() {
            self.faults.push(format!("{name}: {} is not an absolute path", path.display()));
        }
        Some(path)
    }

    fn mode(&mut self, name: &str) -> Mode {
        self.parsed(name, Mode::Restart, |text| match text {
            "restart" => Ok(Mode::Restart),
            "front" => Ok(Mode::Front),
            _ => Err(format!("{text:?} is neither restart nor front")),
        })
    }

    fn log_time(&mut self, name: &str) -> LogTime {
        // Set and empty is a value too.
        let Some(value) = self.variables.get(name) else { return LogTime::Full };
        LogTime::parse(value).unwrap_or_else(|fault| {
            self.faults.push(format!("{name}: {fault}"));
            LogTime::Full
        })
    }

    fn loopback(&mut self, name: &str) -> Option<SocketAddr> {
        self.parsed(name, None, |text| {
            let address: SocketAddr =
                text.parse().map_err(|_| format!("{text:?} is no address such as 127.0.0.1:26690"))?;
            if address.ip().is_loopback() {
                Ok(Some(address))
            } else {
                Err(format!("{address} is not a loopback address"))
            }
        })
    }
}

/// A duration in Go's notation, in whole milliseconds; none when it is not one, or zero or less.
pub fn duration_ms(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut nanos: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let value: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let unit_end = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let unit: u64 = match rest.get(..unit_end)? {
            "ns" => 1,
            "us" | "µs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        rest = rest.get(unit_end..)?;
        nanos = nanos.checked_add(value.checked_mul(unit)?)?;
    }
    (nanos > 0).then(|| nanos.div_ceil(1_000_000))
}

impl Config {
    /// From the process's environment.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn from_environment() -> Result<Self, ConfigError> {
        Config::from_variables(std::env::vars_os())
    }

    /// From these variables. Names that are not known are passed over; so are values that are not UTF-8 under such names.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn from_variables(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        let variables = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let mut reader = Reader { variables: variables.collect(), faults: Vec::new() };
        let home = reader.folder("DAEMON_HOME").unwrap_or_else(|| {
            reader.faults.push("DAEMON_HOME is not set".to_owned());
            PathBuf::new()
        });
        let name = reader.text("DAEMON_NAME").unwrap_or_else(|| {
            reader.faults.push("DAEMON_NAME is not set".to_owned());
            String::new()
        });
        if name.contains('/') || name == "." || name == ".." {
            reader.faults.push(format!("DAEMON_NAME: {name:?} is no file name"));
        }
        let backups = reader.folder("DAEMON_DATA_BACKUP_DIR").unwrap_or_else(|| home.clone());
        // Taken, so that an environment written for cosmovisor is read whole; a download without a checksum is never used.
        reader.boolean("DAEMON_DOWNLOAD_MUST_HAVE_CHECKSUM", true);
        let policy = policy(&mut reader);
        let config = Config {
            layout: Layout::new(home, name, backups),
            policy,
            restart_delay_ms: reader.millis("DAEMON_RESTART_DELAY", 0),
            shutdown_grace_ms: reader.millis("DAEMON_SHUTDOWN_GRACE", SHUTDOWN_GRACE_MS),
            poll_interval_ms: reader.millis("DAEMON_POLL_INTERVAL", POLL_INTERVAL_MS),
            pre_upgrade_retries_max: reader.number("DAEMON_PREUPGRADE_MAX_RETRIES", 0),
            custom_pre_upgrade: reader.text("COSMOVISOR_CUSTOM_PREUPGRADE"),
            probe_timeout_ms: reader.millis("SWINGVISOR_PROBE_TIMEOUT", PROBE_TIMEOUT_MS),
            pre_upgrade_timeout_ms: reader.millis("SWINGVISOR_PREUPGRADE_TIMEOUT", PRE_UPGRADE_TIMEOUT_MS),
            hook_before_switch: reader.text("SWINGVISOR_HOOK_BEFORE_SWITCH"),
            hook_after_switch: reader.text("SWINGVISOR_HOOK_AFTER_SWITCH"),
            hook_timeout_ms: reader.millis("SWINGVISOR_HOOK_TIMEOUT", HOOK_TIMEOUT_MS),
            webhook: reader.text("SWINGVISOR_WEBHOOK"),
            listen: reader.loopback("SWINGVISOR_LISTEN"),
            download_bytes_max: reader.number("SWINGVISOR_DOWNLOAD_BYTES_MAX", DOWNLOAD_BYTES_MAX),
            accepted: reader.parsed("SWINGVISOR_ACCEPT_SHA256", None, |text| Checksum::parse(text).map(Some)),
            certificates: reader.folder("SSL_CERT_FILE"),
            mode: reader.mode("SWINGVISOR_MODE"),
            abci: reader.text("SWINGVISOR_ABCI"),
            start_timeout_ms: reader.millis("SWINGVISOR_START_TIMEOUT", START_TIMEOUT_MS),
            parked_limit_ms: reader.millis("SWINGVISOR_PARKED_LIMIT", PARKED_LIMIT_MS),
            standby: reader.boolean("SWINGVISOR_STANDBY", true),
            hold_sockets: reader.boolean("SWINGVISOR_HOLD_SOCKETS", true),
            client_wait_ms: reader.millis("SWINGVISOR_CLIENT_WAIT", CLIENT_WAIT_MS),
            disable_logs: reader.boolean("COSMOVISOR_DISABLE_LOGS", false),
            color_logs: reader.text("COSMOVISOR_COLOR_LOGS").map(|_| reader.boolean("COSMOVISOR_COLOR_LOGS", true)),
            log_time: reader.log_time("COSMOVISOR_TIMEFORMAT_LOGS"),
        };
        if reader.faults.is_empty() { Ok(config) } else { Err(ConfigError { faults: reader.faults }) }
    }
}

fn policy(reader: &mut Reader) -> Policy {
    let default = Policy::default();
    Policy {
        download: reader.boolean("DAEMON_ALLOW_DOWNLOAD_BINARIES", false),
        backup: !reader.boolean("UNSAFE_SKIP_BACKUP", false),
        restart_after_upgrade: reader.boolean("DAEMON_RESTART_AFTER_UPGRADE", true),
        keep_case: reader.boolean("COSMOVISOR_DISABLE_RECASE", false),
        // The node's own flag says them; see `run`.
        skip_heights: BTreeSet::new(),
        restarts_max: reader.number("SWINGVISOR_RESTARTS_MAX", 0),
        backoff_min_ms: reader.millis("SWINGVISOR_BACKOFF_MIN", default.backoff_min_ms),
        backoff_max_ms: reader.millis("SWINGVISOR_BACKOFF_MAX", default.backoff_max_ms),
        stop_grace_ms: reader.millis("SWINGVISOR_STOP_GRACE", default.stop_grace_ms),
    }
}
